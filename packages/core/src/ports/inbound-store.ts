import type { ProjectId } from "../ids.ts";
import type {
  InboundMessage,
  NewInboundMessage,
} from "../inbound/inbound-message.ts";
import type { NewMessage } from "../messages/message.ts";
import type { EpochMs } from "../time.ts";

/** Texts that phones sent to us. */
export interface InboundStore {
  /**
   * Keeps an inbound message and, when it is published, the message to its
   * topic's audience: both or neither, in one transaction.
   *
   * Carriers repeat what they got no answer to. A repetition (same provider,
   * external id, sender and text) is kept and published only once: it answers
   * the one that was kept before, `isRepeated` true. One without an external
   * id is never known for a repetition. Sender and text count because some
   * carriers begin to count anew after a restart; what looks like an old id
   * must not swallow a new text.
   *
   * It is told with what `inboundFacts` says. If the last direct message by SMS to
   * the sender that has a status URL, of the same project, has begun, and its life
   * ended no more than `lateOutcomesMs` ago, it is told as a reply to that one
   * too: `inReplyTo` has its id, and `ofMessage` its number.
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE; then nothing was kept
   */
  acceptInbound(
    inbound: NewInboundMessage,
    notification: NewMessage | undefined,
  ): Promise<{ inbound: InboundMessage; isRepeated: boolean }>;
  findInbound(
    projectId: ProjectId,
    id: string,
  ): Promise<InboundMessage | undefined>;
  /** Newest first, starting behind `before` (a number of an inbound one). */
  listInbound(
    projectId: ProjectId,
    filter: InboundFilter,
    page: { readonly limit: number; readonly before?: number },
  ): Promise<readonly InboundMessage[]>;
}

/** What is absent does not filter. */
export interface InboundFilter {
  /** As it is kept; see `toPhoneAddress`. */
  readonly from?: string | undefined;
  readonly to?: string | undefined;
  /** Received then or later. */
  readonly since?: EpochMs | undefined;
}
