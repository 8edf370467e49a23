/**
 * The HTTP API's codes in ours: of refused texts, and of what became of the
 * others. Source: "HTTP API Specification", appendices on errors and message
 * statuses. Some numbers stand for one thing in a refusal and for another in
 * a status.
 */

import {
  AuthError,
  CreditError,
  LimitsError,
  MessageSendError,
  ProviderError,
  RequestError,
  type SendErrorClass,
  ServerError,
} from "../../errors.ts";
import {
  MessageAccepted,
  MessageDelivered,
  MessageError,
  MessageExpired,
  MessageStatus,
  type MessageStatusInit,
} from "../../message-status.ts";

/** A class of statuses that a code stands for. */
type StatusClass = new (
  msgid: string,
  init?: MessageStatusInit,
) => MessageStatus;

type ErrorRow = readonly [error: SendErrorClass, meaning: string];
type StatusRow = readonly [status: StatusClass, meaning: string];

const errors: Readonly<Record<number, ErrorRow>> = {
  1: [AuthError, "The credentials were refused."],
  2: [AuthError, "The user or the password is wrong."],
  // Each request carries the credentials: there is no session to begin anew.
  3: [RequestError, "The session has expired."],
  4: [AuthError, "The account is frozen."],
  5: [RequestError, "The session is missing."],
  7: [AuthError, "The account does not allow this server's address."],
  101: [RequestError, "A parameter is missing or wrong."],
  102: [RequestError, "The user data header is wrong."],
  103: [RequestError, "The message id is not known."],
  104: [RequestError, "The client's message id is not known."],
  105: [RequestError, "The recipient's number is wrong."],
  106: [RequestError, "The sender is wrong."],
  107: [RequestError, "The text is empty."],
  108: [RequestError, "The API id is missing or wrong."],
  109: [RequestError, "The message id is missing."],
  113: [RequestError, "The text takes more parts than were allowed."],
  114: [ServerError, "There is no route to the recipient now."],
  115: [MessageSendError, "The text has expired."],
  116: [RequestError, "The Unicode of the text is wrong."],
  120: [RequestError, "The delivery time is wrong."],
  121: [MessageSendError, "The recipient's number is blocked."],
  122: [MessageSendError, "The recipient opted out."],
  123: [RequestError, "The sender is not one of the account's."],
  128: [MessageSendError, "The number was taken off the list."],
  130: [LimitsError, "The limit of texts is reached for now."],
  201: [RequestError, "The batch is not known."],
  202: [RequestError, "The batch has no template."],
  301: [CreditError, "The account has no credit left."],
  302: [CreditError, "The allowed credit is used up."],
  901: [ServerError, "Clickatell failed inside."],
};

const statuses: Readonly<Record<number, StatusRow>> = {
  1: [MessageStatus, "Clickatell does not know the text."],
  2: [MessageAccepted, "The text is queued."],
  3: [MessageAccepted, "The text was handed to the network."],
  4: [MessageDelivered, "The recipient has the text."],
  5: [MessageError, "The text is wrong."],
  6: [MessageError, "The text was cancelled."],
  7: [MessageError, "The text could not be delivered."],
  8: [MessageAccepted, "The text was received."],
  9: [MessageError, "There is no route to the recipient."],
  10: [MessageExpired, "The text was not delivered in time."],
  11: [MessageAccepted, "The text is queued for later."],
  12: [MessageError, "The account has no credit left."],
  14: [MessageError, "The limit of texts is reached."],
};

const limitReached = 130;

/** Limits are of a day or a month, and clocks differ. */
const longestWaitMs = 32 * 86_400_000;
const longestAgoMs = 86_400_000;

/** What a reply `ERR: …` says. */
export interface ClickatellHttpFailure {
  readonly code: number;
  /** Clickatell's words. */
  readonly text: string;
  /** Milliseconds since the epoch. */
  readonly now: number;
  readonly retryAfterMs?: number | undefined;
}

/** The error for a text that Clickatell refused. */
export function toError({
  code,
  text,
  now,
  retryAfterMs,
}: ClickatellHttpFailure): ProviderError {
  const [ErrorOfCode = ProviderError, meaning] = errors[code] ?? [];
  const reason = text || meaning || `error ${code}`;
  const waitMs =
    (code === limitReached ? untilTimeIn(text, now) : undefined) ??
    retryAfterMs;
  return new ErrorOfCode(`Clickatell refused the text: ${reason}`, {
    code,
    ...(waitMs !== undefined && { retryAfterMs: waitMs }),
  });
}

/** What Clickatell says of a text. */
export function toStatus(
  msgid: string,
  code: number,
  init: MessageStatusInit,
): MessageStatus {
  const [StatusOfCode = MessageStatus, meaning] = statuses[code] ?? [];
  const status = meaning ?? null;
  return new StatusOfCode(msgid, { status, ...init, statusCode: code });
}

/** A sentence on a code; `undefined`: it is none of Clickatell's. */
export function describeClickatellHttpCode(
  code: string | number,
): string | undefined {
  if (!/^\d{1,6}$/.test(String(code))) return undefined;
  const refusal = errors[Number(code)]?.[1];
  const state = statuses[Number(code)]?.[1];
  return state !== undefined && refusal !== undefined
    ? `Of a refused text: ${refusal} Of an accepted one: ${state}`
    : (refusal ?? state);
}

/**
 * "… until 1218007814": a UNIX time in seconds. The last number near now is it:
 * others are of phones.
 */
function untilTimeIn(text: string, now: number): number | undefined {
  return Array.from(
    text.matchAll(/\b\d{9,11}\b/g),
    ([seconds]) => Number(seconds) * 1000 - now,
  )
    .filter((waitMs) => waitMs >= -longestAgoMs && waitMs <= longestWaitMs)
    .map((waitMs) => Math.max(0, waitMs))
    .at(-1);
}
