/** Rows that nothing of ours writes, as a damaged database has them. */

import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { type ExtraData, type LogFields, silentLogger } from "@carillon/core";
import { openSqliteStore } from "../sqlite-store.ts";
import {
  acceptClaimed,
  addSubscription,
  addTopic,
  claimDue,
  claimRanges,
  completeRange,
  delivered,
  messageTo,
  recordOutcomes,
  start,
} from "../store.fixture.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";

const newFolder = temporaryFolders();
const lease = { owner: "a", leaseMs: 60_000 };

/** A store, what it logs as errors, and the way past it to its file. */
async function openLogged() {
  const folder = newFolder();
  const errors: [event: string, messageSeq: unknown][] = [];
  const store = await openSqliteStore({
    folder,
    logger: {
      ...silentLogger,
      error: (event: string, fields?: LogFields) => {
        errors.push([event, fields?.messageSeq]);
      },
    },
  });
  const damage = (sql: string) => {
    const db = new DatabaseSync(join(folder, "carillon.db"));
    db.exec(sql);
    db.close();
  };
  return { store, errors, damage };
}

test("a message that cannot be read holds up no other", async () => {
  const { store, errors, damage } = await openLogged();
  const topic = await addTopic(store);
  await addSubscription(store, topic);
  const seqs: number[] = [];
  for (let n = 0; n < 3; n++) {
    const { seq } = await store.acceptMessage(messageTo(topic), undefined);
    seqs.push(seq);
  }
  damage(`UPDATE messages SET content_kind = 99 WHERE seq = ${seqs[1]}`);
  const claimed = await claimRanges(store, lease, 10);
  assert.deepEqual(
    claimed.map(({ range }) => range.messageSeq),
    [seqs[0], seqs[2]],
  );
  assert.deepEqual(errors, [["claim_unreadable", seqs[1]]]);
  assert.deepEqual(await claimRanges(store, lease, 10), []);
  await store.close();
});

test("a due delivery that cannot be read holds up no other", async () => {
  const { store, errors, damage } = await openLogged();
  const topic = await addTopic(store);
  const targets: number[] = [];
  for (let n = 0; n < 3; n++) {
    targets.push(await addSubscription(store, topic));
  }
  const { range, messageSeq } = await acceptClaimed(store, topic);
  await completeRange(
    store,
    range,
    targets.map((target) =>
      delivered(messageSeq, target, {
        state: "retrying",
        nextAttemptAt: start,
      }),
    ),
  );
  damage(`UPDATE subscriptions SET extension = '{' WHERE seq = ${targets[0]}`);
  const due = await claimDue(store, lease, 10);
  assert.deepEqual(
    due.map(({ recipient }) => recipient.target),
    [targets[1], targets[2]],
  );
  assert.deepEqual(errors, [["claim_unreadable", messageSeq]]);
  assert.deepEqual(await claimDue(store, lease, 10), []);
  await store.close();
});

test("nor does a due delivery of a message that cannot be read", async () => {
  const { store, errors, damage } = await openLogged();
  const topic = await addTopic(store);
  const target = await addSubscription(store, topic);
  const seqs: number[] = [];
  for (let n = 0; n < 2; n++) {
    const { range, messageSeq } = await acceptClaimed(store, topic);
    const wait = { state: "retrying", nextAttemptAt: start } as const;
    await completeRange(store, range, [delivered(messageSeq, target, wait)]);
    seqs.push(messageSeq);
  }
  damage(`UPDATE messages SET audience = 99 WHERE seq = ${seqs[0]}`);
  const due = await claimDue(store, lease, 10);
  assert.deepEqual(
    due.map(({ messageSeq }) => messageSeq),
    [seqs[1]],
  );
  assert.deepEqual(errors, [["claim_unreadable", seqs[0]]]);
  assert.deepEqual(await claimDue(store, lease, 10), []);
  await store.close();
});

test("a change that cannot be read holds up no other, and says so", async () => {
  const { store, damage } = await openLogged();
  const from = await store.readLatestPosition();
  const topic = await addTopic(store);
  const target = await addSubscription(store, topic);
  for (let n = 0; n < 4; n++) {
    const { range, messageSeq } = await acceptClaimed(store, topic);
    await completeRange(store, range, [delivered(messageSeq, target)]);
  }
  damage("UPDATE changes SET data = '{' WHERE seq = 2");
  damage(`UPDATE changes SET data = '{"d":[1,99,2,1,1]}' WHERE seq = 3`);
  const page = await store.readChanges(from, 10);
  assert.ok(page.kind === "batches");
  assert.deepEqual(
    page.batches.map(({ position, changes, unreadable }) => [
      position,
      changes.length,
      unreadable instanceof Error,
    ]),
    [
      ["1", 1, false],
      ["2", 0, true],
      ["3", 0, true],
      ["4", 1, false],
    ],
  );
  await store.close();
});

test("what providers told and cannot be read gives way to what they tell now", async () => {
  const { store, damage } = await openLogged();
  const topic = await addTopic(store);
  const targets: number[] = [];
  for (let n = 0; n < 2; n++) targets.push(await addSubscription(store, topic));
  const { range, messageSeq } = await acceptClaimed(store, topic);
  const tell = (senderData: ExtraData) => ({
    state: "retrying" as const,
    nextAttemptAt: start,
    senderData,
  });
  await completeRange(
    store,
    range,
    targets.map((target) => delivered(messageSeq, target, tell({ a: 1 }))),
  );
  const due = await claimDue(store, lease, 10);
  damage(
    `UPDATE deliveries SET sender_data = '{' WHERE target = ${targets[0]}`,
  );
  const outcomes = due.map(({ recipient, fence }) => ({
    ...delivered(messageSeq, recipient.target, tell({ b: 2 })),
    fence,
  }));
  assert.deepEqual(await recordOutcomes(store, outcomes), []);
  const found: unknown[] = [];
  for (const target of targets) {
    found.push((await store.findDelivery(messageSeq, target))?.senderData);
  }
  assert.deepEqual(found, [{ b: 2 }, { a: 1, b: 2 }]);
  await store.close();
});
