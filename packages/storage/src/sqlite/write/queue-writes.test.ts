import assert from "node:assert/strict";
import { test } from "node:test";
import type { MailboxId, SubscriptionId } from "@carillon/core";
import type { SqliteStore } from "../sqlite-store.ts";
import {
  addTopic,
  freshId,
  openWithTopic,
  projectId,
  start,
} from "../store.fixture.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";

const newFolder = temporaryFolders();

test("what is named by id costs no more for past subscriptions", async () => {
  await using store = (await openWithTopic(newFolder(), 0)).store;
  const topic = await addTopic(store);
  const fresh = await subscribe(store, topic.seq, "fresh");
  const past = freshId() as SubscriptionId;
  const old = await subscribe(store, topic.seq, "old", past);
  await store.deleteSubscription(projectId, topic.name, past, start);
  // They are written in this order, many in one transaction.
  const writes: Promise<unknown>[] = [];
  for (let n = 0; n < 2000; n++) {
    const id = freshId() as SubscriptionId;
    writes.push(
      subscribe(store, topic.seq, "old", id),
      store.deleteSubscription(projectId, topic.name, id, start),
    );
  }
  await Promise.all(writes);
  const ids = Array.from({ length: 500 }, (_, n) => n + 1);
  for (const work of [
    (seq: number) => store.confirmMessages(seq, ids, true, start),
    (seq: number) =>
      store.redriveMessages(seq, { messageSeqs: ids }, start, start),
  ]) {
    const least = await leastMs(() => work(fresh));
    const ms = await leastMs(() => work(old));
    assert.ok(ms < 10 * least + 5, `${ms} ms against ${least} ms`);
  }
});

async function leastMs(work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let n = 0; n < 3; n++) {
    const begun = performance.now();
    await work();
    times.push(performance.now() - begun);
  }
  return Math.min(...times);
}

/** Answers the number of the mailbox. */
async function subscribe(
  store: SqliteStore,
  topicSeq: number,
  name: string,
  id = freshId() as SubscriptionId,
): Promise<number> {
  const mailbox = {
    id: freshId() as MailboxId,
    projectId,
    name,
    quota: 100,
    legacyConfirm: "auto",
    createdAt: start,
  } as const;
  const { subscription } = await store.addSubscription(
    {
      id,
      topicSeq,
      projectId,
      protocol: "pull",
      endpoint: name,
      remark: "",
      extension: {},
      status: 3,
      createdAt: start,
      mailbox,
    },
    undefined,
    9,
  );
  assert.ok(subscription.mailbox !== undefined);
  return subscription.mailbox;
}
