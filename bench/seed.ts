/**
 * Puts a million confirmed subscriptions straight into a store: over the API
 * it would take longer than what is measured. Nothing seeded here is timed.
 */

import {
  type ProjectId,
  type SubscriptionId,
  systemClock,
  type TopicId,
} from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { receiverAddress } from "./addresses.ts";
import { benchCredentials } from "./carillon.ts";

/** Adds a topic with `/hook/0` to `/hook/{count - 1}` at the sink's port. */
export async function seedTopic(
  folder: string,
  name: string,
  count: number,
  port: number,
): Promise<void> {
  const projectId = benchCredentials.projectId as ProjectId;
  await using store = await openSqliteStore({ folder });
  const { topic } = await store.createTopic(
    {
      id: newId() as TopicId,
      projectId,
      name,
      displayName: "",
      enterpriseProjectId: "0",
      pushPolicy: 0,
      introduction: "",
      accessPolicy: "",
      createdAt: systemClock.now(),
      updatedAt: systemClock.now(),
    },
    1000,
  );
  for (let from = 0; from < count; from += 2000) {
    const batch = Math.min(2000, count - from);
    await Promise.all(
      Array.from({ length: batch }, (_, i) =>
        store.addSubscription(
          {
            id: newId() as SubscriptionId,
            topicSeq: topic.seq,
            projectId,
            protocol: "http",
            endpoint: `http://${receiverAddress(from + i)}:${port}/hook/${from + i}`,
            remark: "",
            extension: {},
            status: 1,
            createdAt: systemClock.now(),
          },
          undefined,
          10_000_000,
        ),
      ),
    );
  }
}

function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
