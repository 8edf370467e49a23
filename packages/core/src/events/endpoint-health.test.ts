import assert from "node:assert/strict";
import { test } from "node:test";
import { type FailurePlan, failing, MemoryStore } from "@carillon/testing";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { MessageContent } from "../messages/message.ts";
import type { WrittenDelivery } from "../ports/delivery-listener.ts";
import { silentLogger } from "../ports/logger.ts";
import type { Store } from "../ports/store.ts";
import type { StoreChange } from "../ports/store-changes.ts";
import { toEpochMs } from "../time.ts";
import { EndpointHealth } from "./endpoint-health.ts";

test("tells after five failures in a row, and of the recovery", async () => {
  const { health, settled, told } = await setUp();
  health.onWritten(Array.from({ length: 4 }, () => written("retrying")));
  health.onWritten([written("delivered"), written("delivered")]);
  health.onWritten(Array.from({ length: 4 }, () => written("rejected")));
  assert.deepEqual(await told(), []);
  health.onWritten([written("failed"), written("failed")]);
  await settled();
  assert.deepEqual(await told(), ["endpoint.failing https://a 5"]);
  health.onWritten([written("delivered"), written("delivered")]);
  await settled();
  assert.deepEqual((await told()).slice(1), ["endpoint.recovered https://a 6"]);
});

test("tells once what several nodes notice, whichever sees it recover", async () => {
  const { health, store, settled, told } = await setUp();
  const other = await setUp({ store });
  const five = Array.from({ length: 5 }, () => written("retrying"));
  health.onWritten(five);
  other.health.onWritten(five);
  await settled();
  await other.settled();
  assert.deepEqual(await told(), ["endpoint.failing https://a 5"]);
  const third = await setUp({ store });
  third.health.onWritten([written("delivered")]);
  await third.settled();
  const both = [
    "endpoint.failing https://a 5",
    "endpoint.recovered https://a 5",
  ];
  assert.deepEqual(await told(), both);
  // The others know it, and count anew.
  await settled();
  health.onWritten([written("delivered"), ...five.slice(1)]);
  other.health.onWritten(five.slice(1));
  await settled();
  await other.settled();
  assert.deepEqual(await told(), both);
});

test("knows after a restart what fails", async () => {
  const { health, store, settled, told } = await setUp();
  health.onWritten(Array.from({ length: 5 }, () => written("retrying")));
  await settled();
  await health[Symbol.asyncDispose]();
  const restarted = await setUp({ store });
  restarted.health.onWritten(
    Array.from({ length: 5 }, () => written("retrying")),
  );
  await restarted.settled();
  assert.deepEqual(await told(), ["endpoint.failing https://a 5"]);
  restarted.health.onWritten([written("delivered")]);
  await restarted.settled();
  assert.equal((await told()).length, 2);
});

test("reads all anew when notices may have been lost", async () => {
  const notices = new Set<(change: StoreChange) => void>();
  const { store } = await setUp();
  // As a node that heard nothing for a while.
  const deaf: typeof store = Object.create(store);
  deaf.changes = (listener) => {
    notices.add(listener);
    return () => notices.delete(listener);
  };
  const { health, settled, told } = await setUp({ store: deaf });
  const other = await setUp({ store });
  other.health.onWritten(Array.from({ length: 5 }, () => written("retrying")));
  await other.settled();
  health.onWritten([written("delivered")]);
  await settled();
  assert.equal((await told()).length, 1);
  for (const listener of notices) listener({ kind: "all" });
  await settled();
  health.onWritten([written("delivered")]);
  await settled();
  assert.equal((await told()).length, 2);
  await health[Symbol.asyncDispose]();
  assert.equal(notices.size, 0);
});

test("tells later what could not be written, and goes on meanwhile", async () => {
  const plan: FailurePlan = {};
  const store = failing(new MemoryStore(), plan);
  const { health, settled, told } = await setUp({ store });
  const five = Array.from({ length: 5 }, () => written("retrying"));
  plan.addFailingEndpoint = { error: new Error("no room") };
  health.onWritten(five);
  await settled();
  assert.deepEqual(await told(), []);
  delete plan.addFailingEndpoint;
  health.onWritten(five);
  await settled();
  assert.deepEqual(await told(), ["endpoint.failing https://a 5"]);
  plan.removeFailingEndpoint = { error: new Error("no room") };
  health.onWritten([written("delivered")]);
  await settled();
  assert.equal((await told()).length, 1);
  delete plan.removeFailingEndpoint;
  health.onWritten([written("delivered")]);
  await settled();
  assert.equal((await told()).length, 2);
});

test("asks the store nothing while all is well", async () => {
  let calls = 0;
  const counted = {
    error: new Error("counted"),
    only: () => {
      calls++;
      return false;
    },
  };
  const plan: FailurePlan = {
    addFailingEndpoint: counted,
    removeFailingEndpoint: counted,
    findFailingEndpoint: counted,
    listFailingEndpoints: counted,
  };
  const store = failing(new MemoryStore(), plan);
  const { health, settled } = await setUp({ store });
  assert.equal(calls, 1);
  health.onWritten(Array.from({ length: 100 }, () => written("delivered")));
  health.onWritten([written("retrying"), written("delivered")]);
  await settled();
  assert.equal(calls, 1);
});

test("counts each endpoint for itself, and attempts alone", async () => {
  const { health, settled, told } = await setUp();
  for (let n = 0; n < 4; n++) {
    health.onWritten([written("retrying"), written("retrying", "https://b")]);
  }
  health.onWritten([
    written("filtered", "https://a", { attempts: 0 }),
    written("retrying", "https://a", { errorClass: "interrupted" }),
    written("retrying", "https://b"),
  ]);
  await settled();
  assert.deepEqual(await told(), ["endpoint.failing https://b 5"]);
});

test("tells nothing of events themselves, nor of what a carrier is paid for", async () => {
  const { health, settled, told } = await setUp();
  const content = { kind: "event", text: "{}" } as const;
  for (let n = 0; n < 9; n++) {
    health.onWritten([
      written("retrying", "https://a", { content }),
      written("failed", "+4915112345678", { protocol: "sms" }),
      written("failed", "+4915112345678", { protocol: "fax" }),
    ]);
  }
  await settled();
  assert.deepEqual(await told(), []);
});

test("remembers a bounded number of endpoints, the latest to fail", async () => {
  const { health, settled, told } = await setUp({ maxEntries: 10 });
  for (let n = 0; n < 5; n++) {
    for (let k = 0; k < 30; k++) {
      health.onWritten([written("retrying", `https://${k}`)]);
    }
  }
  await settled();
  assert.deepEqual(await told(), []);
});

interface Details {
  readonly attempts?: number;
  readonly errorClass?: "interrupted" | "timeout";
  readonly content?: MessageContent;
  readonly protocol?: "https" | "sms" | "fax";
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
  const message = { projectId: "1".repeat(32), content };
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

async function setUp({
  store = new MemoryStore(),
  maxEntries,
}: {
  store?: Store;
  maxEntries?: number;
} = {}) {
  const clock = { now: () => toEpochMs(0) };
  const ports = {
    store,
    clock,
    logger: silentLogger,
    kindOf: (protocol: string) =>
      protocol === "https" ? ("push" as const) : ("billable" as const),
  };
  const health = new EndpointHealth(ports, maxEntries);
  await health.start();
  return {
    health,
    store,
    /** What was noticed is written by then, and what others wrote read. */
    async settled() {
      for (let turn = 0; turn < 5; turn++) {
        await new Promise((resolve) => setImmediate(resolve));
      }
    },
    /** All that the change feed has of endpoints. */
    async told() {
      const page = await store.readChanges("0", 100);
      assert.ok(page.kind === "batches");
      return page.batches.flatMap(({ changes }) =>
        changes.map((it) =>
          it.kind === "occurrence"
            ? `${it.type} ${it.about.endpoint} ${it.about.failures}`
            : it.kind,
        ),
      );
    },
  };
}
