/**
 * Tokens by which subscribers confirm and leave. None is stored: each is made
 * from what it is for under a key of the installation, wherever it is needed,
 * and read back from itself.
 */

import type { SubscriptionId } from "../ids.ts";
import type { EpochMs } from "../time.ts";
import { type Subscription, subscriptionStatus } from "./subscription.ts";

/** A subscription between two times that its subscriber left. */
export interface SubscriptionGeneration {
  readonly subscriptionId: SubscriptionId;
  /** How often the subscriber had left: tokens of before mean nothing then. */
  readonly generation: number;
}

/** What a confirmation's link or code is good for. */
export interface ConfirmationGrant extends SubscriptionGeneration {
  /** It confirms before this instant; counts in whole seconds. */
  readonly expiresAt: EpochMs;
}

/** Makes and reads tokens; knows nothing of what the store keeps. */
export interface SubscriptionTokens {
  /** 80 hexadecimal characters. */
  confirmationToken(grant: ConfirmationGrant): string;
  /** `undefined` for what was not made here. */
  openConfirmationToken(token: string): ConfirmationGrant | undefined;
  /** Six digits. */
  confirmationCode(grant: ConfirmationGrant): string;
  isConfirmationCode(code: string, grant: ConfirmationGrant): boolean;
  /** 36 letters, digits, `-` and `_`. */
  unsubscribeToken(generation: SubscriptionGeneration): string;
  /** `undefined` for what was not made here. */
  openUnsubscribeToken(token: string): SubscriptionGeneration | undefined;
}

/**
 * Whether an unsubscribe token is one of the subscription as it is; that of
 * the mail by which its subscriber left stays good for the same answer.
 */
export function isUnsubscribable(
  { generation, status }: Pick<Subscription, "generation" | "status">,
  token: Pick<SubscriptionGeneration, "generation">,
): boolean {
  const isLast =
    status === subscriptionStatus.cancelled &&
    token.generation === generation - 1;
  return isLast || token.generation === generation;
}
