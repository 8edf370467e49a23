/**
 * The codes of ATS in ours. A code says the same in the answer to a text and in
 * that to a question; what follows from it differs.
 */

import type { CarrierCode } from "../../carrier-code.ts";
import {
  AuthError,
  LimitsError,
  MessageSendError,
  type ProviderErrorOptions,
  RequestError,
  type SendErrorClass,
  ServerError,
  UnsupportedError,
} from "../../errors.ts";
import {
  MessageAccepted,
  MessageDelivered,
  MessageError,
  MessageStatus,
  type MessageStatusInit,
} from "../../message-status.ts";

interface CodeMeaning {
  readonly words: string;
  /** Of a text that is refused with it; absent: it was taken. */
  readonly error?: SendErrorClass;
  readonly options?: Pick<ProviderErrorOptions, "retryable" | "outcomeUnknown">;
  /** What it says of a text that is asked about; absent: nothing. */
  readonly status?: typeof MessageStatus;
}

/** The text was refused, and will not go out. */
function refused(words: string, error: SendErrorClass): CodeMeaning {
  return { words, error, status: MessageError };
}

/** It is about the request, and says nothing of a text that is asked about. */
function request(
  words: string,
  error: SendErrorClass,
  options: NonNullable<CodeMeaning["options"]> = {},
): CodeMeaning {
  return { words, error, options };
}

const dailyLimit = 334;

/** Of a text that it is asked about. */
export const notFoundCode = 20;

const meanings: ReadonlyMap<CarrierCode, CodeMeaning> = new Map<
  CarrierCode,
  CodeMeaning
>([
  [0, { words: "accepted, ready to be sent", status: MessageAccepted }],
  [1, request("unspecified error", ServerError)],
  [notFoundCode, refused("not found", MessageSendError)],
  [21, { words: "not sent yet", status: MessageAccepted }],
  [22, { words: "sent", status: MessageAccepted }],
  [23, { words: "delivered", status: MessageDelivered }],
  [24, refused("not delivered", MessageSendError)],
  [
    25,
    request("the state cannot be determined", MessageSendError, {
      outcomeUnknown: true,
    }),
  ],
  [100, request("authentication failed", AuthError)],
  [200, request("database error", ServerError)],
  [300, request("the request has an id twice", RequestError)],
  // Ids are ours and made for one attempt: ATS has this very text already.
  [
    310,
    request("the id was used before", RequestError, { outcomeUnknown: true }),
  ],
  [320, refused("the keyword is missing", RequestError)],
  [321, refused("the keyword is invalid", RequestError)],
  [330, refused("the sender is missing", RequestError)],
  [331, refused("the sender is invalid", RequestError)],
  [332, refused("MO PR is not allowed", UnsupportedError)],
  [333, refused("MT PR is not allowed", UnsupportedError)],
  [dailyLimit, refused("the daily limit of MT PR is reached", LimitsError)],
  [
    335,
    {
      ...refused("the total limit of MT PR is reached", LimitsError),
      options: { retryable: false },
    },
  ],
  [336, refused("geographic numbers are not allowed", UnsupportedError)],
  [337, refused("numbers of Slovakia are not allowed", UnsupportedError)],
  [338, refused("short codes are not allowed", UnsupportedError)],
  [339, refused("the sender is unknown", RequestError)],
  [340, refused("the type of the text is missing", RequestError)],
  [341, refused("the text is too long", RequestError)],
  [342, refused("the text takes more than 10 parts", RequestError)],
  [343, refused("the number is wrong", RequestError)],
  [350, refused("the recipient is missing or malformed", RequestError)],
  [360, refused("a textid is not allowed", UnsupportedError)],
  [361, refused("the textid is wrong", RequestError)],
  [362, refused("a textid cannot go with a long text", RequestError)],
  [701, request("the XML is missing", RequestError)],
  [702, request("the XML cannot be read", RequestError)],
  [703, request("the HTTP method is wrong", RequestError)],
  [705, request("the XML is invalid", RequestError)],
]);

/** Registered, registered again: no answers to what we ask. */
export const ignoredCodes: ReadonlySet<CarrierCode> = new Set([10, 11]);

/** What a code means, in words. */
export function describeCode(code: CarrierCode): string | undefined {
  return meanings.get(code)?.words;
}

/**
 * The error for a text or a request that was answered with this code, with its
 * outcome unknown for a code that nobody knows; `undefined`: it was taken.
 *
 * @param msUntilTomorrow of the day that limits are counted by
 */
export function toError(
  code: CarrierCode,
  msUntilTomorrow: () => number,
): MessageSendError | undefined {
  const meaning = meanings.get(code);
  if (meaning === undefined) {
    return new MessageSendError("ATS answered a code that is not known", {
      code,
      outcomeUnknown: true,
    });
  }
  const { words, error: ErrorOfCode, options } = meaning;
  if (ErrorOfCode === undefined) return undefined;
  return new ErrorOfCode(`ATS refused the text: ${words}`, {
    code,
    ...options,
    ...(code === dailyLimit && { retryAfterMs: msUntilTomorrow() }),
  });
}

/** What ATS says of a text that it was asked about. */
export function toStatus(
  msgid: string,
  code: CarrierCode,
  init: MessageStatusInit = {},
): MessageStatus {
  const { words = null, status: StatusOfCode = MessageStatus } =
    meanings.get(code) ?? {};
  return new StatusOfCode(msgid, { status: words, ...init, statusCode: code });
}
