import assert from "node:assert/strict";
import type { Mailbox } from "@carillon/core";
import type { MailboxCases } from "./cases.ts";
import { bodiesOf, type MailboxWorld } from "./world.ts";

async function get(world: MailboxWorld, mailbox: Mailbox) {
  const client = { isPython: true };
  return bodiesOf(await world.mailboxes.receiveLegacy(mailbox, client));
}

export function testLegacyReceive({ test }: MailboxCases): void {
  test("polls and confirms by one request, as Python's client does", async (world) => {
    const till = await world.subscribe("till");
    await world.publishEach("a", "b", "c");
    assert.deepEqual(await get(world, till), ["a", "b", "c"]);
    assert.deepEqual(await get(world, till), []);
    await world.publish("d");
    assert.deepEqual(await get(world, till), []);
    assert.deepEqual(await get(world, till), []);
    assert.deepEqual(await get(world, till), ["d"]);
    await world.pass(10_000);
    assert.deepEqual(await get(world, till), []);
    await world.publish("e");
    await world.pass(10_000);
    assert.deepEqual(await get(world, till), ["e"]);
    await world.pass(61_000);
    assert.deepEqual(await get(world, till), ["d", "e"]);
  });

  test("counts what a GET confirms, and what dies when it is given back", async (world) => {
    const till = await world.subscribe("till");
    world.settings = { ...world.settings, maxDeliveries: 1 };
    const a = await world.publish("a");
    const b = await world.publish("b");
    await get(world, till);
    await get(world, till);
    assert.equal(world.events.confirmed, 1);
    await world.pass(61_000);
    assert.equal(await world.mailboxes.confirm(till, [b], false), 0);
    await world.settle();
    assert.deepEqual(
      world.settled.map(({ messageSeq, state }) => [messageSeq, state]),
      [
        [a, "delivered"],
        [b, "failed"],
      ],
    );
    assert.deepEqual(
      [world.events.confirmed, world.events.nacked, world.events.dead],
      [1, undefined, 1],
    );
  });

  test("reads a GET of other clients as a poll, always", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a");
    const client = { isPython: false };
    const { mailboxes } = world;
    assert.equal((await mailboxes.receiveLegacy(till, client)).length, 1);
    assert.equal((await mailboxes.receiveLegacy(till, client)).length, 0);
    await world.pass(61_000);
    assert.equal((await mailboxes.receiveLegacy(till, client)).length, 1);
  });

  test("reads a GET by what is configured, whatever its client is", async (world) => {
    const on = await world.subscribe("on", { legacyConfirm: "on" });
    const off = await world.subscribe("off", { legacyConfirm: "off" });
    const seq = await world.publish("a");
    await world.mailboxes.confirm(on, [], true);
    for (const [mailbox, isPython] of [
      [on, false],
      [off, true],
    ] as const) {
      const client = { isPython };
      const [first] = await world.mailboxes.receiveLegacy(mailbox, client);
      assert.equal(first?.body, "a");
      await world.mailboxes.receiveLegacy(mailbox, client);
    }
    assert.deepEqual(await world.statesOf(seq), ["delivered", "sending"]);
  });

  test("confirms by id, and gives back what was not handled", async (world) => {
    const till = await world.subscribe("till");
    const a = await world.publish("a");
    const b = await world.publish("b");
    await get(world, till);
    const { mailboxes } = world;
    assert.equal(await mailboxes.confirm(till, [a, 4711], true), 1);
    assert.equal(await mailboxes.confirm(till, [b], false), 1);
    assert.deepEqual(await get(world, till), ["b"]);
    assert.deepEqual(await world.statesOf(a), ["delivered"]);
  });
}
