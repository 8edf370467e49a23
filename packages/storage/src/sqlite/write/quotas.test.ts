import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  MessageTemplateId,
  SubscriptionId,
  TopicId,
} from "@carillon/core";
import type { SqliteStore } from "../sqlite-store.ts";
import { freshId, openWithTopic, projectId, start } from "../store.fixture.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";

const newFolder = temporaryFolders();
const quota = 7;
const everything = { offset: 0, limit: 100 };

interface Limited {
  /** Adds a new one. */
  add(store: SqliteStore, topicSeq: number): Promise<unknown>;
  count(store: SqliteStore, topicSeq: number): Promise<number>;
}

const limited: Record<string, Limited> = {
  topics: {
    add: (store) =>
      store.createTopic(
        {
          id: freshId() as TopicId,
          projectId,
          name: freshId(),
          displayName: "",
          enterpriseProjectId: "0",
          pushPolicy: 0,
          introduction: "",
          accessPolicy: "",
          createdAt: start,
          updatedAt: start,
        },
        // The fixture's topic counts too.
        quota + 1,
      ),
    count: async (store) =>
      (await store.listTopics(projectId, {}, everything)).total - 1,
  },
  subscriptions: {
    add: (store, topicSeq) =>
      store.addSubscription(
        {
          id: freshId() as SubscriptionId,
          topicSeq,
          projectId,
          protocol: "https",
          endpoint: `https://example.com/${freshId()}`,
          remark: "",
          extension: {},
          status: 1,
          createdAt: start,
        },
        undefined,
        quota,
      ),
    count: async (store) =>
      (await store.listSubscriptions(projectId, {}, everything)).total,
  },
  templates: {
    add: (store) =>
      store.createTemplate(
        {
          id: freshId() as MessageTemplateId,
          projectId,
          name: freshId(),
          protocol: "default",
          content: "Hello",
          tagNames: [],
          createdAt: start,
          updatedAt: start,
        },
        quota,
      ),
    count: async (store) =>
      (await store.listTemplates(projectId, {}, everything)).total,
  },
  "subscription users": {
    add: async (store) => {
      const isAdded = await store.addSubscriptionUser(
        {
          id: freshId(),
          projectId,
          domainId: "d",
          name: "Ada",
          protocol: "email",
          endpoint: "ada@example.com",
          remark: "",
          createdAt: start,
        },
        quota,
      );
      if (!isAdded) throw new Error("The quota is reached.");
    },
    count: async (store) =>
      (
        await store.listSubscriptionUsers(
          { kind: "project", projectId },
          everything,
        )
      ).total,
  },
  "resource tags": {
    add: (store, topicSeq) =>
      store.putTags(topicSeq, [{ key: freshId(), value: "" }], quota),
    count: async (store, topicSeq) =>
      (await store.listTags([topicSeq])).get(topicSeq)?.length ?? 0,
  },
};

for (const [things, { add, count }] of Object.entries(limited)) {
  test(`keeps to the quota of ${things} when many are added at once`, async () => {
    const { store: opened, topic } = await openWithTopic(newFolder(), 0);
    await using store = opened;
    const results = await Promise.allSettled(
      Array.from({ length: 30 }, () => add(store, topic.seq)),
    );
    const added = results.filter(({ status }) => status === "fulfilled");
    assert.equal(added.length, quota);
    assert.equal(await count(store, topic.seq), quota);
  });
}
