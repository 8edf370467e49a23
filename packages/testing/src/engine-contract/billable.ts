import assert from "node:assert/strict";
import { toEpochMs } from "@carillon/core";
import type { EngineCases } from "./cases.ts";
import { never } from "./scripted-channel.ts";
import { projectId } from "./world.ts";

const receipt = { entry: "p", event: "deliver", at: toEpochMs(0) } as const;

export function testBillable({ test }: EngineCases): void {
  test("records the intent before an attempt that costs money", {}, async (world) => {
    await world.subscribe("sms", "+15550100001");
    const states: unknown[] = [];
    world.sms.script = async () => {
      const {
        messages: [message],
      } = await world.store.listMessages(projectId, {}, { limit: 1 });
      states.push(message?.counts);
      return {
        outcome: "accepted",
        parts: [{ externalId: "7" }],
        provider: "p",
        segments: 1,
      };
    };
    const engine = await world.start();
    const id = await world.publish(engine);
    await world.settle();
    assert.deepEqual(states, [{ sending: 1 }]);
    assert.deepEqual(await world.counts(id), { sent: 1 });
    await engine.receive({ ...receipt, externalId: "7" });
    assert.deepEqual(await world.counts(id), { delivered: 1 });
  });

  test("a receipt that comes before its send resolves is not lost", {}, async (world) => {
    const engine = await world.start();
    world.sms.script = async () => {
      await engine.receive({ ...receipt, externalId: "9" });
      return {
        outcome: "accepted",
        parts: [{ externalId: "9" }],
        provider: "p",
      };
    };
    const id = await world.sendSms(engine, "+15550100001");
    await world.settle();
    assert.deepEqual(await world.counts(id), { delivered: 1 });
  });

  test("a crash within a billable attempt makes it unknown, never repeated", {}, async (world) => {
    world.sms.script = never;
    const dying = await world.start();
    const id = await world.sendSms(dying, "+15550100001");
    await world.settle();
    assert.equal(world.sms.calls.length, 1);
    world.cutOff();
    await world.start();
    await world.pass(30 * 60_000);
    assert.equal(world.sms.calls.length, 1);
    assert.deepEqual(await world.counts(id), { unknown: 1 });
  });
}
