import assert from "node:assert/strict";
import { test } from "node:test";
import type { EventType, ProjectId } from "@carillon/core";
import { ManualClock } from "@carillon/testing";
import {
  type EventFilter,
  EventListener,
  eventsPerSecond,
  type ListenerPosition,
  maxBlockedMs,
  maxStreamMs,
  parseEventId,
} from "./event-listener.ts";
import type { ToldBatch } from "./told-batch.ts";

const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;

test("begins with its position, which a client goes on from", () => {
  const { written } = setUp({}, { position: "7", offset: 3 });
  assert.equal(written[0], "retry: 1000\nid: 7.3\n\n");
});

test("tells 50 events one by one and counts the rest exactly", async () => {
  const { listener, names, clock, written } = setUp();
  await listener.take(batchOf("7", "8", 120));
  await listener.take(batchOf("8", "9", 5, "delivery.failed"));
  assert.equal(names().length, eventsPerSecond);
  clock.advance(1000);
  assert.deepEqual(names().slice(eventsPerSecond), ["summary"]);
  assert.match(
    written.at(-1) ?? "",
    /id: 9\n.*"counts":\{"delivery.delivered":70,"delivery.failed":5\}/,
  );
  await listener.take(batchOf("9", "10", 2));
  assert.equal(names().length, eventsPerSecond + 3);
});

test("says with each id how far the batch was told, and goes on there", async () => {
  const { listener, ids } = setUp();
  await listener.take(batchOf("7", "8", 3));
  assert.deepEqual(ids(), ["7.1", "7.2", "7.3"]);
  const again = setUp({}, parseEventId("7.2"));
  await again.listener.take(batchOf("7", "8", 3));
  assert.deepEqual(again.ids(), ["7.3"]);
});

test("filters by project, type, topic, message and protocol", async () => {
  const other = "fedcba9876543210fedcba9876543210" as ProjectId;
  for (const [filter, count] of [
    [{}, 4],
    [{ projectId: other }, 0],
    [{ types: new Set<EventType>(["delivery.failed"]) }, 0],
    [{ topicUrn: "urn:t" }, 4],
    [{ topicUrn: "urn:u" }, 0],
    [{ messageId: "m" }, 4],
    [{ messageId: "n" }, 0],
    [{ protocol: "https" }, 2],
    [{ protocol: "sms" }, 0],
  ] as const) {
    const { listener, names } = setUp(filter);
    await listener.take(batchOf("7", "8", 4));
    assert.equal(names().length, count, JSON.stringify(filter));
  }
});

test("tells of a message to several topics what belongs to the one wanted", async () => {
  for (const [topicUrn, count] of [
    ["urn:a", 200],
    ["urn:b", 100],
    ["urn:c", 0],
    ["urn:d", 0],
  ] as const) {
    const { listener, clock, written } = setUp({ topicUrn });
    await listener.take(ofSeveral(batchOf("7", "8", 300)));
    clock.advance(1000);
    const told = written.filter((it) => it.includes("event: delivery")).length;
    const [, rest = 0] =
      /"delivery.delivered":(\d+)/.exec(written.at(-1) ?? "") ?? [];
    assert.equal(told + Number(rest), count, topicUrn);
  }
});

test("counts with a filter by protocol, too", async () => {
  const { listener, clock, written } = setUp({ protocol: "https" });
  await listener.take(batchOf("7", "8", 300));
  clock.advance(1000);
  const told = written.filter((it) => it.includes("event: delivery")).length;
  const [, rest] =
    /"delivery.delivered":(\d+)/.exec(written.at(-1) ?? "") ?? [];
  assert.equal(told + Number(rest), 150);
});

test("disconnects a client that never reads, in bounded memory", async () => {
  const { listener, clock, output, written, ended } = setUp(
    {},
    { position: "0", offset: 0 },
  );
  output.takes = false;
  for (let n = 0; n < 1000; n++) {
    await listener.take(batchOf(`${n}`, `${n + 1}`, 500));
    clock.advance(10);
  }
  // One that was not taken any more, and then none.
  assert.equal(written.length, 2);
  clock.advance(maxBlockedMs);
  assert.deepEqual(ended, ["cut"]);
  assert.equal(listener.isClosed, true);
});

test("tells a client that reads again what it missed, as counts", async () => {
  const { listener, clock, output, names, written } = setUp(
    {},
    { position: "1", offset: 0 },
  );
  output.takes = false;
  await listener.take(batchOf("1", "2", 1));
  await listener.take(batchOf("2", "3", 10));
  output.takes = true;
  output.drain();
  clock.advance(1000);
  assert.deepEqual(names(), ["delivery.delivered", "summary"]);
  assert.match(written.at(-1) ?? "", /"delivery.delivered":10/);
});

test("says something every 15 s, with its position", async () => {
  const { listener, clock, written } = setUp({ protocol: "sms" });
  await listener.take(batchOf("7", "8", 1));
  clock.advance(15_000);
  assert.equal(written.at(-1), ":\nid: 8\n\n");
});

test("ends after a while, so that credentials are looked at again", () => {
  const { clock, names, ended } = setUp();
  clock.advance(maxStreamMs);
  assert.deepEqual(names(), ["end"]);
  assert.deepEqual(ended, ["end"]);
});

test("tells of a gap, and goes on behind it", async () => {
  const { listener, names, ids } = setUp({}, { position: "7", offset: 2 });
  listener.gap("90");
  await listener.take(batchOf("90", "91", 1));
  assert.deepEqual(names(), ["gap", "delivery.delivered"]);
  assert.deepEqual(ids(), ["90", "90.1"]);
});

test("reads ids of its own only", () => {
  assert.deepEqual(parseEventId("7"), { position: "7", offset: 0 });
  assert.deepEqual(parseEventId("7.12"), { position: "7", offset: 12 });
  assert.deepEqual(parseEventId("0"), { position: "0", offset: 0 });
  for (const text of ["", "7.", "a b", ".3", "7.1234567890"]) {
    assert.equal(parseEventId(text), undefined);
  }
  // Positions are compared as texts.
  for (const text of ["07", "00", "7.0", "7.01", "07.1"]) {
    assert.equal(parseEventId(text), undefined, text);
  }
});

test("takes a batch once, and only behind its position", async () => {
  const { listener, ids } = setUp();
  await listener.take(batchOf("7", "8", 2));
  await listener.take(batchOf("7", "8", 2));
  await listener.take(batchOf("9", "10", 2));
  assert.deepEqual(ids(), ["7.1", "7.2"]);
  assert.deepEqual(listener.at, { position: "8", offset: 0 });
});

test("goes on behind the last event that was told, after a failure", async () => {
  const { listener, ids } = setUp();
  const batch = batchOf("7", "8", 2);
  const [change] = batch.changes;
  assert.ok(change?.told);
  const broken = {
    ...change.told,
    texts: () => Promise.reject(new Error("no room")),
  };
  const failing = { ...batch, changes: [change, { count: 2, told: broken }] };
  await assert.rejects(listener.take(failing), { message: "no room" });
  assert.deepEqual(listener.at, { position: "7", offset: 2 });
  await listener.take({ ...batch, changes: [change, change] });
  assert.deepEqual(ids(), ["7.1", "7.2", "7.3", "7.4"]);
});

test("tells of a batch that cannot be read that it cannot", async () => {
  const { listener, names, ids } = setUp();
  const batch = { ...batchOf("7", "8", 0), changes: [], isUnreadable: true };
  await listener.take(batch);
  await listener.take(batchOf("8", "9", 1));
  assert.deepEqual(names(), ["gap", "delivery.delivered"]);
  assert.deepEqual(ids(), ["8", "8.1"]);
});

function setUp(
  filter: Partial<EventFilter> = {},
  at: ListenerPosition = { position: "7", offset: 0 },
) {
  const clock = new ManualClock();
  const written: string[] = [];
  const ended: string[] = [];
  const listeners = new Map<string, () => void>();
  const output = {
    takes: true,
    write(text: string) {
      written.push(text);
      return output.takes;
    },
    end: () => ended.push("end"),
    on: (event: string, run: () => void) => listeners.set(event, run),
    drain: () => listeners.get("drain")?.(),
  };
  const listener = new EventListener({ projectId, ...filter }, at, {
    clock,
    output,
    cut: () => ended.push("cut"),
    onClosed: () => {},
    onDropped: () => {},
  });
  const fields = (pattern: RegExp) =>
    written.flatMap((it) => {
      const [, value] = pattern.exec(it) ?? [];
      return value === undefined || it.startsWith("retry") ? [] : [value];
    });
  return {
    clock,
    listener,
    output,
    written,
    ended,
    names: () => fields(/^event: (.*)$/m),
    ids: () => fields(/^id: (.*)$/m),
  };
}

/** The same of a message to three topics; two of three deliveries are of one. */
function ofSeveral(batch: ToldBatch): ToldBatch {
  const topicUrns = ["urn:a", "urn:b", "urn:c"];
  return {
    ...batch,
    changes: batch.changes.map(({ count, told }) => ({
      count,
      told: told && {
        ...told,
        topicUrn: undefined,
        several: {
          topicUrns,
          ofEvents: async () =>
            Array.from({ length: count }, (_, n) =>
              n % 3 === 2 ? "urn:b" : "urn:a",
            ),
        },
      },
    })),
  };
}

/** Deliveries over http and https in turn. */
function batchOf(
  before: string,
  position: string,
  count: number,
  type: EventType = "delivery.delivered",
): ToldBatch {
  const texts = Array.from({ length: count }, (_, n) => `{"n":${n}}`);
  return {
    isUnreadable: false,
    before,
    position,
    at: "2026-01-01T00:00:00.000Z",
    changes: [
      {
        count,
        told: {
          projectId,
          type,
          count,
          messageId: "m",
          topicUrn: "urn:t",
          protocols: async () =>
            texts.map((_, n) => (n % 2 === 0 ? "http" : "https")),
          texts: async (from, to) => texts.slice(from, to),
        },
      },
    ],
  };
}
