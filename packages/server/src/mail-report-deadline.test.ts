/** Mails that nobody reports on, in a composed server on a clock that stands still. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { type AttemptResult, mailEntry, type ProjectId } from "@carillon/core";
import { startTestServer } from "../test-support/test-server.ts";

const hourMs = 3_600_000;

/** As from a mail server while reports come back. */
const taken: AttemptResult = {
  outcome: "accepted",
  provider: mailEntry,
  parts: [{ externalId: "m1" }],
  receiptExpected: true,
};

async function setUp(env: Readonly<Record<string, string>> = {}) {
  const server = await startTestServer({ result: taken, env });
  const projectId = server.credentials.project.id as ProjectId;
  const { id } = await server.stored.email.send(projectId, {
    to: "ann@example.com",
    text: "Hello",
    sendImmediately: true,
  });
  await server.clock.advanceSettled(10);
  const find = async () => {
    const found = await server.stored.email.find(projectId, id);
    assert.ok(found);
    return found;
  };
  return {
    find,
    /** In one step, after which intervals have their turn. */
    pass: async (ms: number) => {
      server.clock.advance(ms - 1000);
      await server.clock.advanceSettled(1000);
    },
    report: (event: "deliver" | "reject") =>
      server.engine.receive({
        entry: mailEntry,
        externalId: "m1",
        event,
        at: server.clock.now(),
      }),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

for (const [days, env] of [
  [5, {}],
  [2, { CARILLON_EMAIL_REPORT_DAYS: "2" }],
  // Whose idle timeout is ten minutes, and makes texts fail.
  [5, { CARILLON_STORED_PROFILE: "pymess" }],
] as const) {
  test(`is final after ${days} days without a word${"CARILLON_STORED_PROFILE" in env ? ", whatever the profile" : ""}`, async () => {
    await using set = await setUp(env);
    await set.pass(days * 24 * hourMs - hourMs);
    const before = await set.find();
    assert.equal(before.delivery.state, "sent");
    assert.deepEqual(before.pymessState, { name: "SENDING", number: 2 });
    assert.equal(before.isFinal, false);
    await set.pass(hourMs + 600_000);
    const after = await set.find();
    assert.equal(after.delivery.state, "sent");
    assert.equal(after.delivery.receiptExpected, undefined);
    assert.deepEqual(after.pymessState, { name: "SENT", number: 3 });
    assert.equal(after.isFinal, true);
    assert.equal(after.error, undefined);
  });
}

test("still hears of a mail after that", async () => {
  await using set = await setUp();
  await set.pass(6 * 24 * hourMs);
  assert.equal((await set.find()).isFinal, true);
  await set.report("reject");
  const { delivery, isFailure } = await set.find();
  assert.deepEqual([delivery.state, isFailure], ["rejected", true]);
});
