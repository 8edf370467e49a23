import assert from "node:assert/strict";
import { test } from "node:test";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { MessageContent } from "../messages/message.ts";
import type { Occurrence } from "../ports/change-feed.ts";
import type { WrittenDelivery } from "../ports/delivery-listener.ts";
import { silentLogger } from "../ports/logger.ts";
import { toEpochMs } from "../time.ts";
import { EndpointHealth } from "./endpoint-health.ts";

test("tells after five failures in a row, and of the recovery", () => {
  const { health, told } = setUp();
  health.onWritten(Array.from({ length: 4 }, () => written("retrying")));
  health.onWritten([written("delivered"), written("delivered")]);
  health.onWritten(Array.from({ length: 4 }, () => written("rejected")));
  assert.deepEqual(told, []);
  health.onWritten([written("failed"), written("failed")]);
  assert.deepEqual(told, ["endpoint.failing https://a 5"]);
  health.onWritten([written("delivered"), written("delivered")]);
  assert.deepEqual(told.slice(1), ["endpoint.recovered https://a 6"]);
});

test("counts each endpoint for itself, and attempts alone", () => {
  const { health, told } = setUp();
  for (let n = 0; n < 4; n++) {
    health.onWritten([written("retrying"), written("retrying", "https://b")]);
  }
  health.onWritten([
    written("filtered", "https://a", { attempts: 0 }),
    written("retrying", "https://a", { errorClass: "interrupted" }),
    written("retrying", "https://b"),
  ]);
  assert.deepEqual(told, ["endpoint.failing https://b 5"]);
});

test("tells nothing of events themselves, nor of texts", () => {
  const { health, told } = setUp();
  const content = { kind: "event", text: "{}" } as const;
  for (let n = 0; n < 9; n++) {
    health.onWritten([
      written("retrying", "https://a", { content }),
      written("failed", "+4915112345678", { protocol: "sms" }),
    ]);
  }
  assert.deepEqual(told, []);
});

test("remembers a bounded number of endpoints, the latest to fail", () => {
  const { health, told } = setUp(10);
  for (let n = 0; n < 5; n++) {
    for (let k = 0; k < 30; k++) {
      health.onWritten([written("retrying", `https://${k}`)]);
    }
  }
  assert.deepEqual(told, []);
});

interface Details {
  readonly attempts?: number;
  readonly errorClass?: "interrupted" | "timeout";
  readonly content?: MessageContent;
  readonly protocol?: "https" | "sms";
}

function written(
  state: DeliveryState,
  endpoint = "https://a",
  {
    attempts = 1,
    errorClass = "timeout",
    content = { kind: "text", text: "x" },
    protocol = "https",
  }: Details = {},
): WrittenDelivery {
  const at = toEpochMs(0);
  const message = { projectId: "p", content };
  return {
    item: {
      // What else a message has does not matter here.
      message: message as WrittenDelivery["item"]["message"],
      recipient: { target: 1, protocol, endpoint },
    },
    outcome: {
      messageSeq: 1,
      target: 1,
      state,
      attempts,
      lastAttempt: {
        at,
        durationMs: 1,
        ...(state !== "delivered" && { errorClass }),
      },
    },
  };
}

function setUp(maxEntries?: number) {
  const told: string[] = [];
  const store = {
    addOccurrence: async ({ type, about }: Occurrence) => {
      told.push(`${type} ${about.endpoint} ${about.failures}`);
    },
  };
  const clock = { now: () => toEpochMs(0) };
  const ports = { store, clock, logger: silentLogger };
  return { health: new EndpointHealth(ports, maxEntries), told };
}
