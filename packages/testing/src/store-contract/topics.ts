import assert from "node:assert/strict";
import { addMs, CarillonError } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addTopic,
  after,
  everything,
  newTopic,
  noQuota,
  otherProjectId,
  projectId,
  start,
} from "./fixtures.ts";

export function testTopics({ test }: Cases): void {
  test("finds the latest topic of a name, deleted ones too", async (store) => {
    const find = (name: string, of = projectId) =>
      store.findLatestTopicId(of, name);
    assert.equal(await find("latest"), undefined);
    const first = await addTopic(store, { name: "latest" });
    assert.equal(await find("latest"), first.id);
    await store.deleteTopic(projectId, "latest", start);
    assert.equal(await find("latest"), first.id);
    const second = await addTopic(store, { name: "latest" });
    assert.equal(await find("latest"), second.id);
    await store.deleteTopic(projectId, "latest", start);
    assert.equal(await find("latest"), second.id);
    assert.equal(await find("latest", otherProjectId), undefined);
  });

  test("keeps a topic as it was given, with a growing number", async (store) => {
    const given = newTopic({
      introduction: "Hello",
      accessPolicy: "{}",
      pushPolicy: 1,
    });
    const { topic, created } = await store.createTopic(given, noQuota);
    const next = await addTopic(store);
    assert.ok(created);
    assert.deepEqual(topic, { ...given, seq: topic.seq });
    assert.ok(next.seq > topic.seq);
    assert.deepEqual(await store.findTopic(projectId, given.name), topic);
  });

  test("answers the topic that has the name already, unchanged", async (store) => {
    const topic = await addTopic(store, { name: "orders" });
    const again = await store.createTopic(
      newTopic({ name: "orders", displayName: "Other" }),
      noQuota,
    );
    assert.deepEqual(again, { topic, created: false });
  });

  test("gives each project names of its own", async (store) => {
    const mine = await addTopic(store, { name: "orders" });
    const other = await addTopic(store, {
      name: "orders",
      projectId: otherProjectId,
    });
    assert.notEqual(mine.seq, other.seq);
    assert.deepEqual(await store.findTopic(projectId, "orders"), mine);
    assert.equal(await store.findTopic(projectId, "bills"), undefined);
  });

  test("refuses a topic beyond the project's quota", async (store) => {
    await addTopic(store, { name: "first" });
    await addTopic(store, { projectId: otherProjectId });
    await assert.rejects(store.createTopic(newTopic(), 1), isQuotaError);
    const { created } = await store.createTopic(newTopic({ name: "first" }), 1);
    assert.equal(created, false);
    assert.equal((await store.createTopic(newTopic(), 2)).created, true);
  });

  test("lists a project's topics, newest first", async (store) => {
    const first = await addTopic(store);
    const second = await addTopic(store);
    await addTopic(store, { projectId: otherProjectId });
    assert.deepEqual(await store.listTopics(projectId, {}, everything), {
      total: 2,
      items: [second, first],
    });
    assert.deepEqual(
      await store.listTopics(projectId, {}, { offset: 1, limit: 1 }),
      { total: 2, items: [first] },
    );
    assert.deepEqual(
      await store.listTopics(projectId, {}, { offset: 2, limit: 10 }),
      { total: 2, items: [] },
    );
  });

  test("filters topics and counts what matches", async (store) => {
    const one = await addTopic(store, {
      name: "orders-eu",
      displayName: "Orders (EU) 100%",
      enterpriseProjectId: "e1",
    });
    const two = await addTopic(store, { name: "orders-us", displayName: "US" });
    await addTopic(store, { name: "bills", displayName: "Bills" });
    const list = async (filter: Parameters<typeof store.listTopics>[1]) => {
      const { total, items } = await store.listTopics(projectId, filter, {
        offset: 0,
        limit: 1,
      });
      return { total, first: items[0]?.name };
    };
    const eu = { total: 1, first: one.name };
    assert.deepEqual(await list({ id: one.id }), eu);
    assert.deepEqual(await list({ name: "orders-eu" }), eu);
    assert.deepEqual(await list({ fuzzyName: "orders" }), {
      total: 2,
      first: two.name,
    });
    assert.deepEqual(await list({ fuzzyDisplayName: "100%" }), eu);
    assert.deepEqual(await list({ enterpriseProjectId: "e1" }), eu);
    const none = { total: 0, first: undefined };
    assert.deepEqual(await list({ name: "orders" }), none);
    assert.deepEqual(await list({ fuzzyName: "%" }), none);
    assert.deepEqual(await list({ fuzzyName: "orders", name: "bills" }), none);
  });

  test("goes on behind a topic that was deleted between two pages", async (store) => {
    const oldest = await addTopic(store);
    const marker = await addTopic(store);
    await addTopic(store);
    await store.deleteTopic(projectId, marker.name, after(1));
    const page = { offset: 7, limit: 10, marker: marker.id };
    const { items } = await store.listTopics(projectId, {}, page);
    assert.deepEqual(items, [oldest]);
  });

  test("finds nothing behind a marker of another project", async (store) => {
    await addTopic(store);
    const { id } = await addTopic(store, { projectId: otherProjectId });
    const page = { offset: 0, limit: 10, marker: id };
    const { items } = await store.listTopics(projectId, {}, page);
    assert.deepEqual(items, []);
  });

  test("changes a topic's display name", async (store) => {
    const topic = await addTopic(store);
    const change = {
      displayName: "Renamed",
      updatedAt: addMs(topic.updatedAt, 1),
    };
    assert.equal(
      await store.updateTopic(otherProjectId, topic.name, change),
      false,
    );
    assert.equal(await store.updateTopic(projectId, topic.name, change), true);
    assert.deepEqual(await store.findTopic(projectId, topic.name), {
      ...topic,
      ...change,
    });
  });

  test("changes what is given of a topic, byte for byte", async (store) => {
    const topic = await addTopic(store, { displayName: "Orders" });
    const { name } = topic;
    // Longer than a page of a database, and not what JSON would make of it.
    const accessPolicy = `\n\t {"Version" : "\u00e4\u{1F514}${"x".repeat(30_000)}"}\r\n`;
    const steps = [
      { accessPolicy, updatedAt: after(2) },
      { introduction: "Grüße\n", updatedAt: after(3) },
      { accessPolicy: "", updatedAt: after(4) },
      { introduction: "", accessPolicy: "", updatedAt: after(5) },
    ];
    let expected = topic;
    for (const step of steps) {
      assert.equal(await store.updateTopic(projectId, name, step), true);
      expected = { ...expected, ...step };
      assert.deepEqual(await store.findTopic(projectId, name), expected);
      const { items } = await store.listTopics(projectId, {}, everything);
      assert.deepEqual(items, [expected]);
    }
  });

  test("frees the name and the place of a deleted topic", async (store) => {
    const { seq, name } = await addTopic(store);
    assert.equal(
      await store.deleteTopic(otherProjectId, name, after(1)),
      false,
    );
    assert.equal(await store.deleteTopic(projectId, name, after(1)), true);
    assert.equal(await store.deleteTopic(projectId, name, after(1)), false);
    assert.equal(await store.findTopic(projectId, name), undefined);
    const change = { displayName: "", updatedAt: after(1) };
    assert.equal(await store.updateTopic(projectId, name, change), false);
    assert.deepEqual(await store.listTopics(projectId, {}, everything), {
      total: 0,
      items: [],
    });
    const { topic } = await store.createTopic(newTopic({ name }), 1);
    assert.ok(topic.seq > seq);
  });
}

function isQuotaError(error: unknown): boolean {
  return (
    error instanceof CarillonError && error.code === "TOPIC_QUOTA_EXCEEDED"
  );
}
