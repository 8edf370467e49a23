/**
 * Parts of an attempt: what a carrier gave an id of its own. A text of three
 * segments may have three; a carrier with one id for all brings one.
 */

import type { ReceiptEvent } from "./delivery.ts";
import { type DeliveryState, isFinal, nextState } from "./delivery-state.ts";

/** States of a part, as they are kept. */
export const partStates = [
  "sent",
  "delivered",
  "failed",
  "rejected",
  "expired",
] as const satisfies readonly DeliveryState[];

/** Where a part stands; all but `sent` are final. */
export type PartState = (typeof partStates)[number];

/** A concatenated SMS cannot have more: 3GPP TS 23.040 counts them in a byte. */
export const maxParts = 255;

/** Longest id of a carrier that is kept, in characters. */
export const maxExternalIdLength = 200;

/**
 * Receipts of a part, or of an id that no part has yet, from which on those that
 * are no news are not kept: carriers may repeat one without end.
 */
export const enoughReceipts = 20;

/** What a channel answers of a part. */
export interface AttemptPart {
  /** The carrier's id, which its receipts name. */
  readonly externalId: string;
  /** Absent: `sent`. */
  readonly state?: PartState;
}

/** A part as it is read back. */
export interface DeliveryPart {
  /** The number of its attempt, from 1. */
  readonly attempt: number;
  /** The provider, by its name in the configuration. */
  readonly entry: string;
  readonly externalId: string;
  readonly state: PartState;
}

/** The state of an attempt by the states of its parts. */
export function stateOfParts(parts: readonly PartState[]): PartState {
  // One part that is lost makes the text unreadable.
  const lost = parts.find((it) => it !== "sent" && it !== "delivered");
  if (lost !== undefined) return lost;
  const isDelivered = parts.length > 0 && parts.every((it) => it !== "sent");
  return isDelivered ? "delivered" : "sent";
}

/** A delivery, and the part of it that a receipt names. */
export interface ReceiptFacts {
  /** Of the delivery. */
  readonly state: DeliveryState;
  /** Whether no attempt was made after the one that the part is of. */
  readonly isLastAttempt: boolean;
  /** Whether a failed receipt of the last attempt is followed by another one. */
  readonly failsOver: boolean;
  /** Of all parts of the attempt. */
  readonly parts: readonly PartState[];
  /** Which of them the receipt names, from 0. */
  readonly part: number;
}

/** What a receipt leads to. */
export interface ReceiptEffect {
  readonly part: PartState;
  /** Of the delivery; `retrying`, where it was not: the next attempt is due. */
  readonly state: DeliveryState;
}

/**
 * What a receipt makes of a part and of its delivery. Final states stay. While
 * a further attempt is planned or under way, only a success of an earlier one
 * counts.
 */
export function mergeReceipt(
  { state, isLastAttempt, failsOver, parts, part }: ReceiptFacts,
  event: ReceiptEvent,
): ReceiptEffect {
  const known = parts[part] ?? "sent";
  const changed = partAfter(known, event);
  const attempt = stateOfParts(
    parts.map((it, n) => (n === part ? changed : it)),
  );
  return { part: changed, state: afterAttempt() };

  function afterAttempt(): DeliveryState {
    if (isFinal(state)) return state;
    if (attempt === "delivered") return nextState(state, "deliver");
    const isOpen = state === "sent" || state === "unknown";
    if (!isLastAttempt || !isOpen) return state;
    if (attempt === "sent") return nextState(state, "accept");
    if (failsOver) return nextState(state, "retry");
    return nextState(state, eventOf[attempt]);
  }
}

/** What a receipt says that brings a delivery to a state. */
export const receiptEventOfState: Readonly<
  Partial<Record<DeliveryState, ReceiptEvent>>
> = {
  sent: "accept",
  delivered: "deliver",
  failed: "fail",
  rejected: "reject",
  expired: "expire",
};

const eventOf = {
  failed: "fail",
  rejected: "reject",
  expired: "expire",
} as const satisfies Partial<Record<PartState, ReceiptEvent>>;

/**
 * Whether a receipt says more of a part, or of its delivery, than is known of
 * them. `isUnknown`: the part is of the last attempt, and the delivery `unknown`;
 * then it is news, too, that the carrier has it.
 */
export function isNews(
  known: PartState,
  event: ReceiptEvent,
  isUnknown: boolean,
): boolean {
  const isFound = isUnknown && known === "sent" && event === "accept";
  return isFound || partAfter(known, event) !== known;
}

function partAfter(known: PartState, event: ReceiptEvent): PartState {
  if (known !== "sent") return known;
  switch (event) {
    case "accept":
      return "sent";
    case "deliver":
      return "delivered";
    case "expire":
      return "expired";
    case "reject":
      return "rejected";
    case "fail":
      return "failed";
    default:
      return event satisfies never;
  }
}
