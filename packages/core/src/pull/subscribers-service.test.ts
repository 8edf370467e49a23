import assert from "node:assert/strict";
import { test } from "node:test";
import { otherProjectId, projectId, setUp } from "../testing/pull-accounts.ts";

test("credentials hold until they are renewed, disabled or removed", async () => {
  const { publishers, subscribers, store, compared } = await setUp();
  const kinds = [
    {
      accounts: publishers,
      disable: (disabled: boolean) =>
        publishers.setDisabled(projectId, "shop", disabled),
    },
    {
      accounts: subscribers,
      disable: (disabled: boolean) =>
        subscribers.change(projectId, "shop", { disabled }),
    },
  ];
  for (const { accounts, disable } of kinds) {
    const created = await accounts.create(projectId, { name: "shop" });
    const { id } = created.account;
    const isLetIn = async (secret: string, user: string = id) =>
      (await accounts.authenticate(user, secret)) !== undefined;
    assert.equal(await isLetIn(created.secret), true);
    assert.equal(await isLetIn(`${created.secret}x`), false);
    assert.equal(await isLetIn(""), false);
    const before = compared.length;
    assert.equal(await isLetIn(created.secret, "0".repeat(32)), false);
    assert.equal(compared.length, before + 1, "an unknown id costs less");
    assert.equal(await isLetIn(created.secret, "AKOFSOMEUSER"), false);
    assert.equal(compared.length, before + 1, "what is no id costs as much");

    const { secret } = await accounts.rotateSecret(projectId, "shop");
    assert.equal(await isLetIn(created.secret), false);
    assert.equal(await isLetIn(secret), true);

    await disable(true);
    assert.equal(await isLetIn(secret), false);
    await disable(false);
    assert.equal(await isLetIn(secret), true);

    const project = { id: projectId, name: "shop", domainId: "d1" };
    const domain = { id: "d1", name: "default" };
    const disabled = true;
    await store.putDomain(domain);
    await store.putProject({ ...project, disabled });
    assert.equal(await isLetIn(secret), false);
    await store.putProject(project);
    assert.equal(await isLetIn(secret), true);
    await store.putDomain({ ...domain, disabled });
    assert.equal(await isLetIn(secret), false);
    await store.putDomain(domain);

    await accounts.remove(projectId, "shop");
    assert.equal(await isLetIn(secret), false);
  }
});

test("a mailbox that a subscription made has no credentials until it is given some", async () => {
  const { subscriptions, subscribers, topics } = await setUp();
  const { topic } = await topics.create(projectId, { name: "alerts" });
  await subscriptions.subscribe(projectId, topics.urnOf(topic), {
    protocol: "pull",
    endpoint: "till",
  });
  const { id } = await subscribers.get(projectId, "till");
  assert.equal(await subscribers.authenticate(id, ""), undefined);
  await assert.rejects(subscribers.create(projectId, { name: "till" }), {
    code: "SUBSCRIBER_EXISTS",
  });
  const { secret } = await subscribers.rotateSecret(projectId, "till");
  assert.equal((await subscribers.authenticate(id, secret))?.name, "till");
});

test("a subscriber follows publishers by their categories, and leaves them", async () => {
  const { addPublisher, subscribers } = await setUp();
  await addPublisher("shop", "news", "ads");
  await addPublisher("bank", "news");
  await subscribers.create(projectId, { name: "till" });
  const follow = (publisher: string, ...categories: string[]) =>
    subscribers.follow(projectId, "till", publisher, categories);
  const unfollow = (publisher: string, categories?: string[]) =>
    subscribers.unfollow(projectId, "till", publisher, categories);
  const following = async () =>
    (await subscribers.following(projectId, "till")).map(
      ({ publisher, categories }) => [publisher, ...categories],
    );
  await follow("shop", "*", "news");
  await follow("shop", "ads", "news");
  await follow("bank");
  assert.deepEqual(await following(), [["shop", "news", "ads"], ["bank"]]);
  await unfollow("shop", ["news"]);
  await unfollow("shop", ["news"]);
  assert.deepEqual(await following(), [["shop", "ads"], ["bank"]]);
  await unfollow("bank", []);
  assert.deepEqual(await following(), [["shop", "ads"], ["bank"]]);
  await unfollow("shop", ["ads", "*"]);
  assert.deepEqual(await following(), [["bank"]]);
  await follow("shop", "ads");
  await unfollow("shop");
  assert.deepEqual(await following(), [["bank"]]);
  await assert.rejects(unfollow("gone"), {
    code: "PUBLISHER_NOT_FOUND",
    message: /DELETE \/api\/v2\/subscriptions/,
  });
  const mailbox = await subscribers.get(projectId, "till");
  assert.equal((await subscribers.subscriptions(mailbox)).length, 1);
  // Nothing of what cannot be followed as a whole.
  await assert.rejects(follow("shop", "news", "none"), {
    code: "CATEGORY_NOT_FOUND",
  });
  await assert.rejects(follow("none"), { code: "PUBLISHER_NOT_FOUND" });
  await assert.rejects(subscribers.follow(projectId, "none", "shop", []), {
    code: "SUBSCRIBER_NOT_FOUND",
  });
  assert.deepEqual(await following(), [["bank"]]);
});

test("a subscriber's settings are checked, and its mailbox is released when it closes", async () => {
  const { subscribers, released } = await setUp();
  const create = (request: object) =>
    subscribers.create(projectId, { name: "till", ...request });
  for (const request of [
    { name: "" },
    { name: "a b" },
    { name: 7 },
    { quota: 0 },
    { quota: 1.5 },
    { quota: "9" },
    { quota: 10_000_001 },
    { legacyConfirm: "yes" },
    { legacyConfirm: null },
  ]) {
    await assert.rejects(create(request), { code: "SUBSCRIBER_INVALID" });
  }
  const { account } = await create({});
  assert.deepEqual([account.quota, account.legacyConfirm], [50, "auto"]);
  const change = (request: object) =>
    subscribers.change(projectId, "till", request);
  await assert.rejects(change({ quota: -1 }), { code: "SUBSCRIBER_INVALID" });
  const changed = await change({ quota: 9, legacyConfirm: "off" });
  assert.deepEqual([changed.quota, changed.legacyConfirm], [9, "off"]);
  assert.deepEqual(released, []);
  assert.equal((await change({ disabled: true })).disabled, true);
  assert.deepEqual(released, [account.seq]);
  await change({ disabled: false });
  await subscribers.remove(projectId, "till");
  assert.deepEqual(released, [account.seq, account.seq]);
  for (const work of [
    () => change({ quota: 1 }),
    () => subscribers.remove(projectId, "till"),
    () => subscribers.rotateSecret(projectId, "till"),
    () => subscribers.following(projectId, "till"),
  ]) {
    await assert.rejects(work(), { code: "SUBSCRIBER_NOT_FOUND" });
  }
});

test("a mailbox is found by its name and by its subscriptions, in its project only", async () => {
  const { addPublisher, addFollower, subscribers, subscriptions, topics } =
    await setUp();
  await addPublisher("shop");
  await addFollower("till");
  const mailbox = await subscribers.get(projectId, "till");
  const [subscription] = await subscribers.subscriptions(mailbox);
  assert.ok(subscription);
  for (const [reference, code] of [
    ["till", "SUBSCRIBER_NOT_FOUND"],
    [subscription.id, "SUBSCRIPTION_NOT_FOUND"],
    [subscriptions.urnOf(subscription), "SUBSCRIPTION_NOT_FOUND"],
  ] as const) {
    const found = await subscribers.find(projectId, reference);
    assert.equal(found.name, "till");
    const foreign = subscribers.find(otherProjectId, reference);
    await assert.rejects(foreign, { code });
  }
  const { subscription: webhook } = await subscriptions.subscribe(
    projectId,
    topics.urnOf({ projectId, name: "shop" }),
    { protocol: "http", endpoint: "http://a.test/" },
  );
  for (const [reference, code] of [
    [webhook.id, "SUBSCRIPTION_NOT_FOUND"],
    [subscriptions.urnOf(webhook), "SUBSCRIPTION_NOT_FOUND"],
    ["f".repeat(32), "SUBSCRIPTION_NOT_FOUND"],
    ["none", "SUBSCRIBER_NOT_FOUND"],
    ["", "SUBSCRIBER_NOT_FOUND"],
  ] as const) {
    await assert.rejects(subscribers.find(projectId, reference), { code });
  }
});

test("accounts are listed page by page", async () => {
  const { publishers, subscribers } = await setUp();
  for (const accounts of [publishers, subscribers]) {
    for (const name of ["a", "b", "c"]) {
      await accounts.create(projectId, { name });
    }
    const list = (after?: string) =>
      accounts.list(projectId, {
        limit: 2,
        ...(after !== undefined && { after }),
      });
    const [first, second] = await list();
    assert.deepEqual([first?.name, second?.name], ["a", "b"]);
    const rest = await list(String(second?.seq));
    assert.deepEqual(
      rest.map(({ name }) => name),
      ["c"],
    );
    assert.deepEqual(await accounts.list(otherProjectId, { limit: 2 }), []);
    for (const after of ["", "x", "-1", "1e3", "9".repeat(16)]) {
      await assert.rejects(list(after), { code: "PAGE_INVALID" });
    }
  }
});
