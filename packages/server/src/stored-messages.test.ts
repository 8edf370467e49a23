/** Stored messages in a composed service: sent, waited for, found after a crash. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { smsProtocol } from "@carillon/channels";
import type { AttemptResult, Channel, ProjectId } from "@carillon/core";
import {
  startTestServer,
  type TestServer,
} from "../test-support/test-server.ts";

const phone = "+420777123456";

/** Carries texts through a provider to whom we give the ids. */
function createTexts(deliver: () => Promise<AttemptResult>): Channel {
  return {
    name: "texts",
    protocols: [smsProtocol],
    kind: "billable",
    timeoutMs: 5000,
    prepare: () => ({
      chooseRoute: async () => ({
        provider: "ats",
        chosenId: "our-1",
        round: 1,
        passedOver: false,
        hasNext: false,
        nextOnFailedReceipt: false,
        release() {},
      }),
      deliver,
    }),
    async close() {},
  };
}

const projectOf = ({ credentials }: TestServer) =>
  credentials.project.id as ProjectId;

test("a send that waits answers with what became of it", async () => {
  await using server = await startTestServer();
  const { stored, clock } = server;
  const projectId = projectOf(server);
  const waitMs = 1000;
  const sending = [
    stored.sms.send(projectId, { to: phone, text: "x", waitMs }),
    stored.email.send(projectId, { to: "a@b.example", text: "x", waitMs }),
  ];
  await clock.advanceSettled(10);
  const names = (await Promise.all(sending)).map((it) => it.pymessState.name);
  assert.deepEqual(names, ["DELIVERED", "SENT"]);
});

test("each channel lists its own", async () => {
  await using server = await startTestServer();
  const { stored } = server;
  const projectId = projectOf(server);
  const text = await stored.sms.send(projectId, { to: phone, text: "x" });
  const to = "a@b.example";
  const mail = await stored.email.send(projectId, { to, text: "x" });
  for (const [channel, { id }] of [
    ["sms", text],
    ["email", mail],
  ] as const) {
    const { messages } = await stored[channel].list(
      projectId,
      {},
      { limit: 9 },
    );
    assert.deepEqual(
      messages.map((it) => it.id),
      [id],
    );
    assert.equal((await stored[channel].find(projectId, id))?.id, id);
  }
  assert.equal(await stored.email.find(projectId, text.id), undefined);
});

test("a text whose send a crash cut off is unknown, until its report comes", async () => {
  const begun = Promise.withResolvers<void>();
  const dying = await startTestServer({
    texts: createTexts(() => {
      begun.resolve();
      // The provider took it; we die before we write that.
      return new Promise(() => {});
    }),
  });
  const projectId = projectOf(dying);
  const { id } = await dying.stored.sms.send(projectId, {
    to: phone,
    text: "x",
  });
  await dying.clock.advanceSettled(10);
  await begun.promise;

  let attempts = 0;
  // Alone on the store: what the dead one held is free.
  await using server = await startTestServer({
    beside: dying,
    texts: createTexts(async () => {
      attempts++;
      return { outcome: "delivered" };
    }),
  });
  const find = () => server.stored.sms.find(projectId, id);
  assert.deepEqual((await find())?.pymessState, { name: "UNKNOWN", number: 2 });
  await server.clock.advanceSettled(60_000);
  assert.equal(attempts, 0);

  await server.engine.receive({
    entry: "ats",
    externalId: "our-1",
    event: "deliver",
    at: server.clock.now(),
  });
  const settled = await find();
  assert.deepEqual(settled?.pymessState, { name: "DELIVERED", number: 7 });
  assert.equal(settled?.isFinal, true);
  void dying[Symbol.asyncDispose]();
});

test("what waits for a batch goes out where the service comes back without batch mode", async () => {
  const before = await startTestServer({
    env: { CARILLON_SMS_BATCH_ENABLED: "true" },
  });
  const projectId = projectOf(before);
  const message = { to: phone, text: "x" };
  const { id } = await before.stored.sms.send(projectId, message);
  await before.clock.advanceSettled(600_000);
  assert.equal(
    (await before.stored.sms.find(projectId, id))?.delivery.state,
    "waiting",
  );

  const warnings: unknown[] = [];
  await using server = await startTestServer({
    beside: before,
    onLine: (event, fields, level) => {
      if (level === "warn") warnings.push([event, fields.count]);
    },
  });
  await server.clock.advanceSettled(10);
  const sent = await server.stored.sms.find(projectId, id);
  assert.equal(sent?.delivery.state, "delivered");
  assert.deepEqual(warnings, [["batch_left_behind", 1]]);
  void before[Symbol.asyncDispose]();
});
