/** Deliveries: what happened to a message at each of its endpoints. */

import {
  addMs,
  attemptNumbers,
  attemptOutcomes,
  CarillonError,
  type Delivery,
  deliveryActions,
  deliveryStates,
  errorClasses,
  isSettled,
  type Message,
  type MessageReader,
  type ProjectId,
  type Protocols,
  parseDeliveryId,
  partStates,
  receiptEvents,
  toDeliveryId,
  waitReasons,
} from "@carillon/core";
import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { refusals } from "./error-answers.ts";
import { getMessage, messageParams } from "./messages.ts";
import type { V2Ports } from "./ports.ts";
import { instant, limitParameter, readLimit } from "./schema-parts.ts";

function stateOf(description: string) {
  return Type.Enum(deliveryStates, { description });
}

const Attempt = Type.Object(
  {
    number: Type.Optional(
      Type.Integer({
        description: "From 1; absent: no attempt was made, this is why",
      }),
    ),
    at: instant("When it began"),
    durationMs: Type.Number({ description: "How long it took" }),
    statusCode: Type.Optional(
      Type.Integer({ description: "HTTP status or SMTP reply code" }),
    ),
    errorClass: Type.Optional(
      Type.String({ description: errorClasses.join(", ") }),
    ),
    error: Type.Optional(Type.String({ description: "What failed, in words" })),
    provider: Type.Optional(
      Type.String({ description: "The SMS provider it went through" }),
    ),
    outcome: Type.Optional(
      Type.Enum([...attemptOutcomes], {
        description:
          "What came of it, of what costs money; `failed`: accepted, and failed by its receipt",
      }),
    ),
    queuedMs: milliseconds("Waiting for its turn, before it began"),
    dnsMs: milliseconds("Looking up the host's name"),
    connectMs: milliseconds("Opening the TCP connection"),
    tlsMs: milliseconds("The TLS handshake"),
    firstByteMs: milliseconds("From the request to the answer's first byte"),
  },
  { title: "Attempt" },
);

const Part = Type.Object(
  {
    attempt: Type.Integer({ description: "Number of its attempt, from 1" }),
    provider: Type.String({ description: "The one that took it" }),
    externalId: Type.String({ description: "The provider's id of it" }),
    state: Type.Enum([...partStates], { description: "Where it stands" }),
  },
  { title: "DeliveryPart" },
);

const DeliveryReceipt = Type.Object(
  {
    provider: Type.String({ description: "The one it came through" }),
    externalId: Type.String({ description: "The part it is about" }),
    event: Type.Enum([...receiptEvents], { description: "What happened" }),
    at: instant("When it came"),
    code: Type.Optional(Type.String({ description: "The carrier's own" })),
    text: Type.Optional(Type.String({ description: "The carrier's words" })),
  },
  { title: "DeliveryReceipt" },
);

const ActionRecord = Type.Object(
  {
    at: instant("When"),
    action: Type.Enum([...deliveryActions], { description: "What was done" }),
    from: stateOf("The state before"),
    to: stateOf("The state that it led to"),
    userId: Type.String({ description: "Who" }),
    userName: Type.String({ description: "Who, by name" }),
    reason: Type.Optional(Type.String({ description: "Why" })),
    jobId: Type.Optional(
      Type.String({ description: "The job that did it for all that matched" }),
    ),
  },
  { title: "DeliveryAction" },
);

export const DeliveryBody = Type.Object(
  {
    id: Type.String({ description: "Of the delivery" }),
    messageId: Type.String({ description: "The message that is delivered" }),
    protocol: Type.String({ description: "How the endpoint is reached" }),
    endpoint: Type.String({
      description: "A URL has `***` in place of its user info and query",
    }),
    subscriptionUrn: Type.Optional(
      Type.String({ description: "Absent for a direct recipient" }),
    ),
    state: stateOf("Where it stands"),
    attemptCount: Type.Integer({ description: "How many attempts were made" }),
    attempts: Type.Array(Attempt, {
      description:
        "Oldest first; what ended without an attempt, such as a text that a guard held, has the reason in its place, without a number",
    }),
    receipts: Type.Optional(
      Type.Array(DeliveryReceipt, {
        description:
          "What the carrier reported, oldest first, also once the state was final; absent when it reported nothing",
      }),
    ),
    actions: Type.Optional(
      Type.Array(ActionRecord, {
        description:
          "What was done to it by hand, oldest first, the last 100; absent when nothing was",
      }),
    ),
    errorClass: Type.Optional(
      Type.String({ description: "Kind of the last attempt's failure" }),
    ),
    error: Type.Optional(
      Type.String({ description: "The last attempt's failure" }),
    ),
    externalId: Type.Optional(
      Type.String({
        description: "The provider's id of the last attempt's first part",
      }),
    ),
    parts: Type.Optional(
      Type.Array(Part, {
        description: "What providers gave ids, of all attempts, oldest first",
      }),
    ),
    receiptExpected: Type.Optional(
      Type.Boolean({
        description: "The provider will report on it, or is asked",
      }),
    ),
    pollAt: Type.Optional(
      instant(
        "When the provider is asked for a report, unless it comes before",
      ),
    ),
    provider: Type.Optional(
      Type.String({ description: "The SMS provider of the last attempt" }),
    ),
    segments: Type.Optional(
      Type.Integer({ description: "Parts of a long text message" }),
    ),
    acceptedAt: instant("When the message was on disk"),
    firstAttemptAt: Type.Optional(instant("When the first attempt began")),
    lastAttemptAt: Type.Optional(instant("When the last attempt began")),
    nextAttemptAt: Type.Optional(instant("When it goes on, if it does")),
    waitReason: Type.Optional(
      Type.Enum([...waitReasons], {
        description:
          "Why it waits, if nothing failed. paused: every SMS provider that it may go through is; it goes on once one is resumed, at `nextAttemptAt` it is only looked at. sms_batch, email_batch: the batch sender of that channel has not come to it; at `nextAttemptAt` its time is over",
      }),
    ),
    expiresAt: Type.Optional(
      instant("The end of the life that a resend gave it; else its message's"),
    ),
    finishedAt: Type.Optional(
      instant("When the last attempt ended, once no other follows"),
    ),
    latencyMs: Type.Optional(
      Type.Number({
        description:
          "From acceptance to the end of the attempt that succeeded, in milliseconds",
      }),
    ),
  },
  { title: "Delivery" },
);

const DeliveryList = Type.Object(
  {
    deliveries: Type.Array(DeliveryBody, {
      description: "In the order in which they were made",
    }),
    next: Type.Optional(
      Type.String({ description: "`after` of the next page, if there is one" }),
    ),
  },
  { title: "DeliveryList" },
);

const listQuery = Type.Object({
  state: Type.Optional(stateOf("Only those in this state")),
  limit: limitParameter,
  after: Type.Optional(
    Type.String({ description: "Id of a delivery: the page starts behind it" }),
  ),
});

export const deliveryParams = Type.Object({
  deliveryId: Type.String({ description: "Id of a delivery" }),
});

export function deliveryRoutes(
  app: HttpApp,
  { messages, protocols }: V2Ports,
): void {
  app.get(
    "/messages/:messageId/deliveries",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Lists a message's deliveries",
        tags: ["Deliveries"],
        params: messageParams,
        querystring: listQuery,
        response: { 200: DeliveryList, ...refusals },
      },
    },
    async (request) => {
      const { state, after } = request.query;
      const limit = readLimit(request.query.limit);
      const { message } = await getMessage(
        messages,
        projectOf(request),
        request.params.messageId,
      );
      const found = await messages.listDeliveries(message.seq, {
        limit: limit + 1,
        ...(after !== undefined && { after: targetOf(message, after) }),
        ...(state !== undefined && { state }),
      });
      const page = found
        .slice(0, limit)
        .map((delivery) => toDeliveryBody(message, delivery, protocols));
      const last = page.at(-1);
      return {
        deliveries: page,
        ...(last && found.length > limit && { next: last.id }),
      };
    },
  );

  app.get(
    "/deliveries/:deliveryId",
    {
      config: { operation: "messages.read" },
      schema: {
        summary: "Shows a delivery",
        tags: ["Deliveries"],
        params: deliveryParams,
        response: { 200: DeliveryBody, ...refusals },
      },
    },
    async (request) =>
      await getDelivery(
        messages,
        projectOf(request),
        request.params.deliveryId,
        protocols,
      ),
  );
}

/** @throws CarillonError DELIVERY_NOT_FOUND */
export async function getDelivery(
  messages: Pick<MessageReader, "findMessage" | "findDelivery">,
  projectId: ProjectId,
  deliveryId: string,
  protocols: Protocols,
): Promise<Static<typeof DeliveryBody>> {
  const id = parseDeliveryId(deliveryId);
  const report = id && (await messages.findMessage(projectId, id.message));
  const delivery =
    report && (await messages.findDelivery(report.message.seq, id.target));
  if (delivery) return toDeliveryBody(report.message, delivery, protocols);
  throw new CarillonError("DELIVERY_NOT_FOUND", "Delivery not found.");
}

/** @throws CarillonError PAGE_INVALID when it is no delivery of the message */
function targetOf(message: Message, after: string): number {
  const id = parseDeliveryId(after);
  if (id?.message === message.id) return id.target;
  throw new CarillonError(
    "PAGE_INVALID",
    "Invalid after: the id of a delivery of this message is expected.",
  );
}

export function toDeliveryBody(
  message: Message,
  delivery: Delivery,
  protocols: Protocols,
): Static<typeof DeliveryBody> {
  const numbers = attemptNumbers(delivery);
  const made = delivery.attempts.filter((_, n) => numbers[n] !== undefined);
  const first = made.at(0);
  const lastMade = made.at(-1);
  const last = delivery.attempts.at(-1);
  const end = last && addMs(last.at, last.durationMs);
  const { state, subscriptionUrn, externalId, provider, segments } = delivery;
  const succeeded = state === "delivered" || state === "sent";
  return {
    id: toDeliveryId(message.id, delivery.target),
    messageId: message.id,
    protocol: delivery.protocol,
    endpoint: protocols.maskSecrets(delivery.protocol, delivery.endpoint),
    ...(subscriptionUrn !== undefined && { subscriptionUrn }),
    state,
    attemptCount: delivery.attemptCount,
    attempts: delivery.attempts.map(({ at, ...attempt }, n) => {
      const number = numbers[n];
      return {
        ...(number !== undefined && { number }),
        at: toMillisecondsText(at),
        ...attempt,
      };
    }),
    ...(delivery.receipts && {
      receipts: delivery.receipts.map(({ at, entry, ...receipt }) => ({
        at: toMillisecondsText(at),
        provider: entry,
        ...receipt,
      })),
    }),
    ...(delivery.parts && {
      parts: delivery.parts.map(({ entry, ...part }) => ({
        provider: entry,
        ...part,
      })),
    }),
    ...(delivery.receiptExpected && { receiptExpected: true }),
    ...(delivery.pollAt !== undefined && {
      pollAt: toMillisecondsText(delivery.pollAt),
    }),
    ...(delivery.actions && {
      actions: delivery.actions.map(({ at, ...action }) => ({
        at: toMillisecondsText(at),
        ...action,
      })),
    }),
    ...(last?.errorClass !== undefined && { errorClass: last.errorClass }),
    ...(last?.error !== undefined && { error: last.error }),
    ...(externalId !== undefined && { externalId }),
    ...(provider !== undefined && { provider }),
    ...(segments !== undefined && { segments }),
    acceptedAt: toMillisecondsText(message.createdAt),
    ...(first && { firstAttemptAt: toMillisecondsText(first.at) }),
    ...(lastMade && { lastAttemptAt: toMillisecondsText(lastMade.at) }),
    ...(delivery.nextAttemptAt !== undefined && {
      nextAttemptAt: toMillisecondsText(delivery.nextAttemptAt),
    }),
    ...(delivery.waitReason && { waitReason: delivery.waitReason }),
    ...(delivery.expiresAt !== undefined && {
      expiresAt: toMillisecondsText(delivery.expiresAt),
    }),
    ...(end !== undefined &&
      isSettled(state) && { finishedAt: toMillisecondsText(end) }),
    ...(end !== undefined &&
      succeeded && { latencyMs: Math.max(0, end - message.createdAt) }),
  };
}

function milliseconds(description: string) {
  return Type.Optional(Type.Integer({ description }));
}
