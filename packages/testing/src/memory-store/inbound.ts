/** Texts from phones in the in-memory store. */

import type {
  InboundFilter,
  InboundMessage,
  NewInboundMessage,
  ProjectId,
} from "@carillon/core";
import { equals } from "./memory-lists.ts";

export class MemoryInbound {
  /** Oldest first; the number is the place in it. */
  readonly #inbound: InboundMessage[] = [];

  acceptInbound(inbound: NewInboundMessage): {
    inbound: InboundMessage;
    isRepeated: boolean;
  } {
    const { provider, externalId, from, text } = inbound;
    const kept =
      externalId === undefined
        ? undefined
        : this.#inbound.find((it) =>
            equals(it, { provider, externalId, from, text }),
          );
    if (kept) return { inbound: kept, isRepeated: true };
    const added = { ...inbound, seq: this.#inbound.length + 1 };
    this.#inbound.push(added);
    return { inbound: added, isRepeated: false };
  }

  findInbound(projectId: ProjectId, id: string): InboundMessage | undefined {
    return this.#inbound.find((it) => equals(it, { projectId, id }));
  }

  listInbound(
    projectId: ProjectId,
    { from, to, since = 0 }: InboundFilter,
    page: { readonly limit: number; readonly before?: number },
  ): readonly InboundMessage[] {
    const { limit, before = Number.POSITIVE_INFINITY } = page;
    return this.#inbound
      .filter(
        (it) =>
          it.seq < before &&
          it.receivedAt >= since &&
          equals(it, { projectId, from, to }),
      )
      .reverse()
      .slice(0, limit);
  }
}
