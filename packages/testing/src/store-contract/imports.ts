/** Imports: what another program sent, kept as it was, once. */

import assert from "node:assert/strict";
import type {
  Attachment,
  ImportBatch,
  ImportedDelivery,
  ImportedMessage,
  MessageId,
  RelatedObject,
  Store,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  after,
  claimDue,
  directMessage,
  freshId,
  leaseOf,
  otherProjectId,
  projectId,
  recordOutcomes,
  start,
} from "./fixtures.ts";

const order: RelatedObject = { type: "shop.order", id: "7" };
const file: Attachment = {
  name: "a.pdf",
  contentType: "application/pdf",
  content: Uint8Array.of(0, 255, 7),
};

/** Long before the tests begin. */
const before = after(-86_400_000);

const sent: ImportedDelivery = {
  state: "rejected",
  attempts: 3,
  lastAttempt: {
    at: after(-86_000_000),
    durationMs: 0,
    error: "No such number",
    errorClass: "provider",
    outcome: "failed",
    provider: "pymess.backend.sms",
  },
  provider: "pymess.backend.sms",
  part: { externalId: "x-1", state: "rejected" },
  senderData: { sender_state: 5 },
};

function imported(
  message: Partial<ImportedMessage["message"]> = {},
  delivery: ImportedDelivery = sent,
  rest: Partial<ImportedMessage> = {},
): ImportedMessage {
  return {
    message: directMessage({
      id: freshId<MessageId>(),
      createdAt: before,
      expiresAt: before,
      ...message,
    }),
    recipient: { protocol: "sms", endpoint: "+491700000001", billable: true },
    delivery,
    relatedObjects: [],
    attachments: [],
    ...rest,
  };
}

function batchOf(
  messages: readonly ImportedMessage[],
  batch: Partial<ImportBatch> = {},
): ImportBatch {
  return {
    projectId,
    name: "pymess:1:sms",
    position: "10",
    messages,
    skipped: 0,
    at: start,
    ...batch,
  };
}

async function list(store: Store) {
  const { records } = await store.listStored(
    projectId,
    "sms",
    {},
    { limit: 99 },
  );
  return records;
}

export function testImports({ test }: Cases): void {
  test("keeps imported messages as they were", async (store) => {
    const dates = { createdAt: before, changedAt: after(-5) };
    const message = imported(
      { tag: "promo", templateSlug: "shipped", priority: 1 },
      sent,
      { relatedObjects: [{ ...order, ...dates }], attachments: [file] },
    );
    const result = await store.importMessages(batchOf([message]));
    assert.deepEqual(result, {
      kind: "kept",
      progress: {
        position: "10",
        imported: 1,
        skipped: 0,
        startedAt: start,
        changedAt: start,
      },
    });
    const [record] = await list(store);
    assert.ok(record);
    const { seq } = record.message;
    assert.deepEqual(record.message, {
      ...message.message,
      seq,
      relatedObjects: [order],
    });
    assert.deepEqual(record.relatedObjects, [{ ...order, ...dates }]);
    assert.equal(record.relationsChangedAt, undefined);
    assert.deepEqual(record.delivery, {
      messageSeq: seq,
      target: 0,
      protocol: "sms",
      endpoint: "+491700000001",
      state: "rejected",
      attemptCount: 3,
      attempts: [sent.lastAttempt],
      provider: "pymess.backend.sms",
      externalId: "x-1",
      parts: [
        {
          attempt: 3,
          entry: "pymess.backend.sms",
          externalId: "x-1",
          state: "rejected",
        },
      ],
      senderData: { sender_state: 5 },
    });
    assert.deepEqual(await store.readAttachments(seq), [file]);
    const report = await store.findMessage(projectId, message.message.id);
    assert.equal(report?.counts.rejected, 1);
    assert.ok(await store.wasSent(projectId, "sms", "shipped", [order]));
    assert.ok(!(await store.wasSent(projectId, "email", "shipped", [order])));
  });

  test("makes nothing due that is imported, and tells nobody of it", async (store, clock) => {
    const from = await store.readLatestPosition();
    const states = ["sent", "delivered", "failed", "unknown", "debug"] as const;
    await store.importMessages(
      batchOf(states.map((state) => imported({}, { state, attempts: 0 }))),
    );
    assert.equal(await store.readLatestPosition(), from);
    const due = await claimDue(store, clock, leaseOf("a"), after(1e9), 99);
    assert.deepEqual(due, []);
  });

  test("sends what is imported as waiting, within the life it is given", async (store, clock) => {
    const life = { nextAttemptAt: start, expiresAt: after(60_000) };
    const message = imported({}, { state: "retrying", attempts: 2, ...life });
    await store.importMessages(batchOf([message]));
    const [claimed] = await claimDue(store, clock, leaseOf("a"), after(1), 9);
    assert.ok(claimed);
    assert.equal(claimed.expiresAt, after(60_000));
    const refused = await recordOutcomes(store, [
      {
        messageSeq: claimed.messageSeq,
        target: 0,
        fence: claimed.fence,
        state: "sent",
        attempts: 3,
        lastAttempt: { at: after(1), durationMs: 1 },
      },
    ]);
    assert.deepEqual(refused, []);
    const [record] = await list(store);
    assert.equal(record?.delivery.state, "sent");
  });

  test("shows how an imported message came to be cancelled", async (store) => {
    const action = {
      at: start,
      action: "cancel",
      from: "waiting",
      to: "cancelled",
      userId: "u",
      userName: "ann",
      reason: "imported: it was WAITING",
    } as const;
    const cancelled = imported({}, { state: "cancelled", attempts: 0, action });
    await store.importMessages(batchOf([cancelled]));
    const [record] = await list(store);
    assert.deepEqual(record?.delivery.actions, [action]);
  });

  test("keeps a batch once, and where it follows", async (store) => {
    const first = batchOf([imported(), imported()], { skipped: 1 });
    assert.equal((await store.importMessages(first)).kind, "kept");
    const again = await store.importMessages(first);
    assert.deepEqual(again, {
      kind: "conflict",
      progress: await store.findImport(projectId, first.name),
    });
    const next = batchOf([imported()], {
      after: "10",
      position: "20",
      skipped: 2,
      at: after(5),
    });
    assert.equal((await store.importMessages(next)).kind, "kept");
    for (const behind of ["10", "19", ""]) {
      const late = await store.importMessages({ ...next, after: behind });
      assert.equal(late.kind, "conflict");
    }
    assert.equal((await list(store)).length, 3);
    assert.deepEqual(await store.findImport(projectId, first.name), {
      position: "20",
      imported: 3,
      skipped: 3,
      startedAt: start,
      changedAt: after(5),
    });
    assert.equal(await store.findImport(otherProjectId, first.name), undefined);
    assert.equal(await store.findImport(projectId, "other"), undefined);
    // Begun anew: there is one by this name already.
    const { after: _, ...begun } = next;
    assert.equal((await store.importMessages(begun)).kind, "conflict");
    const other = { ...begun, name: "other", messages: [] };
    assert.equal((await store.importMessages(other)).kind, "kept");
  });

  test("keeps nothing of a batch of which one message cannot be kept", async (store) => {
    const twice = imported();
    const batch = batchOf([imported(), twice, twice]);
    const broken = {
      ...batch,
      messages: [imported(), imported({}, { ...sent, attempts: Number.NaN })],
    };
    await assert.rejects(store.importMessages(broken), {
      code: "STORAGE_REFUSED",
    });
    assert.equal(await store.findImport(projectId, batch.name), undefined);
    assert.deepEqual(await list(store), []);
    assert.equal((await store.importMessages(batchOf([twice]))).kind, "kept");
  });

  test("lists what is newer behind what is imported", async (store) => {
    const own = await store.acceptDirectMessage(
      directMessage({ createdAt: after(10) }),
      [{ protocol: "sms", endpoint: "+491700000002", billable: true }],
    );
    await store.importMessages(batchOf([imported(), imported()]));
    const filter = { since: start };
    const page = { limit: 10, maxScanned: 2 };
    const first = await store.listMessages(projectId, filter, page);
    assert.deepEqual(first.messages, []);
    assert.ok(first.next !== undefined, "it goes on behind imported ones");
    const all = await store.listMessages(projectId, filter, { limit: 10 });
    assert.deepEqual(
      all.messages.map(({ message }) => message.seq),
      [own.seq],
    );
    // So do operators' walks: what is imported does not end them.
    const { count } = await store.countDeliveries(
      projectId,
      { states: ["waiting"], since: start },
      undefined,
      { maxMessages: 10, maxDeliveries: 10 },
    );
    assert.equal(count, 1);
    const stored = await store.listStored(projectId, "sms", filter, page);
    assert.deepEqual(stored.records, []);
    assert.ok(stored.next !== undefined);
    const rest = await store.listStored(projectId, "sms", filter, {
      ...page,
      before: stored.next,
    });
    assert.deepEqual(
      rest.records.map(({ message }) => message.seq),
      [own.seq],
    );
  });
}
