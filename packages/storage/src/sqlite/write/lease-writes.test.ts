import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { openSqliteStore } from "../sqlite-store.ts";
import {
  acceptClaimed,
  claimDue,
  claimRanges,
  completeRange,
  delivered,
  leaseOf,
  openWithTopic,
  recordOutcomes,
  start,
} from "../store.fixture.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";

const newFolder = temporaryFolders();
const lease = leaseOf("a", 1000);

test("frees what an earlier process held, though its clock was far ahead", async () => {
  const folder = newFolder();
  const clock = new ManualClock(start);
  await clock.advance(1e9);
  const { store: first, topic } = await openWithTopic(folder, 1, { clock });
  const { range } = await acceptClaimed(first, topic);
  await first.close();

  await using store = await openSqliteStore({
    folder,
    clock: new ManualClock(start),
  });
  const nothing = { freed: 0, interrupted: 0 };
  assert.deepEqual(await store.reclaim(), nothing);
  assert.deepEqual(await store.reclaimAll(), { freed: 1, interrupted: 0 });
  const [claimed] = await claimRanges(store, lease, 9);
  assert.ok(claimed && claimed.range.fence > range.fence);
});

test("ends no lease a fraction of a millisecond early", async () => {
  const clock = new ManualClock(start);
  const { store: opened, topic } = await openWithTopic(newFolder(), 1, {
    clock,
  });
  await using store = opened;
  await clock.advance(0.75);
  await acceptClaimed(store, topic, lease);
  await clock.advance(lease.leaseMs - 0.5);
  const freed = async () => (await store.reclaim()).freed;
  assert.equal(await freed(), 0);
  await clock.advance(1);
  assert.equal(await freed(), 1);
});

test("keeps no index entry for what nobody holds any more", async () => {
  const folder = newFolder();
  const { store: opened, topic, targets } = await openWithTopic(folder, 3);
  await using store = opened;
  const [done = 0, slow = 0, late = 0] = targets;
  const { messageSeq, range } = await acceptClaimed(store, topic);
  assert.equal(countHeld(folder), 1);
  await completeRange(store, range, [
    delivered(messageSeq, done),
    delivered(messageSeq, slow, { state: "sending", lease }),
    delivered(messageSeq, late, { state: "retrying", nextAttemptAt: start }),
  ]);
  assert.equal(countHeld(folder), 1);
  const [claim] = await claimDue(store, lease, 9);
  assert.equal(claim?.recipient.target, late);
  assert.equal(countHeld(folder), 2);
  await recordOutcomes(store, [
    { ...delivered(messageSeq, slow), fence: 0 },
    { ...delivered(messageSeq, late), fence: claim.fence },
  ]);
  assert.equal(countHeld(folder), 0);
  assert.deepEqual(await store.nextDue(), {});
});

test("leaves a delivery alone that was claimed since its range was read", async () => {
  const { store: opened, topic, targets } = await openWithTopic(newFolder(), 2);
  await using store = opened;
  const [target = 0] = targets;
  const short = { ...lease, rangeSize: 1 };
  const { messageSeq, range } = await acceptClaimed(store, topic, short);
  await completeRange(store, range, [
    delivered(messageSeq, target, { state: "retrying", nextAttemptAt: start }),
  ]);
  const [claim] = await claimDue(store, { ...lease, owner: "b" }, 1);
  const [rest] = await claimRanges(store, lease, 1);
  assert.ok(claim && rest);
  await completeRange(store, rest.range, [
    delivered(messageSeq, target, { state: "sending", lease }),
  ]);
  await recordOutcomes(store, [
    { ...delivered(messageSeq, target), fence: claim.fence },
  ]);
  const delivery = await store.findDelivery(messageSeq, target);
  assert.equal(delivery?.state, "delivered");
});

/** Entries of the two indexes of what is held. */
function countHeld(folder: string): unknown {
  using db = new DatabaseSync(join(folder, "carillon.db"), { readOnly: true });
  const row = db
    .prepare(
      `SELECT (SELECT count(*) FROM ranges INDEXED BY ranges_held
               WHERE owner IS NOT NULL)
         + (SELECT count(*) FROM deliveries INDEXED BY deliveries_held
            WHERE owner IS NOT NULL) AS count`,
    )
    .get();
  return row?.count;
}
