import assert from "node:assert/strict";
import type { PulledMessage } from "@carillon/core";
import type { MailboxCases } from "./cases.ts";
import { bodiesOf, keysOf, times } from "./world.ts";

export function testReceiving({ test }: MailboxCases): void {
  test("answers the oldest first, and hides from others what it leased", async (world) => {
    const till = await world.subscribe("till");
    const seqs = [];
    for (const text of ["a", "b", "c"]) seqs.push(await world.publish(text));
    const [first, second] = await world.poll(till, 2);
    assert.equal(first?.body, "a");
    assert.equal(second?.body, "b");
    assert.equal(first?.deliveryCount, 1);
    assert.equal(first?.messageSeq, seqs[0]);
    assert.equal(first?.leaseUntil, world.clock.now() + 60_000);
    assert.deepEqual(first?.categories, [world.topic.name]);
    assert.match(first?.topicUrn ?? "", new RegExp(`:${world.topic.name}$`));
    assert.deepEqual(bodiesOf(await world.poll(till, 2)), ["c"]);
    assert.deepEqual(await world.poll(till), []);
    assert.equal(world.events.leased, 3);
  });

  test("waits for a message, and answers once it is there", async (world) => {
    const till = await world.subscribe("till");
    const { mailboxes } = world;
    const waiting = mailboxes.receive(till, { max: 10, waitMs: 60_000 });
    await world.pass(30_000);
    assert.deepEqual(mailboxes.status(), { waiting: 1, streams: 0 });
    await world.publish("a");
    assert.deepEqual(bodiesOf(await waiting), ["a"]);
    assert.deepEqual(mailboxes.status(), { waiting: 0, streams: 0 });
  });

  test("answers with nothing when the time is over", async (world) => {
    const till = await world.subscribe("till");
    const waiting = world.mailboxes.receive(till, { max: 10, waitMs: 1000 });
    await world.pass(1000);
    assert.deepEqual(await waiting, []);
    await world.publish("a");
    assert.equal((await world.poll(till)).length, 1);
  });

  test("polls that find nothing write nothing, however many", async (world) => {
    const till = await world.subscribe("till");
    for (let n = 0; n < 500; n++) {
      const messages = await world.mailboxes.receive(till, { max: 10 });
      assert.deepEqual(messages, []);
    }
    const waiting = world.mailboxes.receive(till, { max: 1, waitMs: 60_000 });
    await world.pass(60_000);
    assert.deepEqual(await waiting, []);
    assert.equal(world.calls.leaseMessages, undefined);
  });

  test("polls of a mailbox that is known to have more do not look first", async (world) => {
    const till = await world.subscribe("till");
    for (const text of ["a", "b", "c"]) await world.publish(text);
    for (const text of ["a", "b", "c"]) {
      assert.deepEqual(bodiesOf(await world.poll(till, 1)), [text]);
    }
    assert.equal(world.calls.mayHaveMessages, 1);
    // It was full; whether there was more is found out once.
    for (let n = 0; n < 10; n++) {
      assert.deepEqual(await world.poll(till, 1), []);
    }
    assert.equal(world.calls.leaseMessages, 4);
  });

  test("serves first who waits longest", async (world) => {
    const till = await world.subscribe("till");
    const got: string[] = [];
    const polls = times(3, async (n) => {
      const options = { max: 1, waitMs: 60_000 };
      const [message] = await world.mailboxes.receive(till, options);
      got.push(`${n} ${message?.body}`);
    });
    await world.settle();
    await world.publish("a");
    await world.settle();
    assert.deepEqual(got, ["0 a"]);
    await world.publishEach("b", "c");
    await Promise.all(polls);
    assert.deepEqual(got.sort(), ["0 a", "1 b", "2 c"]);
  });

  test("leases nothing for who went away while waiting", async (world) => {
    const till = await world.subscribe("till");
    const gone = new AbortController();
    const waiting = world.mailboxes.receive(till, {
      max: 10,
      waitMs: 60_000,
      signal: gone.signal,
    });
    await world.settle();
    gone.abort();
    assert.deepEqual(await waiting, []);
    await world.publish("a");
    const [message] = await world.poll(till);
    assert.equal(message?.deliveryCount, 1);
  });

  for (const method of [
    "mayHaveMessages",
    "leaseMessages",
    "findMessageBySeq",
  ]) {
    test(`loses nothing of who went away during ${method}`, async (world) => {
      const till = await world.subscribe("till");
      await world.publishEach("a", "b");
      const gone = new AbortController();
      world.onCall = (called) => {
        if (called === method) gone.abort();
      };
      const { mailboxes } = world;
      const { signal } = gone;
      const messages = await mailboxes.receive(till, { max: 10, signal });
      assert.deepEqual(messages, []);
      await world.settle();
      // At once, and not counted.
      const again = await world.poll(till);
      assert.deepEqual(
        again.map(({ body, deliveryCount }) => [body, deliveryCount]),
        [
          ["a", 1],
          ["b", 1],
        ],
      );
    });
  }

  test("answers no more at once than it may hold, and keeps the rest", async (world) => {
    const till = await world.subscribe("till");
    const text = "x".repeat(250_000);
    for (let n = 0; n < 6; n++) await world.publish(text);
    const first = await world.poll(till);
    assert.equal(first.length, 4);
    const rest = await world.poll(till);
    assert.deepEqual(
      rest.map(({ deliveryCount }) => deliveryCount),
      [1, 1],
    );
    // Six bytes each, as JSON has them.
    for (let n = 0; n < 2; n++) await world.publish("\u0001".repeat(100_000));
    assert.equal((await world.poll(till)).length, 1);
  });

  test("wakes all who wait at many mailboxes by few calls", async (world) => {
    const tills = [];
    for (let n = 0; n < 40; n++) tills.push(await world.subscribe(`t${n}`));
    const options = { max: 10, waitMs: 60_000 };
    const polls = tills.map((it) => world.mailboxes.receive(it, options));
    await world.settle();
    await world.publish("a");
    for (const poll of polls) assert.deepEqual(bodiesOf(await poll), ["a"]);
    assert.ok((world.calls.leaseMessages ?? 0) <= 2);
    assert.equal(world.calls.findMessageBySeq, 1);
  });

  test("never leases a message to two consumers", async (world) => {
    const till = await world.subscribe("till");
    const count = 200;
    const got: PulledMessage[] = [];
    const consumers = times(20, async (n) => {
      while (got.length < count) {
        const options = { max: 1 + (n % 7), waitMs: 1000 };
        const messages = await world.mailboxes.receive(till, options);
        got.push(...messages);
        await world.mailboxes.ack(till, keysOf(messages));
      }
    });
    for (let n = 0; n < count; n++) await world.publish(`${n}`);
    await world.pass(1000);
    await Promise.all(consumers);
    assert.equal(got.length, count);
    assert.equal(new Set(bodiesOf(got)).size, count);
    assert.ok(got.every(({ deliveryCount }) => deliveryCount === 1));
    assert.equal(world.events.confirmed, count);
  });

  test("hands out messages of an ordering key one after the other", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a", { orderingKey: "k" });
    await world.publish("b", { orderingKey: "k" });
    await world.publish("c");
    const first = await world.poll(till);
    assert.deepEqual(bodiesOf(first), ["a", "c"]);
    assert.equal(first[0]?.orderingKey, "k");
    const options = { max: 10, waitMs: 60_000 };
    const waiting = world.mailboxes.receive(till, options);
    await world.settle();
    await world.mailboxes.ack(till, keysOf(first));
    assert.deepEqual(bodiesOf(await waiting), ["b"]);
  });

  test("lets only so many wait at one mailbox", async (world) => {
    const till = await world.subscribe("till");
    const options = { max: 1, waitMs: 60_000 };
    const polls = times(64, () => world.mailboxes.receive(till, options));
    await assert.rejects(world.mailboxes.receive(till, options), {
      code: "OVERLOADED",
      message: /64 at a mailbox/,
    });
    const output = { begin() {}, deliver: () => true, beat() {}, end() {} };
    await assert.rejects(world.mailboxes.stream(till, { credit: 1 }, output), {
      code: "OVERLOADED",
    });
    // Who does not wait needs no place.
    assert.deepEqual(await world.poll(till), []);
    world.mailboxes.release(till);
    for (const poll of polls) assert.deepEqual(await poll, []);
  });

  test("hands out nothing of a mailbox that is disabled", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a");
    const disabled = { ...till, disabled: true } as const;
    const code = "SUBSCRIBER_DISABLED";
    await assert.rejects(world.poll(disabled), { code });
    await assert.rejects(world.open(disabled), { code });
  });

  test("answers those who wait when the service stops", async (world) => {
    const till = await world.subscribe("till");
    const waiting = world.mailboxes.receive(till, { max: 1, waitMs: 60_000 });
    await world.settle();
    world.mailboxes.drain();
    assert.deepEqual(await waiting, []);
    await assert.rejects(world.mailboxes.receive(till, { max: 1 }), {
      code: "SHUTTING_DOWN",
    });
    await world.publish("a");
    await world.restart();
    const [message] = await world.poll(till);
    assert.equal(message?.deliveryCount, 1);
  });

  test("loses nothing that is being leased when the service stops", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a");
    world.onCall = (method) => {
      if (method === "leaseMessages") world.mailboxes.drain();
    };
    const options = { max: 1, waitMs: 60_000 };
    assert.deepEqual(await world.mailboxes.receive(till, options), []);
    await world.restart();
    world.onCall = () => {};
    const [message] = await world.poll(till);
    assert.equal(message?.deliveryCount, 1);
  });
}
