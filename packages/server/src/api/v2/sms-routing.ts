/**
 * Where a text would go, and why. Providers, routes and prices belong to the
 * whole installation: only operators see them.
 */

import { maxTextCharacters } from "@carillon/channels";
import {
  type Clock,
  checkEndpoint,
  checkMessageOptions,
  messageClasses,
  type Protocols,
} from "@carillon/core";
import {
  type EstimatedCost,
  type Explanation,
  type Gateway,
  OutgoingMessage,
} from "@carillon/gateway";
import type { Static } from "typebox";
import type { Config } from "../../config.ts";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import { senderOf } from "../../providers/provider-settings.ts";
import { principalOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";

export interface SmsRoutingPorts {
  /** Absent where no texts are sent. */
  readonly gateway?: Pick<Gateway, "explain"> | undefined;
  readonly protocols: Protocols;
  readonly clock: Clock;
  /** As they are configured now. */
  readonly providerSettings?: (() => Config["sms"]["providers"]) | undefined;
}

const optionCode = failsWith("MESSAGE_OPTION_INVALID");

const Text = Type.Object(
  {
    recipient: Type.String({
      description: "The phone, in international form such as +4915112345678",
      ...failsWith("ENDPOINT_INVALID"),
    }),
    text: Type.String({
      maxLength: 10_000,
      description: "What would be sent, of 10000 characters at most",
      ...failsWith("MESSAGE_INVALID"),
    }),
    class: Type.Optional(
      Type.String({
        description: `${messageClasses.join(", ")}: kind of traffic`,
        ...optionCode,
      }),
    ),
    sender: Type.Optional(
      Type.String({
        description: "Sender ID that it asks for: a number or a name",
        ...optionCode,
      }),
    ),
  },
  { title: "TextToExplain" },
);

const Cost = Type.Object(
  {
    amount: Type.Number({ description: "For all segments" }),
    currency: Type.Optional(
      Type.String({ description: "As the policy says it, such as EUR" }),
    ),
  },
  { description: "Absent where the policy has no price" },
);

const ExplainedText = Type.Object(
  {
    provider: Type.Optional(
      Type.String({
        description:
          "Whom it would be given to first; absent: nobody, see problems",
      }),
    ),
    by: Type.Optional(
      Type.Enum(["policy", "default"], {
        description: "policy: a rule chose; default: none is for it",
      }),
    ),
    rule: Type.Optional(
      Type.String({ description: "That chose; sms.route is the setting's" }),
    ),
    use: Type.Optional(Type.String({ description: "The route of that rule" })),
    sticky: Type.Boolean({
      description:
        "Whether this recipient always gets this order; otherwise shares are drawn for each text, here too",
    }),
    reason: Type.String({ description: "For people" }),
    considered: Type.Array(
      Type.Object({
        rule: Type.String({ description: "Its name" }),
        matched: Type.Boolean({ description: "True of one at most" }),
        reason: Type.String({ description: "For people" }),
      }),
      { description: "The rules of the policy, in their order" },
    ),
    candidates: Type.Array(
      Type.Object({
        provider: Type.String({ description: "By its name" }),
        sender: Type.Optional(
          Type.String({
            description:
              "The text's own, else the rule's, else the provider's `from`",
          }),
        ),
        paused: Type.Boolean({
          description: "Passed over until somebody resumes it",
        }),
        breaker: Type.Enum(["closed", "open", "half-open"], {
          description:
            "open: it mostly failed of late and is passed over; half-open: the next text tries it",
        }),
        estimatedCost: Type.Optional(Cost),
      }),
      { description: "Whom it would be given to, in this order" },
    ),
    encoding: Type.Enum(["gsm7", "ucs2"], {
      description:
        "gsm7 has 160 characters in one segment, ucs2, for other characters, 70",
    }),
    segments: Type.Integer({
      description: "How many it is sent in, and costs",
    }),
    estimatedCost: Type.Optional(Cost),
    problems: Type.Array(Type.String(), {
      description:
        "What would keep it from being sent now, for people: limits of the provider, guards, opt-outs",
    }),
  },
  { title: "ExplainedText" },
);

export function smsRoutingRoutes(
  app: HttpApp,
  { gateway, protocols, clock, providerSettings }: SmsRoutingPorts,
): void {
  app.post(
    "/sms/explain",
    {
      config: { operation: "sms.explain" },
      schema: {
        summary: "Says where a text would go, and why",
        description:
          "By which rule, through which provider, in how many segments and at what cost, and what would hold it: what it costs and how many went out is taken as for the caller's project. Nothing is sent or counted, so that sequences are not seen.",
        tags: ["Service"],
        body: Text,
        response: { 200: ExplainedText, ...refusals },
      },
    },
    async (request) => {
      const protocol = protocols.find("sms");
      if (!gateway || !protocol) throw new RequestError("NOT_OFFERED");
      const recipient = checkEndpoint(protocol, request.body.recipient);
      const { sender } = request.body;
      const { class: messageClass, sms } = checkMessageOptions(
        {
          class: request.body.class,
          ...(sender !== undefined && { sms: { sender } }),
        },
        clock.now(),
        protocols,
      );
      const text = request.body.text.toWellFormed();
      const message = new OutgoingMessage(recipient, text).options({
        senderId: sms?.sender ?? null,
        messageClass: messageClass ?? null,
      });
      const project = principalOf(request).project?.id;
      const explained = toBody(
        await gateway.explain(
          message,
          project === undefined ? {} : { project },
        ),
        providerSettings?.() ?? [],
      );
      const characters = [...text].length;
      if (characters > maxTextCharacters) {
        explained.problems.push(
          `the text has ${characters} characters; a text message may have ${maxTextCharacters}`,
        );
      }
      return explained;
    },
  );
}

function toBody(
  explanation: Explanation,
  settings: Config["sms"]["providers"],
): Static<typeof ExplainedText> {
  const { provider, by, rule, use, estimatedCost, considered, ...rest } =
    explanation;
  return {
    ...(provider !== null && { provider }),
    // This text names no provider, and no router is set.
    ...((by === "policy" || by === "default") && { by }),
    ...(rule !== null && { rule }),
    ...(use !== null && { use }),
    ...toCost(estimatedCost),
    ...rest,
    considered: [...considered],
    candidates: explanation.candidates.map(
      ({ provider, sender = senderOf(settings, provider), ...candidate }) => ({
        provider,
        ...(sender !== undefined && { sender }),
        breaker: candidate.breaker,
        paused: candidate.paused,
        ...toCost(candidate.estimatedCost),
      }),
    ),
    problems: [...explanation.problems],
  };
}

function toCost(cost: EstimatedCost | undefined): {
  estimatedCost?: Static<typeof Cost>;
} {
  if (cost === undefined) return {};
  const { amount, currency } = cost;
  return {
    estimatedCost: { amount, ...(currency !== undefined && { currency }) },
  };
}
