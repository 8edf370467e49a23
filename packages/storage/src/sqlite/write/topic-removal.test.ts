import assert from "node:assert/strict";
import { test } from "node:test";
import {
  acceptClaimed,
  completeRange,
  delivered,
  leaseOf,
  messageTo,
  openWithTopic,
  projectId,
  start,
} from "../store.fixture.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";

const newFolder = temporaryFolders();

test("lets a walk that is under way end when its topic is deleted", async () => {
  const { store: opened, topic, targets } = await openWithTopic(newFolder(), 4);
  await using store = opened;
  const [sent = 0, gone = 0, ...rest] = targets;
  const { message, messageSeq, range } = await acceptClaimed(store, topic);
  const { items } = await store.listSubscriptions(
    projectId,
    { topicSeq: topic.seq },
    { offset: 0, limit: 9 },
  );
  const left = items.find(({ seq }) => seq === gone);
  assert.ok(left);
  await store.deleteSubscription(projectId, topic.name, left.id, start);
  await store.deleteTopic(projectId, topic.name, start);

  assert.deepEqual(
    (await store.readAudience(range, 9)).map((it) => [it.target, it.cancelled]),
    [sent, ...rest].map((target) => [target, true]),
  );
  const { kept } = await completeRange(store, range, [
    delivered(messageSeq, sent),
    ...rest.map((target) =>
      delivered(messageSeq, target, { state: "cancelled", attempts: 0 }),
    ),
  ]);
  assert.equal(kept, true);
  const report = await store.findMessage(projectId, message.id);
  assert.deepEqual(report?.counts, { delivered: 1, cancelled: 2 });
  assert.equal(report?.fannedOut, true);
});

test("shows nobody the subscriptions that were deleted with their topic", async () => {
  const { store: opened, topic, targets } = await openWithTopic(newFolder(), 2);
  await using store = opened;
  const page = { offset: 0, limit: 9 };
  const before = await store.listSubscriptions(projectId, {}, page);
  await store.deleteTopic(projectId, topic.name, start);
  assert.equal(targets.length, before.total);
  for (const filter of [{}, { topicSeq: topic.seq }, { status: 5 }]) {
    assert.deepEqual(await store.listSubscriptions(projectId, filter, page), {
      total: 0,
      items: [],
    });
  }
  for (const { id } of before.items) {
    assert.equal(await store.findSubscriptionById(id), undefined);
  }
});

test("has nobody to send to in a topic that was deleted before", async () => {
  const { store: opened, topic } = await openWithTopic(newFolder(), 1);
  await using store = opened;
  await store.deleteTopic(projectId, topic.name, start);
  const message = messageTo(topic);
  assert.equal(
    (await store.acceptMessage(message, leaseOf("a"))).range,
    undefined,
  );
  const report = await store.findMessage(projectId, message.id);
  assert.equal(report?.fannedOut, true);
});

test("says why what was never attempted is cancelled", async () => {
  const { store: opened, topic, targets } = await openWithTopic(newFolder(), 2);
  await using store = opened;
  const [attempted = 0, untouched = 0] = targets;
  const { messageSeq, range } = await acceptClaimed(store, topic);
  await completeRange(store, range, [
    delivered(messageSeq, attempted, {
      state: "retrying",
      nextAttemptAt: start,
    }),
    {
      messageSeq,
      target: untouched,
      state: "waiting",
      attempts: 0,
      nextAttemptAt: start,
    },
  ]);
  await store.deleteTopic(projectId, topic.name, start);
  const errorOf = async (target: number) => {
    const delivery = await store.findDelivery(messageSeq, target);
    assert.equal(delivery?.state, "cancelled");
    return delivery.attempts.at(-1)?.error;
  };
  assert.equal(await errorOf(attempted), undefined);
  assert.equal(
    await errorOf(untouched),
    "The topic was deleted before the first attempt.",
  );
});
