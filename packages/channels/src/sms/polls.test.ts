import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger } from "@carillon/core";
import {
  AuthError,
  CreditError,
  Gateway,
  LimitsError,
  MessageDelivered,
  MessageError,
  MessageStatus,
  type OutgoingMessage,
  Provider,
  ProviderConnectionError,
  RequestError,
} from "@carillon/gateway";
import { RecordingLogger } from "@carillon/testing";
import { createSmsPolls } from "./polls.ts";

class PolledProvider extends Provider {
  override get polling() {
    return { firstAfterMs: 30_000, batchSize: 7 };
  }
  readonly #answer: () => readonly MessageStatus[];

  constructor(answer: () => readonly MessageStatus[]) {
    super();
    this.#answer = answer;
  }

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    return message;
  }

  override async fetchStatuses(): Promise<readonly MessageStatus[]> {
    return this.#answer();
  }
}

function open(answer: () => readonly MessageStatus[]) {
  const gateway = new Gateway();
  gateway.addProvider("acme", new PolledProvider(answer));
  const logger = new RecordingLogger();
  const polls = createSmsPolls(gateway, logger);
  const { signal } = new AbortController();
  return { logger, polls, ask: () => polls.ask("acme", ["1", "2"], signal) };
}

test("takes what carriers say for what they would push", async () => {
  const { logger, polls, ask } = open(() => [
    new MessageDelivered("1", { statusCode: 23, status: "Delivered" }),
    new MessageError("2", { statusCode: { any: "thing" }, status: "a\r\nb" }),
    new MessageStatus("3", { status: "a new word" }),
  ]);
  assert.deepEqual(await ask(), {
    outcome: "answered",
    receipts: [
      { externalId: "1", event: "deliver", code: "23", text: "Delivered" },
      { externalId: "2", event: "reject", text: "a b" },
    ],
  });
  assert.deepEqual(logger.lines, [
    {
      event: "sms_status_unknown",
      fields: { provider: "acme", externalId: "3", text: "a new word" },
    },
  ]);
  assert.equal(polls.batchSizeOf("acme"), 7);
  assert.equal(polls.batchSizeOf("nobody"), undefined);
});

for (const [error, expected] of [
  [
    new LimitsError("slow", { retryAfterMs: 7 }),
    { outcome: "deferred", error: "slow", retryAfterMs: 7 },
  ],
  [
    new ProviderConnectionError("reset"),
    { outcome: "deferred", error: "reset" },
  ],
  [new AuthError("who?"), { outcome: "credentials", error: "who?" }],
  [
    new CreditError("no\r\nmoney", { retryable: true }),
    { outcome: "deferred", error: "no money" },
  ],
  [new RequestError("no such id"), { outcome: "refused", error: "no such id" }],
  [new Error("oops"), { outcome: "deferred", error: "oops" }],
] as const) {
  test(`${error.name} "${error.message}" is ${expected.outcome}`, async () => {
    const { ask } = open(() => {
      throw error;
    });
    assert.deepEqual(await ask(), expected);
  });
}

test("a provider that is gone is asked later", async () => {
  const polls = createSmsPolls(new Gateway(), silentLogger);
  const { signal } = new AbortController();
  const answer = await polls.ask("acme", ["1"], signal);
  assert.equal(answer.outcome, "deferred");
});
