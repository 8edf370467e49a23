/** How a message of a channel is sent, as it is set up now. */

import type { NewMessage } from "../messages/message.ts";
import type { EpochMs } from "../time.ts";

/** What the terms of a send depend on. */
export interface SendChoice {
  readonly sendImmediately: boolean;
  readonly notBefore?: EpochMs | undefined;
  /** As it was handed over, unchecked. */
  readonly class?: unknown;
}

/** What becomes of one send. */
export interface SendTerms {
  /** It waits for the batch sender. */
  readonly isBatched: boolean;
  /** Its life, where none was given; seconds. */
  readonly timeToLiveSeconds?: number;
  /** What the message has besides. */
  readonly message?: Pick<NewMessage, "retries">;
}

/** Answers the terms of a send. */
export type TermsOf = (send: SendChoice) => SendTerms;
