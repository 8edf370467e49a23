import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addMs,
  type ProjectId,
  type Subscription,
  type SubscriptionId,
  type TopicId,
  toEpochMs,
} from "@carillon/core";
import { openSqliteStore } from "../sqlite-store.ts";
import { temporaryFolders } from "../temporary-folder.fixture.ts";

const newFolder = temporaryFolders();
const projectId = "0".repeat(32) as ProjectId;
const start = toEpochMs(0);

test("finds pages at any offset of a list of many blocks", async () => {
  await using store = await openSqliteStore({ folder: newFolder() });
  const topics = await Promise.all(
    ["a", "b"].map(async (name) => {
      const { topic } = await store.createTopic(
        {
          id: name as TopicId,
          projectId,
          name,
          displayName: "",
          enterpriseProjectId: "0",
          pushPolicy: 0,
          introduction: "",
          accessPolicy: "",
          createdAt: start,
          updatedAt: start,
        },
        2,
      );
      return topic;
    }),
  );
  const added = await Promise.all(
    Array.from({ length: 15_000 }, async (_, n) => {
      // The second topic's are scattered among the first one's.
      const topic = topics[n % 3 === 1 ? 1 : 0];
      const { subscription } = await store.addSubscription(
        {
          id: `s${n}` as SubscriptionId,
          topicSeq: topic?.seq ?? 0,
          projectId,
          protocol: "https",
          endpoint: `https://example.com/${n}`,
          remark: "",
          extension: {},
          status: 1,
          createdAt: start,
        },
        undefined,
        1_000_000,
      );
      return subscription;
    }),
  );
  const isDeleted = ({ seq }: Subscription) => seq % 3 === 0 && seq > 4000;
  await Promise.all(
    added
      .filter(isDeleted)
      .map(({ topicName, id }) =>
        store.deleteSubscription(projectId, topicName, id, addMs(start, 1)),
      ),
  );
  const all = added
    .filter((it) => !isDeleted(it))
    .sort((a, b) => a.seq - b.seq);

  const checkPages = async (present: readonly Subscription[]) => {
    for (const topicSeq of [undefined, ...topics.map(({ seq }) => seq)]) {
      const expected = present.filter(
        (it) => topicSeq === undefined || it.topicSeq === topicSeq,
      );
      const filter = topicSeq === undefined ? {} : { topicSeq };
      for (let offset = 0; offset < expected.length + 1000; offset += 997) {
        const page = { offset, limit: 10 };
        assert.deepEqual(
          await store.listSubscriptions(projectId, filter, page),
          {
            total: expected.length,
            items: expected.slice(offset, offset + 10),
          },
        );
      }
    }
  };
  await checkPages(all);
  const [, scattered] = topics;
  await store.deleteTopic(projectId, scattered?.name ?? "", addMs(start, 1));
  await checkPages(all.filter((it) => it.topicSeq !== scattered?.seq));
});
