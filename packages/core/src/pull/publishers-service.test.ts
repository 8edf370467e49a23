import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManualClock } from "@carillon/testing";
import { CarillonError } from "../errors.ts";
import { projectId, setUp } from "../testing/pull-accounts.ts";
import { addMs } from "../time.ts";
import { maxCategoriesOfMessage } from "./publisher.ts";

test("a publisher has the topic of its name, and shows its secret once", async () => {
  const { publishers, store, topics } = await setUp();
  const { account, secret } = await publishers.create(projectId, {
    name: "shop",
  });
  assert.equal(account.topicName, "shop");
  assert.ok(await store.findTopic(projectId, "shop"));
  assert.equal(account.secretHash.includes(secret), false);
  assert.deepEqual(await publishers.get(projectId, "shop"), account);
  await assert.rejects(publishers.create(projectId, { name: "shop" }), {
    code: "PUBLISHER_EXISTS",
  });
  await topics.create(projectId, { name: "alerts", displayName: "Alerts" });
  const adopting = { name: "ops", topic: "alerts" };
  const other = await publishers.create(projectId, adopting);
  assert.equal(other.account.topicName, "alerts");
  const topic = await store.findTopic(projectId, "alerts");
  assert.equal(topic?.displayName, "Alerts", "it is another topic");
  for (const [request, code] of [
    [{ name: "-shop" }, "PUBLISHER_INVALID"],
    [{ name: "a".repeat(129) }, "PUBLISHER_INVALID"],
    [{ name: 7 }, "PUBLISHER_INVALID"],
    [{ name: "x", topic: 7 }, "TOPIC_NAME_INVALID"],
    [{ name: "x", topic: "a b" }, "TOPIC_NAME_INVALID"],
    [{ name: "x", topic: "carillon-events" }, "TOPIC_RESERVED"],
    // Nobody is to get what another publisher sends by its name alone.
    [{ name: "alerts" }, "PUBLISHER_INVALID"],
  ] as const) {
    await assert.rejects(publishers.create(projectId, request), { code });
  }
  assert.equal((await publishers.list(projectId, { limit: 9 })).length, 2);
});

test("a category's topic can be read, and is nobody else's by its name alone", async () => {
  const { publishers, addPublisher, topics } = await setUp();
  await addPublisher("shop");
  await addPublisher("shop-eu");
  const add = async (name: string, reference: unknown, topic?: string) => {
    const request = { reference, topic };
    const added = await publishers.addCategory(projectId, name, request);
    return added.category.topicName;
  };
  assert.equal(await add("shop", "News"), "shop-News");
  assert.match(await add("shop", "Bücher & mehr"), /^shop-B-cher-mehr-\w{8}$/);
  assert.match(await add("shop", "新闻"), /^shop-\w{8}$/);
  assert.notEqual(await add("shop", "旧闻"), await add("shop", "新闻"));
  // `shop-eu` is another publisher's own topic.
  assert.match(await add("shop", "eu"), /^shop-eu-\w{8}$/);
  assert.equal(await add("shop-eu", "ads"), "shop-eu-ads");
  assert.match(await add("shop", "eu-ads"), /^shop-eu-ads-\w{8}$/);
  await topics.create(projectId, { name: "shop-old" });
  assert.equal(await add("shop", "old"), "shop-old");
  await assert.rejects(add("shop", "any", "shop-old"), {
    code: "CATEGORY_INVALID",
    message: /that of the category "old" of the publisher shop/,
  });
  for (const reference of ["", "*", "a".repeat(257), "\0", "\ud800", 7]) {
    await assert.rejects(add("shop", reference), { code: "CATEGORY_INVALID" });
  }
  await assert.rejects(add("shop", "all", "shop"), {
    code: "CATEGORY_INVALID",
  });
  await assert.rejects(add("none", "a"), { code: "PUBLISHER_NOT_FOUND" });
  const again = { reference: "News", topic: "elsewhere" };
  const { created, category } = await publishers.addCategory(
    projectId,
    "shop",
    again,
  );
  assert.deepEqual([created, category.topicName], [false, "shop-News"]);
});

test("a topic with subscribers is a publisher's only when it is named", async () => {
  const { publishers, subscribers, subscriptions, topics } = await setUp();
  await subscribers.create(projectId, { name: "till" });
  for (const name of ["alerts", "alerts-eu"]) {
    await topics.create(projectId, { name });
    const urn = topics.urnOf({ projectId, name });
    const target = { protocol: "pull", endpoint: "till" };
    await subscriptions.subscribe(projectId, urn, target);
  }
  const create = { name: "alerts" };
  await assert.rejects(publishers.create(projectId, create), {
    code: "PUBLISHER_INVALID",
    message: /^Invalid name: the topic alerts is there with subscribers; give/,
  });
  await publishers.create(projectId, { ...create, topic: "alerts" });
  const add = (topic?: string) =>
    publishers.addCategory(projectId, "alerts", { reference: "eu", topic });
  await assert.rejects(add(), {
    code: "CATEGORY_INVALID",
    message: /the topic alerts-eu is there with subscribers/,
  });
  assert.equal((await add("alerts-eu")).category.topicName, "alerts-eu");
  // As a crash leaves it between the topic and the account.
  await topics.create(projectId, { name: "shop" });
  const { account } = await publishers.create(projectId, { name: "shop" });
  assert.equal(account.topicName, "shop");
});

test("a category whose topic was deleted gets it again when it is added", async () => {
  const { publishers, addPublisher, addFollower, subscribers, topics, store } =
    await setUp();
  await addPublisher("shop", "news");
  await addFollower("till");
  const urn = topics.urnOf({ projectId, name: "shop-news" });
  await topics.remove(projectId, urn);
  const follow = () => subscribers.follow(projectId, "till", "shop", ["news"]);
  await assert.rejects(follow(), {
    code: "TOPIC_NOT_FOUND",
    message: /shop-news of a category was deleted: add the category again/,
  });
  const added = { reference: "news" };
  await publishers.addCategory(projectId, "shop", added);
  assert.ok(await store.findTopic(projectId, "shop-news"));
  await follow();
  await topics.remove(projectId, topics.urnOf({ projectId, name: "shop" }));
  await assert.rejects(follow(), {
    message: /^The publisher's topic shop was deleted: create it again/,
  });
});

test("topics and subscriptions stay when a category or a publisher goes", async () => {
  const { publishers, addPublisher, addFollower, subscribers, store } =
    await setUp();
  await addPublisher("shop", "news");
  await addFollower("till", "news");
  const removeCategory = () =>
    publishers.removeCategory(projectId, "shop", "news");
  await removeCategory();
  await assert.rejects(removeCategory(), { code: "CATEGORY_NOT_FOUND" });
  await publishers.remove(projectId, "shop");
  await assert.rejects(publishers.remove(projectId, "shop"), {
    code: "PUBLISHER_NOT_FOUND",
  });
  assert.ok(await store.findTopic(projectId, "shop-news"));
  const mailbox = await subscribers.get(projectId, "till");
  assert.equal((await subscribers.subscriptions(mailbox)).length, 2);
  assert.deepEqual(await subscribers.following(projectId, "till"), []);
});

test("a message to all reaches each subscriber of the publisher", async () => {
  const { addPublisher, addFollower, publish, depths } = await setUp();
  await addPublisher("shop", "news");
  await addFollower("a");
  await addFollower("b", "news");
  assert.deepEqual((await publish(["*"])).counts, [2, 0, 2]);
  assert.deepEqual((await publish(["news", "*"])).counts, [2, 0, 2]);
  assert.deepEqual(await depths("a", "b"), [2, 2]);
});

test("a list of categories reaches each subscriber once", async () => {
  const { addPublisher, addFollower, publish, depths } = await setUp();
  await addPublisher("shop", "news", "ads", "jobs");
  await addFollower("a", "news", "ads");
  await addFollower("b", "ads");
  await addFollower("c", "jobs");
  await addFollower("d");
  assert.deepEqual((await publish(["news"])).counts, [1, 0, 1]);
  assert.deepEqual((await publish(["ads", "news", "ads"])).counts, [2, 0, 2]);
  assert.deepEqual(await depths("a", "b", "c", "d"), [2, 1, 0, 0]);
});

test("categories that nobody knows are passed over", async () => {
  const { publishers, addPublisher, addFollower, publish, topics, store } =
    await setUp();
  await addPublisher("shop", "news", "gone");
  await addFollower("a", "news", "gone");
  assert.deepEqual((await publish(["none", "news"])).counts, [1, 0, 1]);
  for (const categories of [["none"], ["none", "News"], []]) {
    const { counts, published } = await publish(categories);
    assert.deepEqual([counts, published], [[0, 0, 0], undefined]);
  }
  const urnOf = (name: string) => topics.urnOf({ projectId, name });
  await topics.remove(projectId, urnOf("shop-gone"));
  assert.deepEqual(
    (await publishers.listCategories(projectId, "shop")).map(
      ({ reference, isTopicDeleted }) => [reference, isTopicDeleted],
    ),
    [
      ["news", undefined],
      ["gone", true],
    ],
  );
  assert.deepEqual((await publish(["gone"])).counts, [0, 0, 0]);
  assert.deepEqual((await publish(["gone", "news"])).counts, [1, 0, 1]);
  const { messages } = await store.listMessages(projectId, {}, { limit: 9 });
  assert.equal(messages.length, 2);
  await topics.remove(projectId, urnOf("shop"));
  await assert.rejects(publish(["*"]), { code: "TOPIC_NOT_FOUND" });
});

test("a message may name a hundred categories, and no more", async () => {
  const { addPublisher, addFollower, publish, depths } = await setUp();
  const references = Array.from(
    { length: maxCategoriesOfMessage + 1 },
    (_, n) => `c${n}`,
  );
  await addPublisher("shop", ...references);
  const hundred = references.slice(0, -1);
  await addFollower("first", ...hundred.slice(0, 1));
  await addFollower("last", ...hundred.slice(-1));
  await addFollower("both", "c0", "c50", "c99");
  await addFollower("other", ...references.slice(-1));
  assert.deepEqual((await publish(hundred)).counts, [3, 0, 3]);
  const all = await depths("first", "last", "both", "other");
  assert.deepEqual(all, [1, 1, 1, 0]);
  await assert.rejects(publish(references), { code: "CATEGORY_INVALID" });
});

test("a topic without subscribers is answered with zeros at once", async () => {
  const { addPublisher, publish } = await setUp();
  await addPublisher("shop", "news", "ads");
  for (const categories of [["*"], ["news"], ["news", "ads"]]) {
    const { counts, published } = await publish(categories);
    assert.deepEqual(counts, [0, 0, 0]);
    assert.ok(published);
  }
});

test("what no mailbox takes counts as failed", async () => {
  const { addPublisher, addFollower, publish, subscribers, depths } =
    await setUp();
  await addPublisher("shop");
  for (const name of ["full", "off", "open"]) await addFollower(name);
  await subscribers.change(projectId, "full", { quota: 1 });
  await subscribers.change(projectId, "off", { disabled: true });
  assert.deepEqual((await publish(["*"])).counts, [2, 1, 3]);
  assert.deepEqual((await publish(["*"])).counts, [1, 2, 3]);
  assert.deepEqual(await depths("full", "off", "open"), [1, 0, 2]);
  await subscribers.change(projectId, "off", { disabled: false });
  assert.deepEqual((await publish(["*"])).counts, [2, 1, 3]);
});

test("who is pushed to counts as passed, and who filters the message not at all", async () => {
  const { addPublisher, addFollower, publish, subscriptions, topics } =
    await setUp();
  await addPublisher("shop");
  await addFollower("till");
  const urn = topics.urnOf({ projectId, name: "shop" });
  const subscribe = (endpoint: string) =>
    subscriptions.subscribe(projectId, urn, { protocol: "http", endpoint });
  await subscribe("http://a.test/");
  const filtering = await subscribe("http://b.test/");
  await subscriptions.setFilterPolicies(
    projectId,
    subscriptions.urnOf(filtering.subscription),
    [{ name: "kind", stringEquals: ["none"] }],
  );
  assert.deepEqual((await publish(["*"])).counts, [2, 0, 2]);
});

test("a message that begins later is not waited for", async () => {
  const { addPublisher, addFollower, publish, clock } = await setUp();
  await addPublisher("shop");
  await addFollower("till");
  const notBefore = addMs(clock.now(), 60_000);
  const later = await publish(["*"], { text: "hi", notBefore });
  assert.equal(later.counts, undefined);
  assert.ok(later.published);
});

test("a request that is repeated is answered with the counts of the first", async () => {
  const { addPublisher, addFollower, publish, depths } = await setUp();
  await addPublisher("shop");
  await addFollower("till");
  const repeatable = {
    projectId,
    key: "k1",
    fingerprint: "f1",
    requestId: "r1",
  };
  const first = await publish(["*"], { text: "hi", repeatable });
  const again = await publish(["*"], { text: "hi", repeatable });
  assert.deepEqual(first.counts, [1, 0, 1]);
  assert.deepEqual(again.counts, [1, 0, 1]);
  assert.equal(again.published?.messageId, first.published?.messageId);
  assert.equal(again.published?.repeatsRequestId, "r1");
  assert.deepEqual(await depths("till"), [1]);
});

test("a publisher waits ten seconds for a fan-out that does not end", async () => {
  const { addPublisher, addFollower, publishers, clock, store } = await setUp({
    isStarted: false,
  });
  await addPublisher("shop");
  await addFollower("till");
  store.finish = () => new Promise(() => {});
  const publisher = await publishers.get(projectId, "shop");
  let counts: object | undefined;
  void publishers.publish(publisher, ["*"], { text: "hi" }).then((answer) => {
    counts = answer.counts;
  });
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += 250) {
      for (let n = 0; n < 5; n++) await clock.nextTurn();
      clock.advance(250);
    }
    for (let n = 0; n < 5; n++) await clock.nextTurn();
  };
  await pass(9750);
  assert.equal(counts, undefined);
  await pass(250);
  assert.deepEqual(counts, { passed: 0, failed: 0, total: 0 });
});

test("what was accepted is answered with counts though the store cannot be read", async () => {
  const { addPublisher, addFollower, publish, clock, store, depths } =
    await setUp();
  await addPublisher("shop");
  await addFollower("till");
  const { findMessage } = store;
  let failures = 0;
  const fail = async () => {
    failures++;
    throw new CarillonError("STORAGE_UNAVAILABLE");
  };
  store.findMessage = async (...message) =>
    failures < 3 ? fail() : findMessage.call(store, ...message);
  const passing = publish(["*"]);
  await advanceUntilSettled(clock, passing);
  assert.deepEqual((await passing).counts, [1, 0, 1]);
  store.findMessage = fail;
  const lasting = publish(["*"]);
  await advanceUntilSettled(clock, lasting);
  const { published, counts } = await lasting;
  assert.ok(published);
  assert.deepEqual(counts, [0, 0, 0]);
  assert.deepEqual(await depths("till"), [2]);
});

async function advanceUntilSettled(
  clock: ManualClock,
  promise: Promise<unknown>,
): Promise<void> {
  let isSettled = false;
  const settle = () => {
    isSettled = true;
  };
  void promise.then(settle, settle);
  while (!isSettled) {
    for (let n = 0; n < 5; n++) await clock.nextTurn();
    clock.advance(250);
  }
}
