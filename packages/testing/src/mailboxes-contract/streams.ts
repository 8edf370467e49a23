import assert from "node:assert/strict";
import { maxEventsOfStream } from "@carillon/core";
import type { MailboxCases } from "./cases.ts";
import { bodiesOf, keysOf, times } from "./world.ts";

export function testStreams({ test }: MailboxCases): void {
  test("hands out what is there and what comes, in order, by growing ids", async (world) => {
    const till = await world.subscribe("till");
    await world.publishEach("a", "b");
    const stream = await world.open(till);
    await world.publish("c");
    await world.settle();
    assert.deepEqual(stream.bodies, ["a", "b", "c"]);
    const [first = 0] = stream.eventIds;
    assert.deepEqual(stream.eventIds, [first, first + 1, first + 2]);
    const next = await world.open(till);
    await world.publishEach("d", "e");
    await world.settle();
    assert.ok(next.eventIds.every((id) => id > first + 2));
    assert.deepEqual(world.mailboxes.status(), { waiting: 0, streams: 2 });
  });

  test("after a cut hands over 2, 3 and 4, in order and none twice", async (world) => {
    const till = await world.subscribe("till");
    const cut = await world.open(till);
    await world.publish("1");
    await world.settle();
    const [lastEventId = 0] = cut.eventIds;
    // The connection is dead, and nobody here knows it.
    await world.publishEach("2", "3");
    await world.settle();
    assert.deepEqual(cut.bodies, ["1", "2", "3"]);
    const resumed = await world.open(till, { lastEventId });
    assert.equal(cut.ended, "resumed_elsewhere");
    await world.publish("4");
    await world.settle();
    assert.deepEqual(resumed.bodies, ["2", "3", "4"]);
    // What it had seen before the cut is still leased to it.
    const keys = [...keysOf(cut.messages.slice(0, 1)), ...resumed.keys];
    const { stale } = await world.mailboxes.ack(till, keys);
    assert.deepEqual(stale, []);
    await world.pass(61_000);
    assert.deepEqual(await world.poll(till), []);
    cut.stream?.close();
    assert.deepEqual(world.mailboxes.status(), { waiting: 0, streams: 1 });
  });

  test("resumes once more when it broke off again before anything came", async (world) => {
    const till = await world.subscribe("till");
    const first = await world.open(till);
    await world.publishEach("1", "2");
    await world.settle();
    const [lastEventId = 0] = first.eventIds;
    // One of them is known to be gone, the other is not.
    const second = await world.open(till, { lastEventId });
    second.stream?.close();
    await world.publish("3");
    await world.open(till, { lastEventId });
    const last = await world.open(till, { lastEventId });
    assert.deepEqual(last.bodies, ["2", "3"]);
    await world.mailboxes.ack(till, last.keys);
    assert.deepEqual(world.mailboxes.status(), { waiting: 0, streams: 1 });
  });

  test("resumes at the second attempt, when the store was away at the first", async (world) => {
    const till = await world.subscribe("till");
    const first = await world.open(till);
    await world.publishEach("1", "2");
    await world.settle();
    const [lastEventId = 0] = first.eventIds;
    world.failures.resumeStream = { error: new Error("It is away."), times: 1 };
    await assert.rejects(world.open(till, { lastEventId }));
    const resumed = await world.open(till, { lastEventId });
    assert.deepEqual(resumed.bodies, ["2"]);
  });

  test("resumes by its start what broke off before its first event", async (world) => {
    const till = await world.subscribe("till");
    await world.publishEach("1", "2");
    const first = await world.open(till);
    const resumed = await world.open(till, {
      lastEventId: first.startId,
    });
    assert.equal(first.ended, "resumed_elsewhere");
    assert.deepEqual(resumed.bodies, ["1", "2"]);
  });

  test("resumes in order what a closed stream had not handed out", async (world) => {
    const till = await world.subscribe("till");
    const cut = await world.open(till);
    await world.publish("1");
    await world.settle();
    cut.isFull = true;
    await world.publishEach("2", "3", "4");
    await world.settle();
    assert.deepEqual(cut.bodies, ["1", "2"]);
    cut.stream?.close();
    const [lastEventId = 0] = cut.eventIds;
    const resumed = await world.open(till, { lastEventId });
    assert.deepEqual(resumed.bodies, ["2", "3", "4"]);
    assert.equal(new Set(resumed.eventIds).size, 3);
  });

  test("resumes a stream in the midst of what is published", async (world) => {
    const till = await world.subscribe("till");
    const count = 60;
    const seen: string[] = [];
    let lastEventId: number | undefined;
    let stream = await world.open(till, { credit: 5 });
    for (let n = 0; n < count; n++) {
      await world.publish(`${n}`);
      if (n % 7 !== 0) continue;
      // The consumer has seen all but the last one, and has acked that.
      const got = stream.messages.slice(0, -1);
      seen.push(...bodiesOf(got));
      await world.mailboxes.ack(till, keysOf(got));
      lastEventId = stream.eventIds.at(got.length - 1) ?? lastEventId;
      if (got.length === 0) continue;
      stream = await world.open(till, {
        credit: 5,
        ...(lastEventId !== undefined && { lastEventId }),
      });
    }
    for (let from = 0; seen.length < count; ) {
      await world.settle();
      const got = stream.messages.slice(from);
      assert.ok(got.length > 0);
      from += got.length;
      seen.push(...bodiesOf(got));
      await world.mailboxes.ack(till, keysOf(got));
    }
    assert.deepEqual(
      seen,
      times(count, (n) => `${n}`),
    );
  });

  test("hands out no more than its credit, until it is acked", async (world) => {
    const till = await world.subscribe("till");
    const texts = times(9, (n) => `${n}`);
    await world.publishEach(...texts);
    const stream = await world.open(till, { credit: 2 });
    assert.deepEqual(stream.bodies, ["0", "1"]);
    await world.mailboxes.ack(till, keysOf(stream.messages.slice(0, 1)));
    await world.settle();
    assert.deepEqual(stream.bodies, ["0", "1", "2"]);
    stream.stream?.setCredit(4);
    await world.settle();
    assert.equal(stream.messages.length, 5);
    // The others are for anybody.
    assert.deepEqual(bodiesOf(await world.poll(till, 2)), ["5", "6"]);
    stream.stream?.setCredit(1);
    await world.mailboxes.nack(till, stream.keys.slice(1), 60_000);
    await world.settle();
    assert.equal(stream.messages.length, 6);
  });

  test("a lease that ends gives its credit back", async (world) => {
    const till = await world.subscribe("till");
    await world.publishEach("a", "b");
    const stream = await world.open(till, { credit: 1, leaseMs: 5000 });
    assert.deepEqual(stream.bodies, ["a"]);
    await world.mailboxes.extend(till, stream.keys, 20_000);
    await world.pass(19_900);
    assert.deepEqual(stream.bodies, ["a"]);
    await world.pass(200);
    // Oldest first, again.
    assert.deepEqual(stream.bodies, ["a", "a"]);
    await world.mailboxes.ack(till, stream.keys);
    await world.settle();
    assert.deepEqual(stream.bodies, ["a", "a", "b"]);
  });

  test("a dead line makes no dead letters", async (world) => {
    const till = await world.subscribe("till");
    const seq = await world.publish("a");
    const stream = await world.open(till);
    await world.pass(3_600_000);
    assert.equal(stream.ended, "renew");
    assert.ok(stream.messages.length <= 2);
    assert.deepEqual(await world.statesOf(seq), ["waiting"]);
  });

  test("a slow consumer keeps its stream as long as it settles anything", async (world) => {
    const till = await world.subscribe("till");
    await world.publishEach("a", "b", "c", "d");
    const stream = await world.open(till, { credit: 2 });
    await world.pass(40_000);
    await world.mailboxes.ack(till, stream.keys.slice(1, 2));
    await world.pass(30_000);
    assert.equal(stream.ended, undefined);
    assert.deepEqual(stream.bodies, ["a", "b", "c", "a"]);
  });

  test("holds only leases for who never reads, and cuts it off", async (world) => {
    const till = await world.subscribe("till");
    const stream = await world.open(till, { credit: 50 });
    stream.isFull = true;
    const texts = times(80, (n) => `${n}`);
    await world.publishEach(...texts);
    await world.settle();
    const read = world.calls.findMessageBySeq ?? 0;
    assert.ok(stream.messages.length === 1 && read <= 2);
    assert.ok((world.events.leased ?? 0) <= 50);
    await world.pass(46_000);
    assert.equal(stream.ended, "blocked");
    // What it never got is there for others, and not counted.
    const messages = await world.poll(till);
    assert.equal(messages.length, 79);
    assert.ok(messages.every(({ deliveryCount }) => deliveryCount === 1));
  });

  test("goes on when the output takes more", async (world) => {
    const till = await world.subscribe("till");
    const stream = await world.open(till);
    stream.isFull = true;
    await world.publishEach("a", "b");
    await world.settle();
    await world.pass(20_000);
    stream.isFull = false;
    stream.stream?.drained();
    await world.pass(30_000);
    assert.deepEqual(stream.bodies, ["a", "b"]);
    assert.equal(stream.ended, undefined);
  });

  test("shows that it lives, and asks for credentials again in time", async (world) => {
    const till = await world.subscribe("till");
    const stream = await world.open(till);
    await world.pass(46_000);
    assert.equal(stream.beats, 3);
    await world.pass(600_000);
    assert.equal(stream.ended, "renew");
    assert.deepEqual(world.mailboxes.status(), { waiting: 0, streams: 0 });
    assert.equal(world.clock.nextTimerInMs ?? 0, 0);
  });

  test("several streams share what comes", async (world) => {
    const till = await world.subscribe("till");
    const streams = [];
    for (let n = 0; n < 4; n++) {
      streams.push(await world.open(till, { credit: 1000 }));
    }
    for (let n = 0; n < 128; n++) await world.publish(`${n}`);
    await world.settle();
    const counts = streams.map(({ messages }) => messages.length);
    assert.equal(
      counts.reduce((sum, count) => sum + count),
      128,
    );
    assert.ok(
      counts.every((count) => count >= 16),
      `${counts}`,
    );
  });

  test("gives back at once what its consumer does not want any more", async (world) => {
    const till = await world.subscribe("till");
    await world.publishEach("a", "b");
    const first = await world.open(till, { credit: 1 });
    first.stream?.close({ giveBack: true });
    await world.settle();
    assert.deepEqual(bodiesOf(await world.poll(till)), ["a", "b"]);
    const second = await world.open(till);
    await world.publish("c");
    await world.settle();
    assert.deepEqual(second.bodies, ["c"]);
    second.stream?.close();
    await world.settle();
    assert.deepEqual(await world.poll(till), []);
  });

  test("ends when the service stops, or its mailbox is gone", async (world) => {
    const till = await world.subscribe("till");
    const other = await world.subscribe("other");
    const gone = await world.open(till);
    const stopped = await world.open(other);
    world.mailboxes.release(till);
    assert.equal(gone.ended, "mailbox_gone");
    world.mailboxes.drain();
    assert.equal(stopped.ended, "stopping");
    await assert.rejects(world.open(other), { code: "SHUTTING_DOWN" });
  });

  test("is asked for anew when its numbers are used up", async (world) => {
    const till = await world.subscribe("till");
    const openStream = world.store.openStream.bind(world.store);
    world.store.openStream = async (mailbox) =>
      (await openStream(mailbox)) + maxEventsOfStream - 110;
    const stream = await world.open(till, { credit: 1000 });
    world.store.openStream = openStream;
    const texts = times(30, (n) => `${n}`);
    await world.publishEach(...texts);
    await world.settle();
    assert.equal(stream.ended, "renew");
    const got = stream.messages.length;
    assert.ok(got >= 10);
    const lastEventId = stream.eventIds.at(-1) ?? 0;
    const next = await world.open(till, { lastEventId, credit: 1000 });
    assert.equal(next.messages.length, 30 - got);
  });
}
