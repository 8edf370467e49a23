/** Texts from phones in the in-memory store. */

import type { InboundStore } from "@carillon/core";
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
        const { projectId, id, to, messageId, receivedAt } = added;
        const about = {
          inboundId: id,
          from,
          ...(to !== undefined && { to }),
          ...(messageId !== undefined && { messageId }),
        };
        tables.journal.note(
          { kind: "occurrence", type: "inbound.received", projectId, about },
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
