/**
 * Twilio's codes and words in ours. Source: its error dictionary and "Message
 * Status Values". Twilio says that the codes change: an unknown one counts by
 * its HTTP status.
 */

import {
  AuthError,
  CreditError,
  LimitsError,
  type MessageSendError,
  RequestError,
  type SendErrorClass,
  ServerError,
  UnsupportedError,
} from "../../errors.ts";
import { errorFromHttpStatus } from "../../http-status-error.ts";
import {
  MessageAccepted,
  MessageDelivered,
  MessageError,
  MessageExpired,
  MessageStatus,
  type MessageStatusInit,
} from "../../message-status.ts";

interface CodeGroup {
  readonly codes: readonly number[];
  readonly error: SendErrorClass;
  /** Default: as the class has it. */
  readonly retryable?: boolean;
}

/** Codes of refused requests, and of texts that failed later. */
const groups: readonly CodeGroup[] = [
  {
    codes: [20003, 20005, 20006, 20008, 10001, 90010, 30002],
    error: AuthError,
  },
  {
    codes: [20429, 14107, 21611, 30001, 30022, 30023, 30027],
    error: LimitsError,
  },
  // The price is above MaxPrice: it will be again.
  { codes: [30010], error: LimitsError, retryable: false },
  {
    codes: [
      20404, 21211, 21212, 21214, 21217, 21219, 21401, 21602, 21603, 21604,
      21606, 21608, 21609, 21614, 21617, 21618, 21619, 21620, 21624, 90007,
      21635, 21659, 21660, 21661, 21703, 21705, 30012,
    ],
    error: RequestError,
  },
  // The recipient left, is blocked, unknown or unreachable, or was filtered.
  { codes: [21610, 30004, 30005, 30006, 30007, 30024], error: RequestError },
  {
    codes: [21408, 21612, 21601, 30011, 30032, 30034, 30037],
    error: UnsupportedError,
  },
  { codes: [30410], error: ServerError },
];

const groupOf: ReadonlyMap<number, CodeGroup> = new Map(
  groups.flatMap((group) => group.codes.map((code) => [code, group] as const)),
);

/** Codes whose class does not depend on the HTTP status. */
export const knownCodes: readonly number[] = [...groupOf.keys()];

const accountSuspended = 30002;
const validityExpired = 30036;

/** What an answer that refuses a text says. */
export interface TwilioFailure {
  /** Of the HTTP answer; 400 where a text was refused within another. */
  readonly httpStatus: number;
  /** Twilio's own. */
  readonly code?: number | undefined;
  readonly message?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The error for a request or a text that Twilio refused. */
export function toError({
  httpStatus,
  code,
  message = "",
  retryAfterMs,
}: TwilioFailure): MessageSendError {
  const text = `Twilio refused the text: ${message || `HTTP ${httpStatus}`}`;
  const group = code === undefined ? undefined : groupOf.get(code);
  const details = {
    ...(code !== undefined && { code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(group?.retryable !== undefined && { retryable: group.retryable }),
  };
  // Mostly for want of money, which another person sees to.
  if (code === accountSuspended && /balance|fund|credit/i.test(message)) {
    return new CreditError(text, details);
  }
  if (group) return new group.error(text, details);
  return errorFromHttpStatus(httpStatus, text, details);
}

/** What Twilio says of a text; `undefined`: nothing that concerns sending. */
export function toStatus(
  sid: string,
  word: string,
  {
    errorCode,
    ...init
  }: MessageStatusInit & { errorCode?: number | undefined },
): MessageStatus | undefined {
  const details = { status: word, ...init, statusCode: errorCode ?? word };
  switch (word) {
    case "accepted":
    case "queued":
    case "scheduled":
    case "sending":
    case "sent":
      return new MessageAccepted(sid, details);
    case "delivered":
    case "read":
      return new MessageDelivered(sid, details);
    case "undelivered":
    case "failed":
      return errorCode === validityExpired
        ? new MessageExpired(sid, details)
        : new MessageError(sid, details);
    case "partially_delivered":
    case "canceled":
      return new MessageError(sid, details);
    case "receiving":
    case "received":
      return undefined;
    default:
      return new MessageStatus(sid, details);
  }
}
