import assert from "node:assert/strict";
import { test } from "node:test";
import { httpProtocol, httpsProtocol } from "@carillon/channels";
import type { LogFields, Logger, WrittenDelivery } from "@carillon/core";
import {
  addMs,
  createProtocols,
  type MessageId,
  type ProjectId,
  type SubscriptionId,
  silentLogger,
} from "@carillon/core";
import { ManualClock } from "@carillon/testing";
import { AttemptLog } from "./attempt-log.ts";

function setUp() {
  const clock = new ManualClock();
  const lines: { level: string; fields: LogFields }[] = [];
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}) => {
      assert.equal(event, "attempt_failed");
      lines.push({ level, fields });
    };
  const logger: Logger = {
    ...silentLogger,
    info: at("info"),
    warn: at("warn"),
  };
  const log = new AttemptLog({
    logger,
    clock,
    protocols: createProtocols([httpProtocol, httpsProtocol]),
  });
  const failed = (
    target: number,
    endpoint: string,
    outcome: Partial<WrittenDelivery["outcome"]> = {},
  ): WrittenDelivery => ({
    item: {
      message: {
        id: "0".repeat(32) as MessageId,
        seq: 1,
        projectId: "1".repeat(32) as ProjectId,
        audience: "topic",
        topic: { seq: 1, urn: "urn:smn:local:p:t", name: "t" },
        text: "the text",
        createdAt: clock.now(),
      } as unknown as WrittenDelivery["item"]["message"],
      recipient: {
        target,
        protocol: "https",
        endpoint,
        subscriptionId: "2".repeat(32) as SubscriptionId,
      },
    },
    outcome: {
      messageSeq: 1,
      target,
      state: "retrying",
      attempts: 2,
      nextAttemptAt: addMs(clock.now(), 5000),
      lastAttempt: {
        at: clock.now(),
        durationMs: 7,
        statusCode: 503,
        errorClass: "http_status",
        error: "503: said s3cret",
      },
      ...outcome,
    },
  });
  return { clock, lines, log, failed };
}

test("says which delivery failed how, and when it goes on, without secrets", () => {
  const { lines, log, failed } = setUp();
  log.onWritten([failed(3, "https://example.com/hook?key=s3cret")]);
  assert.deepEqual(lines, [
    {
      level: "info",
      fields: {
        messageId: "0".repeat(32),
        deliveryId: `${"0".repeat(32)}-3`,
        subscriptionUrn: `urn:smn:local:p:t:${"2".repeat(32)}`,
        protocol: "https",
        endpoint: "https://example.com/***",
        state: "retrying",
        attempt: 2,
        errorClass: "http_status",
        status: 503,
        provider: undefined,
        durationMs: 7,
        nextAttemptAt: "2026-01-01T00:00:05.000Z",
      },
    },
  ]);
});

test("warns of the last attempt, and leaves out what succeeded or was none", () => {
  const { clock, lines, log, failed } = setUp();
  const { nextAttemptAt: _, ...last } = failed(1, "https://a/").outcome;
  const { item } = failed(1, "https://a/");
  const success = { at: clock.now(), durationMs: 1 };
  log.onWritten([
    { item, outcome: { ...last, state: "failed" } },
    { item, outcome: { ...last, state: "delivered", lastAttempt: success } },
    {
      item,
      outcome: {
        ...last,
        state: "filtered",
        lastAttempt: { ...success, errorClass: "filtered", error: "e" },
      },
    },
  ]);
  assert.deepEqual(
    lines.map(({ level, fields }) => [level, fields.state]),
    [["warn", "failed"]],
  );
});

test("a dead endpoint with 100,000 deliveries fills four lines in ten seconds", () => {
  const { clock, lines, log, failed } = setUp();
  for (let n = 0; n < 100_000; n += 500) {
    const batch = Array.from({ length: 500 }, (_, at) =>
      failed(n + at, "https://dead.example.com/"),
    );
    log.onWritten(batch);
  }
  log.onWritten([failed(1, "https://other.example.com/")]);
  clock.advance(10_000);
  assert.deepEqual(
    lines.map(({ fields }) => [fields.endpoint, fields.omitted]),
    [
      ["https://dead.example.com/***", undefined],
      ["https://dead.example.com/***", undefined],
      ["https://dead.example.com/***", undefined],
      ["https://other.example.com/***", undefined],
      ["https://dead.example.com/***", 99_996],
    ],
  );
});
