import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import {
  type DeliveryOutcome,
  type MessageId,
  type NewMessage,
  type RangeOutcome,
  systemClock,
} from "@carillon/core";
import { openForWriting } from "../connection.ts";
import { isRowRefused } from "../failure.ts";
import { migrate, readMigrations } from "../schema/migrations.ts";
import type { SqliteStore } from "../sqlite-store.ts";
import {
  acceptClaimed,
  claimDue,
  completeRange,
  delivered,
  freshId,
  openWithTopic,
  projectId,
  recordOutcomes,
  start,
} from "../store.fixture.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";
import { ChangeJournal } from "./change-journal.ts";
import { ChangeNotices } from "./change-notices.ts";
import { toOutcomeColumns } from "./outcome-columns.ts";
import { createRangeWrites } from "./range-writes.ts";
import { createStateRules } from "./state-rules.ts";
import { createTransactions } from "./transactions.ts";

const newFolder = temporaryFolders();

/** Outcomes that no table takes, and what is said of each. */
const bad: Record<string, readonly [Record<string, unknown>, RegExp]> = {
  "a fraction where SQLite wants whole numbers": [
    { state: "retrying", nextAttemptAt: start + 0.5 },
    /^cannot store REAL value in INTEGER column deliveries.next_attempt_at$/,
  ],
  "a text where it wants a number": [
    { segments: "many" },
    /^cannot store TEXT value in INTEGER column deliveries.segments$/,
  ],
  "no number at all": [
    { attempts: Number.NaN },
    /^cannot store NaN in column deliveries.attempts$/,
  ],
  "a value that cannot be bound": [
    { lastAttempt: { at: start, durationMs: 1, error: new Date(0) } },
    /cannot be bound/,
  ],
  "an unknown state": [{ state: "lost" }, /^An outcome lacks its state.$/],
  "an attempt without a duration": [
    { lastAttempt: { at: start, durationMs: "1 s" } },
    /^cannot store TEXT value in INTEGER column deliveries.last_duration_ms$/,
  ],
  "a value that no thread can be handed": [
    { provider: () => "me" },
    /could not be cloned/,
  ],
};

for (const [title, [values, reason]] of Object.entries(bad)) {
  test(`writes a failure in place of an outcome with ${title}, beside the others`, async () => {
    const {
      store: opened,
      topic,
      targets,
    } = await openWithTopic(newFolder(), 3);
    await using store = opened;
    const [a = 0, b = 0, c = 0] = targets;
    const { message, messageSeq, range } = await acceptClaimed(store, topic);
    const end = await completeRange(store, range, [
      delivered(messageSeq, a),
      spoiled(delivered(messageSeq, b), values),
      delivered(messageSeq, c),
    ]);
    assert.equal(end.kept, true);
    assert.deepEqual(
      end.refused.map(({ messageSeq, target }) => [messageSeq, target]),
      [[messageSeq, b]],
    );
    assert.match(end.refused[0]?.reason ?? "", reason);
    const report = await store.findMessage(projectId, message.id);
    assert.deepEqual(report?.counts, { delivered: 2, failed: 1 });
    const delivery = await store.findDelivery(messageSeq, b);
    const [attempt] = delivery?.attempts ?? [];
    assert.equal(attempt?.errorClass, "internal");
    assert.match(attempt?.error ?? "", /^The outcome could not be kept: /);
  });

  test(`ends a claim with a failure for an outcome with ${title}`, async () => {
    const { store: opened } = await openWithTopic(newFolder(), 0);
    await using store = opened;
    const { message, claims } = await claimTexts(store, 3);
    const refused = await recordOutcomes(
      store,
      claims.map(({ messageSeq, recipient: { target }, fence }) => {
        const outcome = { ...delivered(messageSeq, target), fence };
        return target === 1 ? spoiled(outcome, values) : outcome;
      }),
    );
    assert.deepEqual(
      refused.map(({ target }) => target),
      [1],
    );
    const report = await store.findMessage(projectId, message.id);
    assert.deepEqual(report?.counts, { delivered: 2, failed: 1 });
    assert.deepEqual(await store.reclaimAll(), {
      freed: 0,
      interrupted: 0,
    });
  });
}

test("refuses an outcome whose attempt before cannot be kept", async () => {
  const { store: opened } = await openWithTopic(newFolder(), 0);
  await using store = opened;
  const { message, claims } = await claimTexts(store, 2);
  const refused = await recordOutcomes(
    store,
    claims.map(({ messageSeq, recipient: { target }, fence }) => ({
      ...delivered(messageSeq, target),
      fence,
      previousAttempt: { at: start, durationMs: target / 2 },
    })),
  );
  assert.deepEqual(refused, [
    {
      messageSeq: claims[1]?.messageSeq,
      target: 1,
      reason: "cannot store REAL value in INTEGER column attempts.duration_ms",
    },
  ]);
  const report = await store.findMessage(projectId, message.id);
  assert.deepEqual(report?.counts, { delivered: 1, failed: 1 });
});

test("reports an outcome that has no place in the ledger, and writes none", async () => {
  const { store: opened, topic, targets } = await openWithTopic(newFolder(), 1);
  await using store = opened;
  const [target = 0] = targets;
  const { message, messageSeq, range } = await acceptClaimed(store, topic);
  const { refused } = await completeRange(store, range, [
    spoiled(delivered(messageSeq, target), { target: "first" }),
    spoiled(delivered(messageSeq, target), { messageSeq: undefined }),
    delivered(messageSeq, target),
  ]);
  assert.equal(refused.length, 2);
  const report = await store.findMessage(projectId, message.id);
  assert.deepEqual(report?.counts, { delivered: 1 });
});

test("does not write in place of an outcome whose claim was lost", async () => {
  const { store: opened } = await openWithTopic(newFolder(), 0);
  await using store = opened;
  const { message, claims } = await claimTexts(store, 1);
  const [claim] = claims;
  assert.ok(claim);
  await store.reclaimAll();
  const outcome = { ...delivered(claim.messageSeq, 0), fence: claim.fence };
  await recordOutcomes(store, [spoiled(outcome, { segments: "many" })]);
  const report = await store.findMessage(projectId, message.id);
  assert.deepEqual(report?.counts, { sending: 1 });
});

test("writes nothing of a range while the database is full", async () => {
  using db = openForWriting(join(newFolder(), "test.db"));
  await Array.fromAsync(migrate(db, readMigrations(), systemClock));
  const rules = createStateRules();
  const journal = new ChangeJournal(db);
  const { finishRange } = createRangeWrites(db, rules, journal);
  db.exec(
    "INSERT INTO ranges VALUES (1, 1, NULL, 0, NULL, 0, 1, 'a', 1, NULL)",
  );
  const outcomes = Array.from({ length: 5000 }, (_, n) =>
    spoiled(delivered(1, n), n === 10 ? { segments: "many" } : {}),
  );
  const columns = toOutcomeColumns(outcomes, start);
  const run = createTransactions(
    db,
    () => finishRange([1, 1, 0, 1], null, columns, null, start),
    { maxMs: 60_000, journal, notices: new ChangeNotices() },
  );
  const complete = () => run([["finishRange", []]], 0);
  db.exec("PRAGMA max_page_count = 100");
  const failure = complete().failures?.get(0);
  assert.match(failure?.message ?? "", /full/);
  assert.equal(isRowRefused(failure), false);
  db.exec("PRAGMA max_page_count = 10000");
  const [end] = complete().results;
  assert.deepEqual(end, {
    kept: true,
    refused: [
      {
        messageSeq: 1,
        target: 10,
        reason: "cannot store TEXT value in INTEGER column deliveries.segments",
      },
    ],
  });
});

async function claimTexts(store: SqliteStore, count: number) {
  const message: NewMessage = {
    id: freshId() as MessageId,
    projectId,
    audience: "direct",
    content: { kind: "text", text: "Hello" },
    createdAt: start,
    expiresAt: start,
  };
  await store.acceptDirectMessage(
    message,
    Array.from({ length: count }, (_, n) => ({
      protocol: "sms" as const,
      endpoint: `+49151${n}`,
      billable: false,
    })),
  );
  const lease = { owner: "a", leaseMs: 1000 };
  return { message, claims: await claimDue(store, lease, count) };
}

/** The outcome with values that its type forbids. */
function spoiled<Kind extends DeliveryOutcome | RangeOutcome>(
  outcome: Kind,
  values: Record<string, unknown>,
): Kind {
  return { ...outcome, ...values };
}
