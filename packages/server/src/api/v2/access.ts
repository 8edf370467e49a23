/** Dry runs of access policies: who would be let do what, and why. */

import { accessActions, maxAccessPolicyBytes } from "@carillon/core";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { listBodyBytes } from "../json-body.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import type { V2Ports } from "./ports.ts";

const contextValue = Type.String({ maxLength: 256 });

const Question = Type.Object(
  {
    topicUrn: Type.String({
      description: "A topic of the caller's project",
      ...failsWith("TOPIC_URN_INVALID"),
    }),
    action: Type.Union(
      accessActions.map((action) => Type.Literal(action)),
      { description: "What would be done with the topic" },
    ),
    principal: Type.Object(
      {
        domainId: Type.String({
          maxLength: 64,
          description: "The domain (account) that would ask",
        }),
        projectId: Type.String({
          maxLength: 64,
          description: "The project that would ask",
        }),
        service: Type.Optional(
          Type.String({
            maxLength: 64,
            description: "A service that asks in the account's name",
          }),
        ),
      },
      { description: "Who would ask" },
    ),
    context: Type.Optional(
      Type.Record(
        Type.String(),
        Type.Union([contextValue, Type.Array(contextValue, { maxItems: 10 })]),
        {
          maxProperties: 20,
          description:
            "What conditions are held against, such as g:SourceIp; a key that is not given cannot be decided on",
        },
      ),
    ),
    policy: Type.Optional(
      Type.String({
        maxLength: maxAccessPolicyBytes,
        description: "A policy to try in place of the topic's own",
      }),
    ),
  },
  { title: "AccessQuestion" },
);

const Decision = Type.Object(
  {
    decision: Type.Union([Type.Literal("allow"), Type.Literal("deny")], {
      description: "Whether it would be let",
    }),
    reason: Type.String({
      description: "owner, allowed, denied, nothing_allows or no_policy",
    }),
    statement: Type.Optional(
      Type.String({ description: "Sid of the statement that decided" }),
    ),
    explanation: Type.String({ description: "The decision in a sentence" }),
    statements: Type.Array(
      Type.Object({
        sid: Type.String({ description: "Its name in the policy" }),
        effect: Type.Union([Type.Literal("Allow"), Type.Literal("Deny")], {
          description: "What it decides where it applies",
        }),
        applies: Type.Boolean({
          description: "Whether it is about this question",
        }),
        explanation: Type.String({ description: "Why it applies, or not" }),
      }),
      { description: "Each statement of the policy, in its order" },
    ),
  },
  { title: "AccessDecision" },
);

export function accessRoutes(app: HttpApp, { access }: V2Ports): void {
  app.post(
    "/access/explain",
    {
      config: { operation: "topics.read" },
      bodyLimit: listBodyBytes,
      schema: {
        summary: "Explains what a topic's access policy decides",
        description:
          "Asks the same question as a real request would, and changes nothing.",
        tags: ["Topics"],
        body: Question,
        response: { 200: Decision, ...refusals },
      },
    },
    async (request) => {
      const { statements, ...decision } = await access.explain(
        projectOf(request),
        request.body,
      );
      return { ...decision, statements: [...statements] };
    },
  );
}
