/** What is reported of mails, and who gets none, in the in-memory store. */

import {
  type EmailSuppression,
  enoughMailEvents,
  isFinal,
  type MailEventStore,
  mergeSuppression,
  type NewMailEvent,
  receiptEventOf,
  receiptTextOf,
  type SuppressionKey,
  suppressionReasonOf,
} from "@carillon/core";
import { findRecipient, type RecordReceipt } from "./deliveries.ts";
import { checkProject } from "./directory.ts";
import { getMessage } from "./ledger.ts";
import { findPart } from "./outcomes.ts";
import { deliveryKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createMailEventStore(
  tables: Tables,
  recordReceipt: RecordReceipt,
): MailEventStore {
  const { mailEvents, emailSuppressions, write } = tables;

  const eventsOf = (messageSeq: number, target: number) =>
    mailEvents
      .list()
      .filter((it) => it.messageSeq === messageSeq && it.target === target);

  function isKept(event: NewMailEvent): boolean {
    const kept = eventsOf(event.messageSeq, event.target);
    if (kept.some((it) => it.fingerprint === event.fingerprint)) return true;
    return (
      kept.length >= enoughMailEvents &&
      kept.some(
        (it) =>
          it.event === event.event &&
          (it.hard === true) === (event.hard === true),
      )
    );
  }

  function takesReceipts(event: NewMailEvent): boolean {
    const row = tables.deliveries.get(deliveryKey(event));
    if (!row || !isFinal(row.state)) return true;
    return findPart(row, event) >= 0;
  }

  function add(suppression: Omit<EmailSuppression, "count">): EmailSuppression {
    const key = keyOf(suppression);
    const known = emailSuppressions.get(key);
    return emailSuppressions.put(key, mergeSuppression(known, suppression));
  }

  return {
    async findMailTarget(messageId, target) {
      const message = tables.messages.list().find(({ id }) => id === messageId);
      if (!message) return undefined;
      const { seq: messageSeq, projectId } = message;
      const recipient =
        tables.recipients.get(deliveryKey({ messageSeq, target })) ??
        (message.audience === "direct"
          ? undefined
          : tables.subscriptions.get(target));
      if (recipient?.protocol !== "email") return undefined;
      const isElsewhere =
        "projectId" in recipient && recipient.projectId !== projectId;
      const { endpoint } = recipient;
      if (isElsewhere) return undefined;
      const row = tables.deliveries.get(deliveryKey({ messageSeq, target }));
      const last = row?.parts.at(-1);
      return {
        messageSeq,
        projectId,
        endpoint,
        ...(last && {
          part: { entry: last.entry, externalId: last.externalId },
        }),
      };
    },
    async findMailOfPart(externalId) {
      for (const row of tables.deliveries.list().toReversed()) {
        const part = row.parts.findLast((it) => it.externalId === externalId);
        if (!part) continue;
        const { messageSeq, target } = row;
        const { id, projectId } = getMessage(tables, messageSeq);
        const recipient = findRecipient(tables, row);
        if (recipient?.protocol !== "email") continue;
        const { endpoint } = recipient;
        const { entry } = part;
        return {
          messageId: id,
          messageSeq,
          target,
          projectId,
          endpoint,
          entry,
        };
      }
      return undefined;
    },
    recordMailEvent: (event, { address, deliveryId, softBounces: limit }) =>
      write(() => {
        if (isKept(event)) return { isNew: false };
        mailEvents.put(mailEvents.size + 1, event);
        const { projectId, suppressionKey: key, receivedAt, code } = event;
        const detail = receiptTextOf(event);
        if (takesReceipts(event)) {
          const receipt = {
            entry: event.entry,
            externalId: event.externalId,
            event: receiptEventOf(event),
            at: receivedAt,
            ...(code !== undefined && { code }),
            text: detail,
          };
          recordReceipt(receipt, "pushed");
        }
        const soft = mailEvents
          .list()
          .filter(
            (it) =>
              it.projectId === projectId &&
              it.suppressionKey === key &&
              it.event === "bounced" &&
              !it.hard &&
              it.receivedAt > receivedAt - limit.windowMs,
          ).length;
        const reason = suppressionReasonOf(event, soft, limit);
        if (reason === undefined || tables.deletedProjects.has(projectId)) {
          return { isNew: true };
        }
        const at = receivedAt;
        const suppression = { projectId, key, address, detail, at, deliveryId };
        const { reason: suppressed } = add({ ...suppression, reason });
        return { isNew: true, suppressed };
      }),
    async listMailEvents(messageSeq, target) {
      return eventsOf(messageSeq, target).map(
        ({
          messageSeq: _seq,
          target: _target,
          projectId: _project,
          entry: _entry,
          externalId: _id,
          suppressionKey: _key,
          fingerprint: _print,
          ...event
        }) => event,
      );
    },
    async findEmailSuppressions(keys) {
      return keys.flatMap((key) => emailSuppressions.get(keyOf(key)) ?? []);
    },
    addEmailSuppression: (suppression) =>
      write(() => {
        checkProject(tables, suppression.projectId);
        return add(suppression);
      }),
    removeEmailSuppression: (projectId, key) =>
      write(() => emailSuppressions.delete(keyOf({ projectId, key }))),
    async listEmailSuppressions(projectId, { limit, after = "" }) {
      return emailSuppressions
        .list()
        .filter((it) => it.projectId === projectId && it.key > after)
        .sort((a, b) => (a.key < b.key ? -1 : 1))
        .slice(0, limit);
    },
  };
}

function keyOf({ projectId, key }: SuppressionKey): string {
  return `${projectId}/${key}`;
}
