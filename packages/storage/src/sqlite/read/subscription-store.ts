/** Subscriptions in SQLite: reads, and the way to the writer. */

import {
  CarillonError,
  type Clock,
  claimNotice,
  isUnsubscribable,
  type PageRequest,
  type ProjectId,
  type Subscription,
  type SubscriptionFilter,
  type SubscriptionId,
  type SubscriptionStore,
  subscriptionStatus,
} from "@carillon/core";
import type { Connections } from "../connections.ts";
import {
  type SubscriptionRow,
  subscriptions,
  subscriptionTables,
} from "../schema/subscription-table.ts";
import { Conditions } from "./conditions.ts";
import { endOfLease } from "./lease-end.ts";
import type { Reader } from "./reader.ts";

/**
 * `clock`: says when its subscribers confirm and leave, and when leases end.
 */
export function createSubscriptionStore(
  { reader, writer }: Connections,
  clock: Pick<Clock, "now" | "monotonic">,
): SubscriptionStore {
  /** Parameters: id. Index: subscriptions_id. */
  const byId = reader.prepare<SubscriptionRow>(
    `SELECT ${subscriptions.columns()} FROM ${subscriptionTables}
     WHERE subscriptions.id = ? AND status < 4`,
  );
  /** Parameters: topic. Index: the primary key. */
  const countOfTopic = reader.prepare<[subscriptions: number]>(
    "SELECT subscription_count FROM topics WHERE seq = ?",
  );
  const lists = createLists(reader);

  function findById(id: SubscriptionId): Subscription | undefined {
    const row = byId.get(id);
    return row && subscriptions.fromRow(row);
  }

  return {
    async findSubscription(projectId, topicName, id) {
      const found = findById(id);
      return found?.projectId === projectId && found.topicName === topicName
        ? found
        : undefined;
    },
    async findSubscriptionById(id) {
      return findById(id);
    },
    async countSubscriptions(topicSeq) {
      return countOfTopic.get(topicSeq)?.[0] ?? 0;
    },
    async listSubscriptions(projectId, filter, page) {
      return lists(projectId, filter, page);
    },
    async addSubscription(subscription, confirmation, quota, lease) {
      const result = await writer.run(
        "addSubscription",
        subscription,
        confirmation ?? null,
        quota,
        lease ? [lease.owner, endOfLease(lease, clock)] : null,
        clock.now(),
      );
      switch (result) {
        case "SUBSCRIPTION_QUOTA_EXCEEDED":
          throw new CarillonError(
            result,
            `The topic has ${quota} subscriptions, as many as it may: delete one first.`,
          );
        case "TOPIC_NOT_FOUND":
          throw new CarillonError(result, "The topic was deleted meanwhile.");
        default: {
          const { row, created, throttled, messageSeq } = result;
          const added = subscriptions.fromRow(row);
          return {
            subscription: added,
            created,
            ...(throttled && { throttled }),
            ...(lease &&
              confirmation &&
              messageSeq !== undefined && {
                claimed: claimNotice(confirmation, added, messageSeq),
              }),
          };
        }
      }
    },
    async confirmSubscription(id, generation, wrongCodes) {
      const row = await writer.run(
        "confirmSubscription",
        id,
        generation,
        wrongCodes ?? null,
        clock.now(),
      );
      return row && subscriptions.fromRow(row);
    },
    async cancelSubscription(id, unsubscribeNotice, generation) {
      const known = findById(id);
      if (!known || !mayEnd(known, generation)) return undefined;
      if (known.status === subscriptionStatus.cancelled) return known;
      // Should it be gone, cancelled or in another generation by the time it is
      // its turn, the writer sees so and sends nothing.
      const row = await writer.run(
        "cancelSubscription",
        id,
        unsubscribeNotice(known) ?? null,
        generation ?? null,
        clock.now(),
      );
      return row && subscriptions.fromRow(row);
    },
    updateSubscription: (projectId, topicName, id, change) =>
      writer.run("updateSubscription", projectId, topicName, id, change),
    replaceSignature: (id, expected, next) =>
      writer.run("replaceSignature", id, expected, next),
    deleteSubscription: (projectId, topicName, id, at) =>
      writer.run("deleteSubscription", projectId, topicName, id, at),
  };
}

function mayEnd(known: Subscription, generation: number | undefined): boolean {
  return generation === undefined || isUnsubscribable(known, { generation });
}

/** Subscriptions counted together, to find the start of a page. */
const blockSize = 4096;

function createLists(reader: Reader) {
  /** Parameters: project. Index: the primary key. */
  const countOfProject = reader.prepare<[subscriptions: number]>(
    "SELECT subscriptions FROM project_counts WHERE project_id = ?",
  );
  /** Parameters: topic, project. Index: the primary key. */
  const countOfTopic = reader.prepare<[subscriptions: number]>(
    "SELECT subscription_count FROM topics WHERE seq = ? AND project_id = ?",
  );
  /**
   * The block in which an offset lies, and how many come before that block.
   * Parameters: project, topic or 0, offset. Index: the primary key.
   */
  const blockOfOffset = reader.prepare<[block: number, before: number]>(
    `SELECT block, before FROM (
       SELECT block,
         sum(count) OVER (ORDER BY block) - count AS before, count
       FROM subscription_blocks WHERE project_id = ? AND topic_seq = ?)
     WHERE before + count > ? ORDER BY block LIMIT 1`,
  );

  return (
    projectId: ProjectId,
    filter: SubscriptionFilter,
    { offset, limit, marker }: PageRequest,
  ) => {
    const { topicSeq, protocol, protocols, status, endpoint, fuzzyRemark } =
      filter;
    const where = new Conditions().add("status < 4");
    if (topicSeq === undefined) {
      // With a plus the project's index is left alone for the endpoint's.
      const column = endpoint === undefined ? "project_id" : "+project_id";
      where.add(`${column} = ?`, projectId);
    } else {
      where.add(
        "topic_seq = (SELECT seq FROM topics WHERE seq = ? AND project_id = ?)",
        topicSeq,
        projectId,
      );
    }
    const wholeSize = where.size;
    where
      .addIfSet("protocol = ?", protocol)
      .addIfSet(
        "protocol IN (SELECT value FROM json_each(?))",
        protocols && JSON.stringify(protocols),
      )
      .addIfSet("status = ?", status)
      .addIfSet("endpoint = ?", endpoint)
      .addIfSet("instr(remark, ?) > 0", fuzzyRemark);
    const isWhole = where.size === wholeSize;

    const [total] = (isWhole
      ? topicSeq === undefined
        ? countOfProject.get(projectId)
        : countOfTopic.get(topicSeq, projectId)
      : reader
          .prepared<[number]>(`SELECT count(*) FROM subscriptions ${where.sql}`)
          .get(...where.values)) ?? [0];

    let skip = offset;
    if (marker !== undefined) {
      skip = 0;
      // An unknown marker is NULL, behind which nothing comes.
      where.add(
        "seq > (SELECT seq FROM subscriptions WHERE id = ? AND project_id = ?)",
        marker,
        projectId,
      );
    } else if (isWhole && offset >= blockSize) {
      const [block, before] = blockOfOffset.get(
        projectId,
        topicSeq ?? 0,
        offset,
      ) ?? [0, 0];
      skip = offset - before;
      where.add("seq >= ?", block * blockSize);
    }
    // Passes over in an index, and touches only the rows of the page.
    const rows = reader
      .prepared<SubscriptionRow>(
        `SELECT ${subscriptions.columns()} FROM ${subscriptionTables}
         WHERE subscriptions.seq IN
           (SELECT seq FROM subscriptions ${where.sql}
            ORDER BY seq LIMIT ? OFFSET ?)
         ORDER BY subscriptions.seq`,
      )
      .all(...where.values, limit, skip);
    return { total, items: rows.map((row) => subscriptions.fromRow(row)) };
  };
}
