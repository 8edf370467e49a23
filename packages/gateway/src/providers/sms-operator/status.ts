/**
 * The statuses of SMS Operator in ours: the same numbers answer a text and a
 * question.
 */

import type { CarrierCode } from "../../carrier-code.ts";
import {
  MessageSendError,
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

interface StatusMeaning {
  readonly words: string;
  readonly status: typeof MessageStatus;
  /** Of a text that is answered with it; absent: it was taken. */
  readonly error?: SendErrorClass;
  /** Default: as the class has it. */
  readonly retryable?: boolean;
}

function failed(words: string, error: SendErrorClass): StatusMeaning {
  return { words, status: MessageError, error };
}

function pending(words: string): StatusMeaning {
  return { words, status: MessageAccepted };
}

/** Of a text that it is asked about. */
export const notFoundCode = 15;

const meanings: ReadonlyMap<CarrierCode, StatusMeaning> = new Map<
  CarrierCode,
  StatusMeaning
>([
  [0, { words: "delivered", status: MessageDelivered }],
  [1, failed("not delivered", MessageSendError)],
  [2, failed("the number does not exist", RequestError)],
  [
    3,
    {
      words: "timed out, and never reached the operator",
      status: MessageExpired,
      error: MessageSendError,
      retryable: true,
    },
  ],
  [4, failed("the number is malformed", RequestError)],
  [5, failed("another error", ServerError)],
  [6, failed("event error", ServerError)],
  [7, failed("the text is too long", RequestError)],
  [10, failed("partly delivered", MessageSendError)],
  // The normal answer to a text that was just sent.
  [11, pending("unknown yet")],
  [12, pending("partly delivered, partly unknown yet")],
  [13, pending("partly not delivered, partly unknown yet")],
  [14, pending("partly delivered, partly not, partly unknown yet")],
  [notFoundCode, failed("not found", MessageSendError)],
]);

/** What a status means, in words. */
export function describeCode(code: CarrierCode): string | undefined {
  return meanings.get(code)?.words;
}

/**
 * The error for a text that was answered with this status, with its outcome
 * unknown for one that nobody knows; `undefined`: it was taken.
 */
export function toError(code: CarrierCode): MessageSendError | undefined {
  const meaning = meanings.get(code);
  if (meaning === undefined) {
    return new MessageSendError(
      "SMS Operator answered a status that is not known",
      { code, outcomeUnknown: true },
    );
  }
  const { words, error: ErrorOfCode, retryable } = meaning;
  return (
    ErrorOfCode &&
    new ErrorOfCode(`SMS Operator refused the text: ${words}`, {
      code,
      ...(retryable !== undefined && { retryable }),
    })
  );
}

/** What SMS Operator says of a text that it was asked about. */
export function toStatus(
  msgid: string,
  code: CarrierCode,
  init: MessageStatusInit = {},
): MessageStatus {
  const { words = null, status: StatusOfCode = MessageStatus } =
    meanings.get(code) ?? {};
  return new StatusOfCode(msgid, { status: words, ...init, statusCode: code });
}
