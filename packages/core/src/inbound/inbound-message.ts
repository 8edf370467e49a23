/** An inbound message: a text that a phone sent to one of our numbers. */

import type { MessageId, ProjectId } from "../ids.ts";
import type { EpochMs } from "../time.ts";

/** A text from a phone as it is kept. */
export interface InboundMessage {
  /** The store's own number; grows with arrival. */
  readonly seq: number;
  readonly id: string;
  readonly projectId: ProjectId;
  /** Carrier adapter it came through. */
  readonly provider: string;
  /** The carrier's id of it, where there is one. */
  readonly externalId?: string;
  /** As `toPhoneAddress` writes it; empty if the carrier does not say. */
  readonly from: string;
  /** Our number, likewise; absent if the carrier does not say. */
  readonly to?: string;
  readonly text: string;
  /** The text's first word in capitals; absent if it has none. */
  readonly keyword?: string;
  /** When it came to us. */
  readonly receivedAt: EpochMs;
  /** The message it was published as. */
  readonly messageId?: MessageId;
}

/** A text from a phone before the store gave it a number. */
export type NewInboundMessage = Omit<InboundMessage, "seq">;

const maxKeywordLength = 32;

/** The first word of a text, in capitals, as keywords are compared. */
export function keywordOf(text: string): string | undefined {
  // No need to fold a whole letter for its first word.
  const [word] = /[\p{L}\p{M}\p{Nd}_]+/u.exec(text.slice(0, 200)) ?? [];
  const keyword = word?.normalize("NFC").toUpperCase();
  return keyword && [...keyword].slice(0, maxKeywordLength).join("");
}
