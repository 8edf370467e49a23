import assert from "node:assert/strict";
import { test } from "node:test";
import { createCountingIds, ManualClock, MemoryStore } from "@carillon/testing";
import type { ProjectId } from "../ids.ts";
import { attributesOf } from "./topic-attributes.ts";
import { createTopics } from "./topics.ts";

const projectId = "1".repeat(32) as ProjectId;
const other = "2".repeat(32) as ProjectId;

async function setUp() {
  const clock = new ManualClock();
  const newId = createCountingIds();
  const topics = createTopics(
    { store: new MemoryStore(), clock, newId },
    { region: "local" },
  );
  const { topic } = await topics.create(projectId, {
    name: "alerts",
    displayName: "Alerts",
  });
  const urn = topics.urnOf(topic);
  return { clock, topics, urn };
}

test("attributes change one by one, and leave the rest alone", async () => {
  const { clock, topics, urn } = await setUp();
  const before = await topics.get(projectId, urn);
  assert.deepEqual(attributesOf(before), {
    access_policy: "",
    introduction: "",
  });
  clock.advance(5000);
  await topics.setAttribute(projectId, urn, "introduction", "Hello");
  const after = await topics.get(projectId, urn);
  assert.deepEqual(after, {
    ...before,
    introduction: "Hello",
    updatedAt: before.updatedAt + 5000,
  });
  await topics.update(projectId, urn, { displayName: "Renamed" });
  await topics.resetAttributes(projectId, urn, "access_policy");
  const { introduction, displayName } = await topics.get(projectId, urn);
  assert.deepEqual([introduction, displayName], ["Hello", "Renamed"]);
  await topics.resetAttributes(projectId, urn);
  const reset = await topics.get(projectId, urn);
  assert.deepEqual([reset.introduction, reset.displayName], ["", "Renamed"]);
});

test("attributes of another project's topic are as if absent", async () => {
  const { topics, urn } = await setUp();
  const absent = { code: "TOPIC_NOT_FOUND" };
  const set = topics.setAttribute(other, urn, "introduction", "Hello");
  await assert.rejects(set, absent);
  await assert.rejects(topics.resetAttributes(other, urn), absent);
  await assert.rejects(topics.setAttribute(projectId, urn, "colour", "red"), {
    code: "TOPIC_ATTRIBUTE_INVALID",
  });
  await assert.rejects(topics.resetAttributes(projectId, urn, "colour"), {
    code: "TOPIC_ATTRIBUTE_INVALID",
  });
});
