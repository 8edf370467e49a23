/** Stored messages of the in-memory store. */

import {
  type AcceptedStored,
  type ChangedObjects,
  isCommonState,
  type Message,
  type MessageContent,
  meetsCondition,
  type RelatedObject,
  type StateCondition,
  type StoredMessageStore,
  type StoredPosition,
  type StoredRecord,
  type StoredRecordFilter,
  type StoredRelatedObject,
} from "@carillon/core";
import type { Holds } from "./holds.ts";
import { findKey, putKey } from "./idempotency.ts";
import { listDeliveries, newestAt } from "./ledger.ts";
import { acceptDirectMessage, toDelivery } from "./messages.ts";
import { type DeliveryRow, deliveryKey } from "./rows.ts";
import type { Tables } from "./tables.ts";

export function createStoredMessageStore(
  tables: Tables,
  holds: Holds,
): StoredMessageStore {
  const { messages, attachments, relations, recipients, write } = tables;

  function objectsOf({
    seq,
    createdAt,
    relatedObjects = [],
  }: Message): readonly StoredRelatedObject[] {
    const changed = relations.get(seq);
    if (changed) return changed.objects;
    return relatedObjects.map((object) => ({
      ...object,
      createdAt,
      changedAt: createdAt,
    }));
  }

  const channelOf = ({ seq }: Message) =>
    recipients.get(deliveryKey({ messageSeq: seq, target: 0 }))?.protocol;

  function wasSent(
    projectId: string,
    channel: string | undefined,
    slug: string | undefined,
    objects: readonly RelatedObject[],
  ): boolean {
    return (
      objects.length > 0 &&
      messages
        .list()
        .some(
          (message) =>
            message.projectId === projectId &&
            message.templateSlug === slug &&
            channelOf(message) === channel &&
            isAbout(objectsOf(message), objects),
        )
    );
  }

  function toRecord(message: Message, row: DeliveryRow): StoredRecord {
    const { changedAt } = relations.get(message.seq) ?? {};
    return {
      message,
      delivery: toDelivery(tables, row),
      attachments: (attachments.get(message.seq)?.files ?? []).map(
        ({ content, ...info }) => ({ ...info, size: content.byteLength }),
      ),
      relatedObjects: objectsOf(message),
      ...(changedAt !== undefined && { relationsChangedAt: changedAt }),
    };
  }

  /** In the order of the list. */
  function listRows(): { message: Message; row: DeliveryRow }[] {
    return messages
      .list()
      .filter(({ audience }) => audience === "direct")
      .flatMap((message) =>
        listDeliveries(tables, message.seq).map((row) => ({ message, row })),
      )
      .sort(
        (a, b) => b.message.seq - a.message.seq || b.row.target - a.row.target,
      );
  }

  return {
    acceptStored: (message, to, options) =>
      write((): AcceptedStored => {
        const { attachments: files = [], unlessSent, key, isBatched } = options;
        const [first] = to;
        if (to.some(({ protocol }) => protocol !== first?.protocol)) {
          throw new RangeError("A stored message is for one protocol.");
        }
        const earlier = key && findKey(tables, key, message.createdAt);
        if (earlier) return { kind: "repeated", earlier };
        const { projectId, templateSlug, relatedObjects = [] } = message;
        if (
          unlessSent &&
          wasSent(projectId, first?.protocol, templateSlug, relatedObjects)
        ) {
          return { kind: "sent_before" };
        }
        if (key) putKey(tables, key, message.createdAt);
        const { seq } = acceptDirectMessage(tables, holds, message, to, {
          isBatched: isBatched === true,
        });
        if (files.length > 0) attachments.put(seq, { files });
        return { kind: "kept", seq };
      }),
    async findStored(projectId, position) {
      const message = messages.get(position.messageSeq);
      const row = tables.deliveries.get(deliveryKey(position));
      const isMeant =
        message?.projectId === projectId && message.audience === "direct";
      return isMeant && row ? toRecord(message, row) : undefined;
    },
    async listStored(projectId, channel, filter, page) {
      const { limit, before, maxScanned = Number.POSITIVE_INFINITY } = page;
      const { excerptLength } = page;
      const found = listRows()
        .filter(({ message }) => message.projectId === projectId)
        .filter(({ row }) => before === undefined || isBehind(row, before))
        .filter(({ message, row }) => isLookedUp(filter, message, row))
        .filter(
          ({ message }) =>
            filter.since === undefined ||
            newestAt(tables, message.seq) >= filter.since,
        );
      const scanned = found.slice(0, maxScanned);
      const meant = scanned.filter(
        ({ message, row }) =>
          recipients.get(deliveryKey(row))?.protocol === channel &&
          isMeant(filter, message, row),
      );
      const shown = meant.slice(0, limit);
      const last =
        meant.length > limit
          ? shown.at(-1)
          : found.length > scanned.length
            ? scanned.at(-1)
            : undefined;
      return {
        records: shown.map(({ message, row }) =>
          toRecord(
            excerptLength === undefined
              ? message
              : { ...message, content: cut(message.content, excerptLength) },
            row,
          ),
        ),
        ...(last && {
          next: { messageSeq: last.row.messageSeq, target: last.row.target },
        }),
      };
    },
    wasSent: async (projectId, channel, slug, objects) =>
      wasSent(projectId, channel, slug, objects),
    changeRelatedObjects: (messageSeq, { add, replace, most, at }) =>
      write((): ChangedObjects => {
        const message = messages.get(messageSeq);
        if (!message) return { kind: "changed", relatedObjects: [] };
        const before = objectsOf(message);
        const kept = before.filter(
          (it) =>
            replace === undefined ||
            (replace !== true && replace.type !== it.type) ||
            isAbout(add, [it]),
        );
        const added = add.filter((it) => !isAbout(kept, [it]));
        const objects = [
          ...kept,
          ...added.map((it) => ({ ...it, createdAt: at, changedAt: at })),
        ];
        if (objects.length > most) {
          return { kind: "too_many", count: objects.length };
        }
        if (added.length > 0 || kept.length < before.length) {
          const { relatedObjects: _, ...rest } = message;
          messages.put(messageSeq, {
            ...rest,
            ...(objects.length > 0 && {
              relatedObjects: objects.map(({ type, id }) => ({ type, id })),
            }),
          });
          relations.put(messageSeq, { objects, changedAt: at });
        }
        return { kind: "changed", relatedObjects: objects };
      }),
    readAttachments: async (messageSeq) =>
      (attachments.get(messageSeq)?.files ?? []).map((file) => ({
        ...file,
        content: file.content.slice(),
      })),
    async readAttachment(messageSeq, place) {
      const file = attachments.get(messageSeq)?.files[place];
      return file && { ...file, content: file.content.slice() };
    },
  };

  /** What an index has: the first of these that is given. */
  function isLookedUp(
    {
      relatedObjects: [object] = [],
      to,
      templateSlug,
      tag,
      states,
    }: StoredRecordFilter,
    message: Message,
    row: DeliveryRow,
  ): boolean {
    if (object !== undefined) return isAbout(objectsOf(message), [object]);
    if (to !== undefined) return endpointOf(row) === to;
    if (templateSlug !== undefined)
      return message.templateSlug === templateSlug;
    if (tag !== undefined) return message.tag === tag;
    return (
      states === undefined ||
      states.some(({ state }) => isCommonState(state)) ||
      states.some(({ state }) => row.state === state)
    );
  }

  function isMeant(
    filter: StoredRecordFilter,
    message: Message,
    row: DeliveryRow,
  ): boolean {
    const { states, tag, templateSlug, to, since, until } = filter;
    const { relatedObjects = [] } = filter;
    return (
      (states === undefined || states.some((it) => meets(row, it))) &&
      (tag === undefined || message.tag === tag) &&
      (templateSlug === undefined || message.templateSlug === templateSlug) &&
      (to === undefined || endpointOf(row) === to) &&
      (since === undefined || message.createdAt >= since) &&
      (until === undefined || message.createdAt < until) &&
      isAbout(objectsOf(message), relatedObjects)
    );
  }

  function meets(row: DeliveryRow, condition: StateCondition): boolean {
    return meetsCondition(toDelivery(tables, row), condition);
  }

  function endpointOf(row: DeliveryRow): string | undefined {
    return recipients.get(deliveryKey(row))?.endpoint;
  }
}

/** Code points, as SQL counts characters. */
function cut(content: MessageContent, length: number): MessageContent {
  switch (content.kind) {
    case "text":
    case "event":
      return { ...content, text: cutText(content.text, length) };
    case "mail":
      return { ...content, text: cutText(content.text, length), html: "" };
    case "structure":
    case "confirmation":
    case "unsubscription":
      return content;
    default:
      return content satisfies never;
  }
}

function cutText(text: string, length: number): string {
  return [...text].slice(0, length).join("");
}

/** Whether all of `objects` are among those. */
function isAbout(
  known: readonly RelatedObject[],
  objects: readonly RelatedObject[],
): boolean {
  return objects.every(({ type, id }) =>
    known.some((it) => it.type === type && it.id === id),
  );
}

function isBehind(
  { messageSeq, target }: DeliveryRow,
  before: StoredPosition,
): boolean {
  return (
    messageSeq < before.messageSeq ||
    (messageSeq === before.messageSeq && target < before.target)
  );
}
