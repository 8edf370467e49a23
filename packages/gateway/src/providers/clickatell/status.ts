/**
 * The One API's codes in ours: of refused texts, and of what became of the
 * others. Source: "One API: Error codes" and "Message status codes". Some
 * numbers stand for one thing in a refusal and for another in a status.
 */

import { isSuccess } from "../../carrier-answer.ts";
import { numericCode } from "../../carrier-code.ts";
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

/** A class of statuses that a code stands for. */
type StatusClass = new (
  msgid: string,
  init?: MessageStatusInit,
) => MessageStatus;

type ErrorRow = readonly [error: SendErrorClass, meaning: string];
type StatusRow = readonly [
  status: StatusClass,
  word: string | undefined,
  meaning: string,
];

const errors: Readonly<Record<number, ErrorRow>> = {
  1: [AuthError, "The API key is missing or wrong."],
  2: [AuthError, "The account is not active."],
  3: [AuthError, "The integration is not active."],
  7: [AuthError, "The account does not allow this server's address."],
  18: [ServerError, "Clickatell failed inside."],
  19: [ServerError, "Clickatell failed inside and asks to try again."],
  20: [CreditError, "The account has too little money."],
  21: [RequestError, "The request cannot be read."],
  22: [RequestError, "The request has too many texts."],
  23: [RequestError, "A parameter is missing or wrong."],
  24: [RequestError, "The text is too long."],
  25: [RequestError, "The recipient's number is wrong."],
  26: [RequestError, "The recipient opted out."],
  27: [RequestError, "The recipient cannot be reached over this channel."],
  28: [RequestError, "The sandbox does not know the recipient."],
  30: [UnsupportedError, "The type of content is not supported."],
  31: [UnsupportedError, "The media file is too large."],
  32: [UnsupportedError, "The media of the request are too large."],
  38: [UnsupportedError, "The integration lacks this feature of the channel."],
  39: [UnsupportedError, "The integration lacks this channel."],
  40: [RequestError, "The charset is not supported."],
  41: [RequestError, "There is no such resource."],
  42: [RequestError, "The resource does not take this HTTP method."],
  43: [LimitsError, "Too many requests."],
  44: [AuthError, "The sender's number is suspended."],
  45: [RequestError, "The sender's number is not the integration's."],
  100: [RequestError, "The text takes too many parts."],
  101: [UnsupportedError, "The destination takes no two-way texts."],
  110: [UnsupportedError, "Texts to the USA need a two-way integration."],
  111: [UnsupportedError, "Texts to the USA need STOP commands switched on."],
};

const statuses: Readonly<Record<number, StatusRow>> = {
  1: [MessageStatus, "UNKNOWN", "Clickatell does not know the text."],
  2: [MessageAccepted, "QUEUED", "The text is queued."],
  3: [MessageAccepted, "SCHEDULED", "The text waits for its time."],
  4: [
    MessageAccepted,
    "SENT_TO_SUPPLIER",
    "The text was handed to the network.",
  ],
  5: [MessageDelivered, "DEVICE_ACK", "The text is on the phone."],
  6: [MessageDelivered, "READ", "The text was read."],
  20: [MessageExpired, "EXPIRED", "The text was not delivered in time."],
  21: [MessageError, "STOPPED_BY_USER", "A user stopped the text."],
  22: [MessageError, "STOPPED_BY_ADMIN", "Clickatell stopped the text."],
  23: [MessageError, "DELIVERY_FAILURE", "The text could not be delivered."],
  24: [MessageAccepted, "EMULATED", "The text was only emulated."],
  25: [
    MessageError,
    "INSUFFICIENT_ACCOUNT_BALANCE",
    "The account has too little money.",
  ],
  26: [MessageError, "VOLUME_LIMIT", "The limit of texts is reached."],
  27: [
    MessageError,
    "VOLUME_LIMIT_DAILY",
    "The limit of texts of a day is reached.",
  ],
  28: [
    MessageError,
    "VOLUME_LIMIT_MONTHLY",
    "The limit of texts of a month is reached.",
  ],
  29: [
    MessageError,
    "RECIPIENT_DOES_NOT_EXIST",
    "The recipient does not exist.",
  ],
  60: [MessageError, undefined, "The encryption's key was refused."],
  61: [MessageError, undefined, "The encrypted content is wrong."],
  100: [MessageError, "ROUTING_ERROR", "There is no route to the recipient."],
};

const mediaFailed: StatusRow = [
  MessageError,
  undefined,
  "The media of the message failed.",
];
const otherChannelFailed: StatusRow = [
  MessageError,
  undefined,
  "The message failed on another channel than SMS.",
];

const rowOfWord: ReadonlyMap<string, StatusRow> = new Map(
  Object.values(statuses).flatMap((row) =>
    row[1] === undefined ? [] : [[row[1], row] as const],
  ),
);

/** What an answer that refuses a text says. */
export interface ClickatellFailure {
  /** Of the HTTP answer. */
  readonly httpStatus: number;
  /** Clickatell's own. */
  readonly code?: number | undefined;
  readonly message?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The error for a request or a text that Clickatell refused. */
export function toError({
  httpStatus,
  code,
  message,
  retryAfterMs,
}: ClickatellFailure): MessageSendError {
  const [ErrorOfCode, meaning] =
    (code === undefined ? undefined : errors[code]) ?? [];
  const reason = message || meaning || `HTTP ${httpStatus}`;
  const text = `Clickatell refused the text: ${reason}`;
  const details = {
    ...(code !== undefined && { code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  if (ErrorOfCode) return new ErrorOfCode(text, details);
  // A refusal within an answer of success says nothing by its HTTP status.
  const status = isSuccess({ status: httpStatus }) ? 400 : httpStatus;
  return errorFromHttpStatus(status, text, details);
}

/** What Clickatell says of a text, by its code or, where there is none, by its word. */
export function toStatus(
  msgid: string,
  { code, word, ...init }: MessageStatusInit & StatusGiven,
): MessageStatus {
  const row = rowOf({ code, word });
  const [StatusOfCode = MessageStatus, ownWord] = row ?? [];
  const status = word ?? ownWord ?? null;
  return new StatusOfCode(msgid, { ...init, statusCode: code ?? word, status });
}

/** A status as Clickatell writes it. */
export interface StatusGiven {
  readonly code?: number | undefined;
  readonly word?: string | undefined;
}

/** A sentence on a code or a word; `undefined`: it is none of Clickatell's. */
export function describeClickatellCode(
  code: string | number,
): string | undefined {
  const number = numericCode(code);
  const state = rowOf(
    number === undefined ? { word: String(code) } : { code: number },
  )?.[2];
  const refusal = number === undefined ? undefined : errors[number]?.[1];
  return state !== undefined && refusal !== undefined
    ? `Of a refused text: ${refusal} Of an accepted one: ${state}`
    : (refusal ?? state);
}

function rowOf({ code, word }: StatusGiven): StatusRow | undefined {
  if (code === undefined) {
    if (word === undefined) return undefined;
    if (/^(?:ENCRYPTION|MEDIA|WHATSAPP)_/.test(word)) return otherChannelFailed;
    return rowOfWord.get(word);
  }
  if (code >= 130) return otherChannelFailed;
  return code >= 80 && code <= 85 ? mediaFailed : statuses[code];
}
