/** Topics and subscriptions of the in-memory store. */

import {
  CarillonError,
  type ProjectId,
  type Subscription,
  subscriptionStatus,
  type Topic,
} from "@carillon/core";
import type { Tables } from "./tables.ts";

/** @throws CarillonError PROJECT_DELETED */
export function checkProject(
  { deletedProjects }: Tables,
  projectId: ProjectId,
): void {
  if (deletedProjects.has(projectId)) {
    throw new CarillonError("PROJECT_DELETED");
  }
}

export function findTopic(
  tables: Tables,
  projectId: ProjectId,
  name: string,
): Topic | undefined {
  return listTopics(tables, projectId).find((topic) => topic.name === name);
}

/** Those of a project that were not deleted, oldest first. */
export function listTopics(tables: Tables, projectId: ProjectId): Topic[] {
  return tables.topics
    .list()
    .filter(
      (topic) => topic.projectId === projectId && hasTopic(tables, topic.seq),
    );
}

export function hasTopic({ topics, deletedTopics }: Tables, seq: number) {
  return topics.has(seq) && !deletedTopics.has(seq);
}

export function listPresent({ subscriptions }: Tables): Subscription[] {
  return subscriptions.list().filter((it) => !isDeleted(it));
}

/** Recipients of a topic's messages, in order of their numbers. */
export function listActive(tables: Tables, topicSeq: number): Subscription[] {
  return tables.subscriptions
    .list()
    .filter((it) => it.topicSeq === topicSeq && isActive(it));
}

/** What waits to be fetched through it is cancelled later. */
export function endSubscription(
  tables: Tables,
  subscription: Subscription,
): void {
  setStatus(tables, subscription, "deleted");
  const { mailbox, seq: target } = subscription;
  if (mailbox === undefined) return;
  tables.withdrawals.put(`${mailbox}/${target}`, { mailbox, target });
}

export function setStatus(
  { subscriptions }: Tables,
  subscription: Subscription,
  status: keyof typeof subscriptionStatus,
): Subscription {
  return subscriptions.put(subscription.seq, {
    ...subscription,
    status: subscriptionStatus[status],
  });
}

/** Whether a subscription gets what its topic publishes. */
export function isActive({ status }: Subscription): boolean {
  return (
    status === subscriptionStatus.confirmed ||
    status === subscriptionStatus.confirmationNotNeeded
  );
}

export function isDeleted({ status }: Subscription): boolean {
  return status === subscriptionStatus.deleted;
}
