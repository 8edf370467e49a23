/** Messages and recipients that the channels' tests share; no tests here. */

import assert from "node:assert/strict";
import {
  type AttemptTimings,
  type ConfirmationGrant,
  type Message,
  type MessageId,
  type ProjectId,
  type Recipient,
  type SubscriptionId,
  toEpochMs,
} from "@carillon/core";
import type { LinksOptions } from "./links.ts";

export const topicUrn = "urn:smn:eu-de:0123456789abcdef0123456789abcdef:alerts";
export const subscriptionId =
  "fedcba9876543210fedcba9876543210" as SubscriptionId;

export const grant: ConfirmationGrant = {
  subscriptionId,
  generation: 1,
  expiresAt: toEpochMs(Date.UTC(2026, 0, 17)),
};

/** Stand for the server's own. */
export const tokens: LinksOptions["tokens"] = {
  confirmationToken: ({ generation }) => `00f${generation}`,
  confirmationCode: ({ generation }) => `00471${generation}`,
  unsubscribeToken: ({ subscriptionId: id, generation }) =>
    `left-${generation}-${id}`,
};

/** A message of 2026-01-15T08:30:07.999Z to the topic's subscribers. */
export function message(change: Partial<Message> = {}): Message {
  return {
    seq: 1,
    id: "1".repeat(32) as MessageId,
    projectId: "0123456789abcdef0123456789abcdef" as ProjectId,
    audience: "topic",
    topic: {
      seq: 1,
      urn: topicUrn,
      name: "alerts",
      displayName: "",
      introduction: "",
    },
    content: text("Volume data-1 is 93 % full."),
    createdAt: toEpochMs(Date.UTC(2026, 0, 15, 8, 30, 7, 999)),
    expiresAt: toEpochMs(Date.UTC(2100, 0, 1)),
    ...change,
  };
}

/** The message with a topic that is a little different. */
export function withTopic(
  change: Partial<NonNullable<Message["topic"]>>,
  content?: Message["content"],
): Message {
  const { topic, ...rest } = message();
  return {
    ...rest,
    ...(topic && { topic: { ...topic, ...change } }),
    ...(content && { content }),
  };
}

export function text(body: string): Message["content"] {
  return { kind: "text", text: body };
}

export function recipient(
  protocol: Recipient["protocol"],
  endpoint: string,
  extension?: Recipient["extension"],
): Recipient {
  return {
    target: 7,
    protocol,
    endpoint,
    subscriptionId,
    generation: 1,
    ...(extension && { extension }),
  };
}

/** The result without the times that it took. */
export function untimed<Result extends AttemptTimings>(
  result: Result,
): Omit<Result, keyof AttemptTimings> {
  const { dnsMs, connectMs, tlsMs, firstByteMs, ...rest } = result;
  for (const ms of [dnsMs, connectMs, tlsMs, firstByteMs]) {
    assert.ok(
      ms === undefined || (Number.isInteger(ms) && ms >= 0),
      `${ms} ms`,
    );
  }
  return rest;
}
