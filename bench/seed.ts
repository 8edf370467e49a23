/**
 * Puts a million confirmed subscriptions straight into a store: over the API
 * it would take longer than what is measured. Nothing seeded here is timed.
 */

import {
  addMs,
  defaultPullSettings,
  type MailboxId,
  type MessageId,
  type ProjectId,
  type SubscriptionId,
  systemClock,
  type TopicId,
} from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import { receiverAddress } from "./addresses.ts";
import { benchCredentials } from "./carillon.ts";
import { mailboxName } from "./pull-paths.ts";

/** Adds a topic with `/hook/0` to `/hook/{count - 1}` at the sink's port. */
export async function seedTopic(
  folder: string,
  name: string,
  count: number,
  port: number,
): Promise<void> {
  await seed(folder, name, count, "http", (n) => {
    return `http://${receiverAddress(n)}:${port}/hook/${n}`;
  });
}

/** Adds a topic of phones, whose numbers do not follow each other. */
export async function seedPhones(
  folder: string,
  name: string,
  count: number,
): Promise<void> {
  await seed(folder, name, count, "sms", phoneNumber);
}

/** Adds a topic of mailboxes, from `box-0` on. */
export async function seedMailboxes(
  folder: string,
  name: string,
  count: number,
): Promise<void> {
  await seed(folder, name, count, "pull", mailboxName);
}

/** German mobile numbers; a prime step spreads them over all there are. */
export function phoneNumber(n: number): string {
  const subscriber = (n * 7_368_787) % 100_000_000;
  return `+49151${String(subscriber).padStart(8, "0")}`;
}

/** Stores texts as batch mode does, each to a phone of its own, for a day. */
export async function seedBatchedTexts(
  folder: string,
  count: number,
): Promise<void> {
  const projectId = benchCredentials.projectId as ProjectId;
  await using store = await openSqliteStore({ folder });
  for (let from = 0; from < count; from += 2000) {
    const batch = Math.min(2000, count - from);
    await Promise.all(
      Array.from({ length: batch }, (_, i) => {
        const createdAt = systemClock.now();
        return store.acceptStored(
          {
            id: newId() as MessageId,
            projectId,
            audience: "direct",
            content: { kind: "text", text: "Your parcel is here" },
            createdAt,
            expiresAt: addMs(createdAt, 86_400_000),
            timeToLiveSeconds: 86_400,
            retries: "batch",
          },
          [
            {
              protocol: "sms",
              endpoint: phoneNumber(from + i),
              billable: true,
            },
          ],
          { isBatched: true },
        );
      }),
    );
  }
}

async function seed(
  folder: string,
  name: string,
  count: number,
  protocol: string,
  endpointOf: (n: number) => string,
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
            protocol,
            endpoint: endpointOf(from + i),
            remark: "",
            extension: {},
            status: 1,
            createdAt: systemClock.now(),
            ...(protocol === "pull" && {
              mailbox: {
                id: newId() as MailboxId,
                projectId,
                name: endpointOf(from + i),
                quota: defaultPullSettings.mailboxQuota,
                legacyConfirm: "auto",
                createdAt: systemClock.now(),
              },
            }),
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
