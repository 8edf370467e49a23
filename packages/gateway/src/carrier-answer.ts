/**
 * What a carrier answered, read with care. An answer of success that cannot be
 * read leaves it open whether the text went out.
 */

import { charsetOf, decodeText } from "./charset.ts";
import { MessageSendError } from "./errors.ts";
import type { HttpResponse } from "./http.ts";
import type { Balance } from "./provider.ts";
import { parseXml, type XmlElement } from "./xml.ts";

/** An object of JSON, whatever is in it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether an answer's status is one of success. */
export function isSuccess({ status }: Pick<HttpResponse, "status">): boolean {
  return status >= 200 && status <= 299;
}

/** An answer as text, in its own charset. */
export function answerText({ headers, body }: HttpResponse): string {
  return decodeText(body, charsetOf(headers["content-type"]));
}

/** `undefined` where the answer is no JSON object. */
export function answerJson(response: HttpResponse): JsonObject | undefined {
  try {
    return asObject(JSON.parse(answerText(response)));
  } catch {
    return undefined;
  }
}

/** `undefined` where the answer is no XML document. */
export function answerXml(response: HttpResponse): XmlElement | undefined {
  try {
    return parseXml(response.body, response.headers["content-type"]);
  } catch {
    return undefined;
  }
}

/** A value as an object of JSON; `undefined` where it is none. */
export function asObject(value: unknown): JsonObject | undefined {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? { ...value }
    : undefined;
}

/**
 * The balance in an answer's `balance` and `currency`.
 *
 * @throws MessageSendError where there is none
 */
export function toBalance(carrier: string, answer: JsonObject): Balance {
  const { balance, currency } = answer;
  const amount = typeof balance === "string" ? Number(balance) : balance;
  if (balance === "" || !Number.isFinite(amount)) {
    throw new MessageSendError(`${carrier} did not say what is left`, {
      code: "INVALID_ANSWER",
    });
  }
  return {
    amount: Number(amount),
    ...(typeof currency === "string" && currency !== "" && { currency }),
  };
}

/**
 * The error for an answer of success that does not say what it must: the text
 * may have gone out.
 *
 * @param problem completes "The answer of … "; without what was answered
 */
export function invalidAnswer(
  carrier: string,
  problem = "cannot be read",
): MessageSendError {
  return new MessageSendError(`The answer of ${carrier} ${problem}`, {
    code: "INVALID_ANSWER",
    outcomeUnknown: true,
  });
}
