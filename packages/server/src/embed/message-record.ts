/** A stored message as programs see it that embed the service: plain data. */

import type {
  Attempt,
  DeliveryState,
  Receipt,
  StoredMessage,
} from "@carillon/core";

/** An object that a message is about, in the program's own system. */
export interface RelatedObjectRecord {
  readonly type: string;
  /** A whole number is told as its decimal text. */
  readonly id: string;
  readonly createdAt: Date;
  readonly changedAt: Date;
}

/** A file of a mail, without its bytes. */
export interface AttachmentRecord {
  readonly name: string;
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** Of an inline image: what `cid:` in the HTML names. */
  readonly contentId?: string;
}

/** One attempt to send a message. */
export interface AttemptRecord {
  readonly at: Date;
  /** From its start to its outcome. */
  readonly durationMs: number;
  /** The provider that it went through. */
  readonly backend?: string;
  /** HTTP status or SMTP reply code. */
  readonly statusCode?: number;
  /** Such as `timeout` or `provider`; absent where nothing failed. */
  readonly errorClass?: string;
  readonly error?: string;
  /** Of texts: `accepted`, `rejected`, `unknown` and so on. */
  readonly outcome?: string;
}

/** What a carrier or a mail system said later. */
export interface ReceiptRecord {
  readonly at: Date;
  /** The provider that it came through. */
  readonly backend: string;
  readonly event: "accept" | "deliver" | "expire" | "reject" | "fail";
  /** The sender's own code and words. */
  readonly code?: string;
  readonly text?: string;
}

/** A stored SMS or mail, with all that became of it so far. */
export interface MessageRecord {
  readonly id: string;
  readonly channel: "sms" | "email";
  readonly createdAt: Date;
  /** The last attempt's end, receipt, action or change of its related objects. */
  readonly changedAt: Date;
  /** When the last attempt began that a provider took, or may have taken. */
  readonly sentAt?: Date;
  /** Phone number or mail address, cleaned up. */
  readonly to: string;
  /** Sender ID, or the mail address of the sender. */
  readonly sender?: string;
  /** The text; of a mail its plain-text part. */
  readonly text: string;
  readonly subject?: string;
  readonly html?: string;
  /** Empty when there are none. */
  readonly attachments: readonly AttachmentRecord[];
  /** Of the template that it was rendered from, also once that is deleted. */
  readonly templateSlug?: string;
  readonly state: DeliveryState;
  /** The same by pymess's name and number, such as `SENT` and 4. */
  readonly pymessState: { readonly name: string; readonly number: number };
  /** The provider that handled it last, else the one that it was given. */
  readonly backend?: string;
  /** Why the last attempt failed, or why none is made. */
  readonly error?: string;
  readonly extraData?: Readonly<Record<string, unknown>>;
  /** What providers told of it, each attempt's merged into the one before. */
  readonly extraSenderData?: Readonly<Record<string, unknown>>;
  readonly tag?: string;
  /** 1 is the highest; 3 where none was given. */
  readonly priority: 1 | 2 | 3;
  readonly relatedObjects: readonly RelatedObjectRecord[];
  /** How many attempts were made. */
  readonly attempts: number;
  /** Oldest first. */
  readonly attemptList: readonly AttemptRecord[];
  /** In the order in which they came. */
  readonly receipts: readonly ReceiptRecord[];
  /** When it goes on by itself; absent when nothing is planned. */
  readonly nextAttemptAt?: Date;
  /** After this instant no attempt is made. */
  readonly expiresAt: Date;
  /** Parts of a long SMS, once it is known. */
  readonly segments?: number;
  /** Could not be sent: pymess's ERROR and ERROR_RETRY. */
  readonly failed: boolean;
  /** Nothing more will come of it. */
  readonly isFinal: boolean;
  /** It ended without reaching its recipient: pymess's ERROR and ERROR_UPDATE. */
  readonly isFailure: boolean;
}

/** A record of its own: what becomes of the message later does not show in it. */
export function toMessageRecord(stored: StoredMessage): MessageRecord {
  const { delivery, message, sentAt, pymessState } = stored;
  const { nextAttemptAt, segments, receipts = [] } = delivery;
  return {
    id: stored.id,
    channel: stored.channel,
    createdAt: new Date(stored.createdAt),
    changedAt: new Date(stored.changedAt),
    ...(sentAt !== undefined && { sentAt: new Date(sentAt) }),
    to: stored.to,
    ...given(stored, ["sender"]),
    text: stored.text,
    ...given(stored, ["subject", "html"]),
    attachments: stored.attachments.map((attachment) => ({ ...attachment })),
    ...given(stored, ["templateSlug"]),
    state: delivery.state,
    pymessState: { name: pymessState.name, number: pymessState.number },
    ...given(stored, [
      "backend",
      "error",
      "extraData",
      "extraSenderData",
      "tag",
    ]),
    priority: stored.priority,
    relatedObjects: stored.relatedObjects.map(toRelatedObjectRecord),
    attempts: delivery.attemptCount,
    attemptList: delivery.attempts.map(toAttemptRecord),
    receipts: receipts.map(toReceiptRecord),
    ...(nextAttemptAt !== undefined && {
      nextAttemptAt: new Date(nextAttemptAt),
    }),
    expiresAt: new Date(delivery.expiresAt ?? message.expiresAt),
    ...(segments !== undefined && { segments }),
    failed: stored.failed,
    isFinal: stored.isFinal,
    isFailure: stored.isFailure,
  };
}

export function toRelatedObjectRecord({
  type,
  id,
  createdAt,
  changedAt,
}: StoredMessage["relatedObjects"][number]): RelatedObjectRecord {
  return {
    type,
    id,
    createdAt: new Date(createdAt),
    changedAt: new Date(changedAt),
  };
}

function toAttemptRecord(attempt: Attempt): AttemptRecord {
  const { at, durationMs, provider } = attempt;
  return {
    at: new Date(at),
    durationMs,
    ...(provider !== undefined && { backend: provider }),
    ...given(attempt, ["statusCode", "errorClass", "error", "outcome"]),
  };
}

function toReceiptRecord(receipt: Receipt): ReceiptRecord {
  return {
    at: new Date(receipt.at),
    backend: receipt.entry,
    event: receipt.event,
    ...given(receipt, ["code", "text"]),
  };
}

/** Those members that are there. */
function given<Whole, Key extends keyof Whole>(
  whole: Whole,
  keys: readonly Key[],
): { [Each in Key]: Whole[Each] } {
  const present = keys.filter((key) => whole[key] !== undefined);
  // Members that are absent are optional in the whole.
  return Object.fromEntries(
    present.map((key) => [key, whole[key]]),
  ) as unknown as { [Each in Key]: Whole[Each] };
}
