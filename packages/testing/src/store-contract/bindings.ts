import assert from "node:assert/strict";
import { CarillonError } from "@carillon/core";
import type { Cases } from "./cases.ts";
import { addTopic, after, projectId, start } from "./fixtures.ts";

export function testBindings({ test }: Cases): void {
  test("keeps one binding of each kind per topic", async (store) => {
    const topic = await addTopic(store);
    const other = await addTopic(store);
    const logtank = { logGroupId: "g", logStreamId: "s" };
    const add = (topicSeq: number, id: string) =>
      store.addBinding(topicSeq, "logtank", {
        id,
        data: logtank,
        createdAt: start,
      });
    assert.equal(await add(topic.seq, "l1"), true);
    assert.equal(await add(topic.seq, "l2"), false);
    assert.equal(await add(other.seq, "l3"), true);
    const kms = { id: "k1", data: { keyId: "k" }, createdAt: start };
    assert.equal(await store.addBinding(topic.seq, "kms", kms), true);

    assert.deepEqual(await store.findBinding(topic.seq, "logtank"), {
      id: "l1",
      topicId: topic.id,
      data: logtank,
      createdAt: start,
      updatedAt: start,
    });
    assert.deepEqual(
      (await store.findBinding(topic.seq, "kms"))?.data,
      kms.data,
    );
    assert.equal(await store.findBinding(other.seq, "kms"), undefined);
  });

  test("changes and removes a binding by its id only", async (store) => {
    const topic = await addTopic(store);
    const { seq } = topic;
    await store.addBinding(seq, "kms", {
      id: "k1",
      data: { keyId: "a" },
      createdAt: start,
    });
    const change = { data: { keyId: "b" }, updatedAt: after(5) };
    assert.equal(await store.updateBinding(seq, "kms", "k2", change), false);
    assert.equal(await store.removeBinding(seq, "kms", "k2"), false);
    assert.equal(await store.removeBinding(seq, "logtank", "k1"), false);
    assert.equal(await store.updateBinding(seq, "kms", "k1", change), true);
    assert.deepEqual(await store.findBinding(seq, "kms"), {
      id: "k1",
      topicId: topic.id,
      createdAt: start,
      ...change,
    });
    assert.equal(await store.removeBinding(seq, "kms", "k1"), true);
    assert.equal(await store.removeBinding(seq, "kms", "k1"), false);
    assert.equal(await store.findBinding(seq, "kms"), undefined);
  });

  test("bindings go with their topic", async (store) => {
    const topic = await addTopic(store);
    const binding = { id: "k1", data: { keyId: "a" }, createdAt: start };
    await store.addBinding(topic.seq, "kms", binding);
    await store.deleteTopic(projectId, topic.name, start);
    assert.equal(await store.findBinding(topic.seq, "kms"), undefined);
    await assert.rejects(
      store.addBinding(topic.seq, "kms", binding),
      (error) =>
        error instanceof CarillonError && error.code === "TOPIC_NOT_FOUND",
    );
  });
}
