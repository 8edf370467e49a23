import assert from "node:assert/strict";
import { CarillonError } from "@carillon/core";
import type { MailboxCases } from "./cases.ts";
import { bodiesOf } from "./world.ts";

const unavailable = () =>
  new CarillonError("STORAGE_UNAVAILABLE", "The store is away.");

export function testMailboxFaults({ test }: MailboxCases): void {
  test("who asks while the store is away is told, and who streams goes on later", async (world) => {
    const till = await world.subscribe("till");
    const stream = await world.open(till);
    world.failures.leaseMessages = { error: unavailable() };
    const waiting = world.mailboxes.receive(till, { max: 1, waitMs: 60_000 });
    await world.settle();
    await world.publish("a");
    await assert.rejects(waiting, { code: "STORAGE_UNAVAILABLE" });
    await world.pass(60_000);
    // It is asked again after pauses, not for ever at once.
    assert.ok((world.calls.leaseMessages ?? 0) < 50);
    assert.equal(stream.ended, undefined);
    delete world.failures.leaseMessages;
    await world.pass(6000);
    assert.deepEqual(stream.bodies, ["a"]);
  });

  test("a mailbox that cannot be read costs no other anything", async (world) => {
    const broken = await world.subscribe("broken");
    const till = await world.subscribe("till");
    const isOfBroken = (requests: unknown) =>
      Array.isArray(requests) &&
      requests.some(({ mailbox }) => mailbox === broken.seq);
    world.failures.leaseMessages = {
      error: new Error("The row is damaged."),
      only: isOfBroken,
    };
    const options = { max: 1, waitMs: 60_000 };
    const failing = world.mailboxes.receive(broken, options);
    const stream = await world.open(broken);
    const waiting = world.mailboxes.receive(till, options);
    await world.settle();
    await Promise.all([
      assert.rejects(failing, { message: /damaged/ }),
      world.publish("a"),
    ]);
    assert.deepEqual(bodiesOf(await waiting), ["a"]);
    await world.settle();
    assert.equal(stream.ended, "renew");
  });

  test("a message that cannot be read holds up no other", async (world) => {
    const till = await world.subscribe("till");
    world.settings = { ...world.settings, maxDeliveries: 2 };
    const damaged = await world.publish("a");
    world.failures.findMessageBySeq = {
      error: new Error("The row is damaged."),
      only: (seq) => seq === damaged,
    };
    await world.publish("b");
    assert.deepEqual(bodiesOf(await world.poll(till)), ["b"]);
    const stream = await world.open(till);
    await world.publish("c");
    await world.pass(61_000);
    assert.deepEqual(new Set(stream.bodies), new Set(["b", "c"]));
    // It is not tried for ever.
    assert.deepEqual(await world.statesOf(damaged), ["failed"]);
    assert.ok(world.logger.count("message_unreadable") <= 3);
  });

  test("nothing is lost of what cannot be read for a while", async (world) => {
    const till = await world.subscribe("till");
    await world.publish("a");
    world.failures.findMessageBySeq = { error: unavailable(), times: 2 };
    await assert.rejects(world.poll(till), { code: "STORAGE_UNAVAILABLE" });
    await world.settle();
    const stream = await world.open(till);
    await world.pass(2000);
    assert.deepEqual(stream.bodies, ["a"]);
    assert.equal(stream.messages[0]?.deliveryCount, 1);
  });

  test("leases end once the store is back", async (world) => {
    const till = await world.subscribe("till");
    const seq = await world.publish("a");
    await world.poll(till);
    world.failures.endLeases = { error: unavailable() };
    await world.pass(120_000);
    assert.deepEqual(await world.statesOf(seq), ["sending"]);
    assert.ok((world.calls.endLeases ?? 0) < 50);
    delete world.failures.endLeases;
    await world.pass(6000);
    assert.deepEqual(await world.statesOf(seq), ["waiting"]);
  });
}
