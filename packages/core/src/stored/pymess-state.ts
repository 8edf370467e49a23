/**
 * States of stored messages by the names and numbers that pymess gives them. One
 * way only: nothing is kept by them.
 *
 * pymess has no name for an attempt that is under way, so that it shows what it was
 * before; and none for mails that arrived, of which SENT is the last it knows.
 */

import type { Delivery } from "../messages/delivery.ts";
import {
  type DeliveryState,
  deliveryStates,
} from "../messages/delivery-state.ts";
import type { StoredChannel } from "./stored-message.ts";

/** A state as pymess calls it. */
export interface PymessState {
  readonly name: string;
  readonly number: number;
}

/** Of texts; all that there are. */
const numbers = {
  sms: {
    WAITING: 1,
    UNKNOWN: 2,
    SENDING: 3,
    SENT: 4,
    ERROR_UPDATE: 5,
    DEBUG: 6,
    DELIVERED: 7,
    ERROR: 8,
    ERROR_RETRY: 9,
  },
  email: {
    WAITING: 1,
    SENDING: 2,
    SENT: 3,
    ERROR: 4,
    DEBUG: 5,
    ERROR_RETRY: 6,
  },
} as const;

/** pymess's names of the states of texts. */
export type PymessStateName = keyof (typeof numbers)["sms"];

export const pymessStateNames = Object.keys(
  numbers.sms,
) as readonly PymessStateName[];

/** Deliveries of a state, or of a part of it: what is absent does not narrow. */
export interface StateCondition {
  readonly state: DeliveryState;
  readonly receiptExpected?: boolean;
  /** See {@link wasExpiredByReceipt}. */
  readonly isExpiredByReceipt?: boolean;
}

/** What decides the state: {@link wasExpiredByReceipt} needs more than its name. */
export type PymessFacts = Pick<
  Delivery,
  "state" | "receiptExpected" | "receipts" | "attempts"
>;

export function pymessStateOf(
  channel: StoredChannel,
  delivery: PymessFacts,
): PymessState {
  const name = nameOf(delivery);
  if (channel === "sms") return { name, number: numbers.sms[name] };
  const ofMail = mailName(name);
  return { name: ofMail, number: numbers.email[ofMail] };
}

/**
 * The deliveries that have this name in a channel: those that meet one of the
 * conditions. None of a name that the channel does not have.
 */
export function conditionsOf(
  channel: StoredChannel,
  name: PymessStateName,
): readonly StateCondition[] {
  return conditions[channel].get(name) ?? [];
}

export function meetsCondition(
  delivery: PymessFacts,
  { state, receiptExpected, isExpiredByReceipt }: StateCondition,
): boolean {
  return (
    delivery.state === state &&
    (receiptExpected === undefined ||
      receiptExpected === (delivery.receiptExpected ?? false)) &&
    (isExpiredByReceipt === undefined ||
      isExpiredByReceipt === wasExpiredByReceipt(delivery))
  );
}

/**
 * Whether the carrier said that the text's validity ended; else the message's own
 * life did, before it was handed over or while no report came.
 */
export function wasExpiredByReceipt({
  state,
  receipts = [],
  attempts,
}: Pick<Delivery, "state" | "receipts" | "attempts">): boolean {
  return (
    state === "expired" &&
    receipts.some(({ event }) => event === "expire") &&
    attempts.at(-1)?.errorClass !== "expired"
  );
}

const names: Readonly<
  Record<Exclude<DeliveryState, "sent" | "expired">, PymessStateName>
> = {
  waiting: "WAITING",
  sending: "WAITING",
  retrying: "ERROR_RETRY",
  unknown: "UNKNOWN",
  delivered: "DELIVERED",
  failed: "ERROR",
  rejected: "ERROR_UPDATE",
  debug: "DEBUG",
  filtered: "ERROR",
  suppressed: "ERROR",
  cancelled: "ERROR",
};

function nameOf(delivery: PymessFacts): PymessStateName {
  const { state } = delivery;
  switch (state) {
    case "sent":
      return delivery.receiptExpected ? "SENDING" : "SENT";
    case "expired":
      return wasExpiredByReceipt(delivery) ? "ERROR_UPDATE" : "ERROR";
    default:
      return names[state];
  }
}

/** The states of mails are fewer. */
function mailName(name: PymessStateName): keyof (typeof numbers)["email"] {
  switch (name) {
    case "ERROR_UPDATE":
      return "ERROR";
    case "DELIVERED":
      return "SENT";
    // Handed over; whether it was taken nobody knows.
    case "UNKNOWN":
      return "SENDING";
    default:
      return name;
  }
}

type NamedCondition = readonly [StateCondition, PymessStateName];

/** Each part of our states that has a name of its own, and the name. */
const named: readonly NamedCondition[] = deliveryStates.flatMap(
  (state): readonly NamedCondition[] => {
    switch (state) {
      case "sent":
        return [
          [{ state, receiptExpected: true }, "SENDING"],
          [{ state, receiptExpected: false }, "SENT"],
        ];
      case "expired":
        return [
          [{ state, isExpiredByReceipt: true }, "ERROR_UPDATE"],
          [{ state, isExpiredByReceipt: false }, "ERROR"],
        ];
      default:
        return [[{ state }, names[state]]];
    }
  },
);

const conditions = { sms: groupNames((it) => it), email: groupNames(mailName) };

function groupNames(
  nameIn: (name: PymessStateName) => PymessStateName,
): ReadonlyMap<PymessStateName, readonly StateCondition[]> {
  const grouped = Map.groupBy(named, ([, name]) => nameIn(name));
  return new Map(
    [...grouped].map(([name, parts]) => [name, parts.map(([it]) => it)]),
  );
}
