/**
 * A process that fills a mailbox, deletes it, cancels the first of what was in it,
 * and writes the ids of the messages to stdout; then it keeps the store until it is
 * killed.
 */

import type { MailboxId, SubscriptionId } from "@carillon/core";
import {
  acceptClaimed,
  completeRange,
  freshId,
  openWithTopic,
  projectId,
  start,
} from "./store.fixture.ts";

const [, , folder = ""] = process.argv;
const { store, topic } = await openWithTopic(folder, 0);
const { subscription } = await store.addSubscription(
  {
    id: freshId() as SubscriptionId,
    topicSeq: topic.seq,
    projectId,
    protocol: "pull",
    endpoint: "till",
    remark: "",
    extension: {},
    status: 1,
    createdAt: start,
    mailbox: {
      id: freshId() as MailboxId,
      projectId,
      name: "till",
      quota: 100,
      legacyConfirm: "auto",
      createdAt: start,
    },
  },
  undefined,
  1,
);
const { seq: target, mailbox = 0 } = subscription;
for (let n = 0; n < 10; n++) {
  const { message, messageSeq, range } = await acceptClaimed(store, topic);
  const pull = { mailbox, expiresAt: start };
  await completeRange(store, range, [
    { messageSeq, target, state: "waiting", attempts: 0, pull },
  ]);
  process.stdout.write(`${message.id}\n`);
}
await store.deleteMailbox(projectId, "till", start);
await store.cancelWithdrawn(start, 3);
process.stdout.write("cancelling\n");
setInterval(() => {}, 60_000);
