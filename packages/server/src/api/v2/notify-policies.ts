/** Ordered escalation for subscriptions of any protocol. */

import {
  defaultRoundSeconds,
  maxNotifyRounds,
  maxPerNotifyRound,
  type NotifyPolicy,
  type Subscriptions,
  type TopicBindings,
  type Topics,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { listBodyBytes } from "../json-body.ts";
import { resolveNotifyPolicy } from "../smn/notify-policies.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import { topicParams } from "./schema-parts.ts";

const invalid = failsWith("BINDING_INVALID");

const round = Type.Array(Type.String(), {
  maxItems: maxPerNotifyRound,
  ...invalid,
});

const NotifyPolicyBody = Type.Object(
  {
    rounds: Type.Array(round, {
      maxItems: maxNotifyRounds,
      description:
        "URNs of subscriptions, in the order in which they are tried: a round only if nobody of those before confirmed delivery",
      ...invalid,
    }),
    roundSeconds: Type.Optional(
      Type.Integer({
        description: `How long a round may take before the next begins`,
        default: defaultRoundSeconds,
        ...invalid,
      }),
    ),
  },
  { title: "NotifyPolicy", ...invalid },
);

export interface NotifyPolicyPorts {
  readonly topics: Topics;
  readonly subscriptions: Subscriptions;
  readonly bindings: TopicBindings;
}

export function notifyPolicyRoutes(
  app: HttpApp,
  { topics, subscriptions, bindings }: NotifyPolicyPorts,
): void {
  const path = "/topics/:topicUrn/notify-policy";

  app.get(
    path,
    {
      config: { operation: "topics.read" },
      schema: {
        summary: "Shows the notify policy of a topic",
        tags: ["Topics"],
        params: topicParams,
        response: { 200: NotifyPolicyBody, ...refusals },
      },
    },
    async (request) => {
      const { topicUrn } = request.params;
      const policy = await bindings.get(
        projectOf(request),
        topicUrn,
        "notifyPolicy",
      );
      return toBody(topicUrn, policy.data);
    },
  );

  app.put(
    path,
    {
      config: { operation: "topics.write" },
      bodyLimit: listBodyBytes,
      schema: {
        summary: "Sets the notify policy of a topic",
        tags: ["Topics"],
        params: topicParams,
        body: NotifyPolicyBody,
        response: { 200: NotifyPolicyBody, ...refusals },
      },
    },
    async (request) => {
      const projectId = projectOf(request);
      const { topicUrn } = request.params;
      await topics.get(projectId, topicUrn);
      const { rounds, roundSeconds = defaultRoundSeconds } = request.body;
      const policy = await resolveNotifyPolicy(
        subscriptions,
        projectId,
        topicUrn,
        {
          protocol: "callnotify",
          roundSeconds,
          rounds: rounds.map((subscriptionUrns, index) => ({
            order: index + 1,
            subscriptionUrns,
          })),
        },
      );
      const known = await bindings.find(projectId, topicUrn, "notifyPolicy");
      const { data } = known
        ? await bindings.update(
            projectId,
            topicUrn,
            "notifyPolicy",
            known.id,
            policy,
          )
        : await bindings.create(projectId, topicUrn, "notifyPolicy", policy);
      return toBody(topicUrn, data);
    },
  );

  app.delete(
    path,
    {
      config: { operation: "topics.write" },
      schema: {
        summary: "Removes the notify policy of a topic",
        tags: ["Topics"],
        params: topicParams,
        response: { 204: Type.Null(), ...refusals },
      },
    },
    async (request, reply) => {
      const projectId = projectOf(request);
      const { topicUrn } = request.params;
      const { id } = await bindings.get(projectId, topicUrn, "notifyPolicy");
      await bindings.remove(projectId, topicUrn, "notifyPolicy", id);
      reply.code(204);
      return null;
    },
  );
}

function toBody(
  topicUrn: string,
  { rounds, roundSeconds }: NotifyPolicy,
): Static<typeof NotifyPolicyBody> {
  return {
    rounds: rounds.map(({ subscriptionIds }) =>
      subscriptionIds.map((id) => `${topicUrn}:${id}`),
    ),
    roundSeconds,
  };
}
