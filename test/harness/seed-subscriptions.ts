/** Puts confirmed subscriptions straight into the store of a stopped server. */

import {
  type ProjectId,
  type SubscriptionId,
  systemClock,
  type TopicId,
} from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { credentials } from "./carillon-process.ts";

export async function seedSubscriptions(
  folder: string,
  topicName: string,
  count: number,
  endpoint: (n: number) => string,
): Promise<void> {
  const projectId = credentials.projectId as ProjectId;
  const now = systemClock.now();
  const newId = () => crypto.randomUUID().replaceAll("-", "");
  await using store = await openSqliteStore({ folder });
  const { topic } = await store.createTopic(
    {
      id: newId() as TopicId,
      projectId,
      name: topicName,
      displayName: "",
      enterpriseProjectId: "0",
      pushPolicy: 0,
      introduction: "",
      accessPolicy: "",
      createdAt: now,
      updatedAt: now,
    },
    1000,
  );
  const add = (n: number) =>
    store.addSubscription(
      {
        id: newId() as SubscriptionId,
        topicSeq: topic.seq,
        projectId,
        protocol: "http",
        endpoint: endpoint(n),
        remark: "",
        extension: {},
        status: 1,
        createdAt: now,
      },
      undefined,
      count,
    );
  for (let from = 0; from < count; from += 2000) {
    const batch = Math.min(2000, count - from);
    await Promise.all(Array.from({ length: batch }, (_, n) => add(from + n)));
  }
}
