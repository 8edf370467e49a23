/** Texts from phones in the in-memory store. */

import {
  type InboundStore,
  inboundFacts,
  lateOutcomesMs,
  type Message,
  type NewInboundMessage,
} from "@carillon/core";
import { laterEndsOf } from "./changes.ts";
import type { Holds } from "./holds.ts";
import { equals } from "./lists.ts";
import { acceptMessage } from "./messages.ts";
import type { Tables } from "./tables.ts";

export function createInboundStore(tables: Tables, holds: Holds): InboundStore {
  const { inbound, write } = tables;
  return {
    acceptInbound: (arrived, notification) =>
      write(() => {
        const { provider, externalId, from, text } = arrived;
        const kept =
          externalId === undefined
            ? undefined
            : inbound
                .list()
                .find((it) => equals(it, { provider, externalId, from, text }));
        if (kept) return { inbound: kept, isRepeated: true };
        const seq = inbound.size + 1;
        const added = inbound.put(seq, { ...arrived, seq });
        if (notification) acceptMessage(tables, holds, notification, undefined);
        const { projectId, receivedAt } = added;
        const about = inboundFacts(arrived, notification);
        const occurrence = {
          kind: "occurrence",
          type: "inbound.received",
          projectId,
          about,
        } as const;
        const reply = findReplied(tables, arrived);
        tables.journal.note(
          reply === undefined
            ? occurrence
            : {
                ...occurrence,
                about: { ...about, inReplyTo: reply.id },
                ofMessage: reply.seq,
              },
          receivedAt,
        );
        return { inbound: added, isRepeated: false };
      }),
    findInbound: async (projectId, id) =>
      inbound.list().find((it) => equals(it, { projectId, id })),
    listInbound: async (projectId, { from, to, since = 0 }, page) => {
      const { limit, before = Number.POSITIVE_INFINITY } = page;
      return inbound
        .list()
        .filter(
          (it) =>
            it.seq < before &&
            it.receivedAt >= since &&
            equals(it, { projectId, from, to }),
        )
        .reverse()
        .slice(0, limit);
    },
  };
}

/** The message with a status URL that a text replies to. */
function findReplied(
  tables: Tables,
  { projectId, from, receivedAt }: NewInboundMessage,
): Message | undefined {
  const last = tables.messages
    .list()
    .findLast(
      (it) =>
        it.projectId === projectId &&
        it.statusUrl !== undefined &&
        it.audience === "direct" &&
        tables.recipients
          .entries()
          .some(
            ([key, { protocol, endpoint }]) =>
              String(key).startsWith(`${it.seq}/`) &&
              protocol === "sms" &&
              endpoint === from,
          ),
    );
  if (!last) return undefined;
  const { notBefore = last.createdAt, expiresAt, seq } = last;
  const ends = [expiresAt, ...laterEndsOf(tables, seq)];
  const isOver = ends.every(
    (at) => at === undefined || at <= receivedAt - lateOutcomesMs,
  );
  return notBefore > receivedAt || isOver ? undefined : last;
}
