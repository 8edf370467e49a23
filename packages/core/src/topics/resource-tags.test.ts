import assert from "node:assert/strict";
import { test } from "node:test";
import { createCountingIds, ManualClock, MemoryStore } from "@carillon/testing";
import type { ProjectId } from "../ids.ts";
import { createResourceFilter } from "./resource-filter.ts";
import { createResourceTags } from "./resource-tags.ts";
import { createTopics } from "./topics.ts";

const projectId = "1".repeat(32) as ProjectId;
const other = "2".repeat(32) as ProjectId;
const region = "local";

async function setUp(quota = 20) {
  const store = new MemoryStore();
  const newId = createCountingIds();
  const clock = new ManualClock();
  const topics = createTopics({ store, clock, newId }, { region });
  const tags = createResourceTags({ store }, { region, quota: () => quota });
  const { topic } = await topics.create(projectId, { name: "alerts" });
  return { topics, tags, topic };
}

test("a topic is found by id, URN and name, in its own project only", async () => {
  const { topics, tags, topic } = await setUp();
  const urn = topics.urnOf(topic);
  const byName = { kind: "name", value: "alerts" } as const;
  await tags.put(projectId, byName, { key: "env", value: "prod" });
  for (const reference of [
    byName,
    { kind: "id", value: topic.id },
    { kind: "id", value: urn },
  ] as const) {
    assert.deepEqual(await tags.list(projectId, reference), [
      { key: "env", value: "prod" },
    ]);
    const absent = { code: "TOPIC_NOT_FOUND" };
    await assert.rejects(tags.list(other, reference), absent);
    await assert.rejects(
      tags.put(other, reference, { key: "k", value: "" }),
      absent,
    );
    await assert.rejects(tags.remove(other, reference, "env"), absent);
  }
  assert.deepEqual(await tags.listOfProject(other), []);
});

test("deleting tags in a batch does not mind unknown ones, one alone does", async () => {
  const { tags, topic } = await setUp();
  const reference = { kind: "id", value: topic.id } as const;
  const batch = { action: "delete", keys: ["none"] } as const;
  await tags.applyBatch(projectId, reference, batch);
  await assert.rejects(tags.remove(projectId, reference, "none"), {
    code: "RESOURCE_TAG_NOT_FOUND",
  });
});

test("the quota is the topic's, whichever way tags come", async () => {
  const { tags, topic } = await setUp(2);
  const reference = { kind: "id", value: topic.id } as const;
  const put = (key: string) =>
    tags.put(projectId, reference, { key, value: "" });
  await put("a");
  const full = { code: "RESOURCE_TAG_QUOTA_EXCEEDED" };
  const two = [
    { key: "b", value: "" },
    { key: "c", value: "" },
  ];
  await assert.rejects(
    tags.applyBatch(projectId, reference, { action: "create", tags: two }),
    full,
  );
  await put("b");
  await assert.rejects(put("c"), full);
  await put("a");
});

test("a count is the number of topics that a filter finds", async () => {
  const { topics, tags, topic } = await setUp();
  await topics.create(projectId, { name: "bills" });
  const byId = { kind: "id", value: topic.id } as const;
  await tags.put(projectId, byId, { key: "env", value: "prod" });
  const filter = createResourceFilter({ tags: [{ key: "env", values: [] }] });
  const counted = await tags.query(projectId, { action: "count", filter });
  assert.deepEqual(counted, { action: "count", total: 1 });
  const found = await tags.query(projectId, {
    action: "filter",
    filter,
    page: { offset: 0, limit: 10 },
  });
  assert.ok(found.action === "filter");
  assert.deepEqual(
    found.items.map((item) => item.topic.name),
    ["alerts"],
  );
});
