/**
 * Recipients of the sandbox that force an outcome: what is delivered, refused
 * or kept waiting is read off the address. One table for each kind of receiver;
 * the reference page is written from them.
 */

import type { DeliveryState } from "@carillon/core";

/** What comes of a text to a number with this ending. */
export interface PhoneOutcome {
  /** The last digits of the number. */
  readonly ending: string;
  /** For people. */
  readonly meaning: string;
  /** Where the delivery ends. */
  readonly state: DeliveryState;
  /** The carrier refuses the text at once, with this sentence. */
  readonly refusal?: string;
  /** So many attempts of each text are throttled. */
  readonly throttledTimes?: number;
  /** What the carrier reports later; absent: nothing. */
  readonly receipt?: "delivered" | "undelivered" | "expired";
  /** What the phone answers. */
  readonly answer?: string;
}

/** All other numbers: delivered, with a receipt. */
export const phoneOutcomes: readonly PhoneOutcome[] = [
  {
    ending: "0001",
    meaning: "accepted, then a receipt says that it was not delivered",
    state: "rejected",
    receipt: "undelivered",
  },
  {
    ending: "0002",
    meaning: "accepted, then a receipt says that it expired",
    state: "expired",
    receipt: "expired",
  },
  {
    ending: "0003",
    meaning: "rejected at once",
    state: "rejected",
    refusal: "The number is not in service",
  },
  {
    ending: "0004",
    meaning: "accepted, and no receipt ever comes",
    state: "sent",
  },
  {
    ending: "0005",
    meaning: "throttled twice, then delivered",
    state: "delivered",
    throttledTimes: 2,
    receipt: "delivered",
  },
  {
    ending: "0008",
    meaning: "delivered, and the phone answers `OK`",
    state: "delivered",
    receipt: "delivered",
    answer: "OK",
  },
];

/** What comes of a mail to an address with this local part. */
export interface MailboxOutcome {
  /** What stands before the `@`, in lower case. */
  readonly localPart: string;
  /** For people. */
  readonly meaning: string;
  /** Where the delivery ends. */
  readonly state: DeliveryState;
  /** What the mail server answers instead of taking the mail. */
  readonly refusal?: {
    /** SMTP reply code. */
    readonly code: number;
    readonly text: string;
    /** So many attempts of each mail; absent: all. */
    readonly times?: number;
  };
  /** Milliseconds from the end of the mail to the answer. */
  readonly delayMs?: number;
  /** Its owner complains: the sender is sent a report. */
  readonly complains?: boolean;
}

/** All other mailboxes take the mail at once. */
export const mailboxOutcomes: readonly MailboxOutcome[] = [
  {
    localPart: "bounce",
    meaning: "refused with 550",
    state: "rejected",
    refusal: { code: 550, text: "5.1.1 There is no such mailbox" },
  },
  {
    localPart: "complain",
    meaning: "accepted, then a complaint report is sent to the sender",
    state: "delivered",
    complains: true,
  },
  {
    localPart: "slow",
    meaning: "accepted after 20 seconds",
    state: "delivered",
    delayMs: 20_000,
  },
  {
    localPart: "greylist",
    meaning: "put off twice with 451, then accepted",
    state: "delivered",
    refusal: { code: 451, text: "4.7.1 Greylisted, try again later", times: 2 },
  },
];

/** A parameter of a webhook's address; its value is a whole number. */
export interface WebhookParameter {
  readonly name: "status" | "times" | "delay" | "retry-after";
  readonly least: number;
  readonly most: number;
  /** For people, with the unit. */
  readonly meaning: string;
}

/** Without any of them: 200 at once. */
export const webhookParameters: readonly WebhookParameter[] = [
  {
    name: "status",
    least: 200,
    most: 599,
    meaning: "HTTP status of the answer; 200 by default",
  },
  {
    name: "times",
    least: 0,
    most: 100,
    meaning:
      "so many requests of each message are answered so, then 200 at once; all by default",
  },
  {
    name: "delay",
    least: 0,
    most: 60_000,
    meaning: "milliseconds before the answer",
  },
  {
    name: "retry-after",
    least: 0,
    most: 86_400,
    meaning: "seconds in the answer's header `Retry-After`",
  },
];

/** @param number digits, with or without a plus */
export function findPhoneOutcome(number: string): PhoneOutcome | undefined {
  return phoneOutcomes.find(({ ending }) => number.endsWith(ending));
}

export function findMailboxOutcome(
  address: string,
): MailboxOutcome | undefined {
  const [local] = address.toLowerCase().split("@", 1);
  return mailboxOutcomes.find(({ localPart }) => localPart === local);
}
