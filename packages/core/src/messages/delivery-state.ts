/**
 * The states of a delivery and the one table of what leads from one to the
 * next. Whatever arrives late, twice or out of order: a final state stays, and
 * what was sent is never taken for unsent.
 */

/** All states of a delivery. */
export const deliveryStates = [
  "waiting",
  "sending",
  "retrying",
  "unknown",
  "sent",
  "delivered",
  "failed",
  "rejected",
  "debug",
  "filtered",
  "suppressed",
  "expired",
  "cancelled",
] as const;

/**
 * Those that most deliveries end in: stores look up the others, and walk for
 * these.
 */
export function isCommonState(state: DeliveryState): boolean {
  return state === "sent" || state === "delivered";
}

/** Where a delivery stands; see the table of transitions for what follows. */
export type DeliveryState = (typeof deliveryStates)[number];

/** What can happen to a delivery. */
export type DeliveryEvent =
  /** Handed to its channel. */
  | "attempt"
  /** The channel could not start it now (lane full, rate): not an attempt. */
  | "postpone"
  /** Its subscriber gave it back, or its claim lapsed: it may be fetched again. */
  | "release"
  /** The attempt failed for now and another one is planned. */
  | "retry"
  /** The receiver or the provider took it; more may follow. */
  | "accept"
  /** It reached its recipient. */
  | "deliver"
  /** The last attempt failed, or no attempt can succeed. */
  | "fail"
  /** The provider said no, at once or in a receipt. */
  | "reject"
  /** A billable attempt ended without an answer: it may have gone out. */
  | "lose"
  /** Its time to live ran out. */
  | "expire"
  | "filter"
  | "suppress"
  | "cancel"
  /** Taken by a provider that sends nothing. */
  | "simulate";

type Transitions = Partial<Record<DeliveryEvent, DeliveryState>>;

/** Ways on while the outcome is open. */
const open: Transitions = {
  attempt: "sending",
  retry: "retrying",
  accept: "sent",
  deliver: "delivered",
  fail: "failed",
  reject: "rejected",
  lose: "unknown",
  expire: "expired",
  filter: "filtered",
  suppress: "suppressed",
  cancel: "cancelled",
  simulate: "debug",
};

const final: Transitions = {};

export const deliveryTransitions: Readonly<Record<DeliveryState, Transitions>> =
  {
    waiting: { ...open, postpone: "waiting" },
    sending: { ...open, postpone: "retrying", release: "waiting" },
    retrying: { ...open, postpone: "retrying" },
    // Only a receipt, or an operator, can settle what is unknown.
    unknown: {
      retry: "retrying",
      accept: "sent",
      deliver: "delivered",
      fail: "failed",
      reject: "rejected",
      expire: "expired",
      cancel: "cancelled",
    },
    // Accepted by a carrier: receipts may still follow, and where they fail or
    // stay away another attempt may.
    sent: {
      attempt: "sending",
      retry: "retrying",
      deliver: "delivered",
      fail: "failed",
      reject: "rejected",
      expire: "expired",
    },
    delivered: final,
    failed: final,
    rejected: final,
    debug: final,
    filtered: final,
    suppressed: final,
    expired: final,
    cancelled: final,
  };

/** What an operator can do to a delivery. */
export const deliveryActions = [
  /** Another attempt is made, now. */
  "resend",
  /** What has not started is not started. */
  "cancel",
  /** What is unknown is sent again. */
  "settle_resend",
  /** What is unknown counts as failed. */
  "settle_failed",
  /** What is unknown counts as delivered. */
  "settle_delivered",
] as const;

export type DeliveryAction = (typeof deliveryActions)[number];

/**
 * Where actions of operators lead. They are no events: what attempts and
 * receipts report leaves no final state, but an operator may. An attempt that is
 * under way (`sending`) cannot be taken back, and what arrived is not sent twice.
 */
export const operatorTransitions: Readonly<
  Record<DeliveryAction, Partial<Record<DeliveryState, DeliveryState>>>
> = {
  resend: {
    // Its next attempt is brought forward.
    retrying: "retrying",
    unknown: "retrying",
    failed: "retrying",
    rejected: "retrying",
    suppressed: "retrying",
    expired: "retrying",
    cancelled: "retrying",
  },
  cancel: { waiting: "cancelled", retrying: "cancelled" },
  settle_resend: { unknown: "retrying" },
  settle_failed: { unknown: "failed" },
  settle_delivered: { unknown: "delivered" },
};

/** The state after an operator's action; `undefined`: it leads nowhere. */
export function stateAfterAction(
  state: DeliveryState,
  action: DeliveryAction,
): DeliveryState | undefined {
  return operatorTransitions[action][state];
}

/** The state after an event; the same state when the event changes nothing. */
export function nextState(
  state: DeliveryState,
  event: DeliveryEvent,
): DeliveryState {
  return deliveryTransitions[state][event] ?? state;
}

/** True when no event leads out of the state. */
export function isFinal(state: DeliveryState): boolean {
  return deliveryTransitions[state] === final;
}

/** True when the engine has nothing left to do by itself. */
export function isSettled(state: DeliveryState): boolean {
  return isFinal(state) || state === "sent" || state === "unknown";
}
