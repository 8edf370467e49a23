/** Prepares data folders with many confirmed subscriptions. */

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type {
  FilterPolicy,
  ProjectId,
  SubscriptionId,
  TopicId,
} from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { benchCredentials } from "./process.ts";

export interface DataFolder extends AsyncDisposable {
  readonly path: string;
}

export async function createDataFolder(): Promise<DataFolder> {
  const path = await mkdtemp(join(tmpdir(), "carillon-bench-"));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

/**
 * Adds a topic whose subscribers are the given endpoints, all confirmed.
 *
 * @param policiesOf filter policies of the n-th
 */
export async function seedTopic(
  folder: string,
  name: string,
  endpoints: Iterable<string>,
  policiesOf?: (n: number) => readonly FilterPolicy[],
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
      createdAt: Date.now(),
      updatedAt: Date.now(),
    },
    1000,
  );
  let batch: Promise<unknown>[] = [];
  let n = 0;
  for (const endpoint of endpoints) {
    const id = newId() as SubscriptionId;
    batch.push(
      store.addSubscription(
        {
          id,
          topicSeq: topic.seq,
          projectId,
          protocol: "http",
          endpoint,
          remark: "",
          extension: {},
          status: 1,
          createdAt: Date.now(),
        },
        undefined,
        10_000_000,
      ),
    );
    const filterPolicies = policiesOf?.(n++);
    if (filterPolicies) {
      batch.push(
        store.updateSubscription(projectId, name, id, { filterPolicies }),
      );
    }
    if (batch.length >= 2000) {
      await Promise.all(batch);
      batch = [];
    }
  }
  await Promise.all(batch);
}

export const topicUrn = (name: string) =>
  `urn:smn:local:${benchCredentials.projectId}:${name}`;

export const topicsPath = `/v2/${benchCredentials.projectId}/notifications/topics`;

export const publishPath = (name: string) =>
  `/v2/${benchCredentials.projectId}/notifications/topics/${topicUrn(name)}/publish`;

function newId(): string {
  return crypto.randomUUID().replaceAll("-", "");
}
