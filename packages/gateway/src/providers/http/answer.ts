/** What a carrier's answer means, as its page has it. */

import { answerJson, invalidAnswer, isSuccess } from "../../carrier-answer.ts";
import {
  AuthError,
  CreditError,
  LimitsError,
  MessageSendError,
  type ProviderErrorOptions,
  RequestError,
  ServerError,
  UnsupportedError,
} from "../../errors.ts";
import type { HttpResponse } from "../../http.ts";
import { errorFromHttpStatus } from "../../http-status-error.ts";
import { parseRetryAfter } from "../../retry-after.ts";
import type { CarrierPage, PageAnswer, PageError } from "./page.ts";
import {
  findInJson,
  meets,
  namedValues,
  type Values,
  valuesOfAnswer,
} from "./values.ts";

/** A text that was taken. */
export interface AcceptedText {
  readonly msgid: string;
  readonly meta: Record<string, unknown>;
}

/** @throws MessageSendError for one that was not, or perhaps not */
export function readAnswer(
  page: CarrierPage,
  response: HttpResponse,
  { ownId, now }: { readonly ownId: string; readonly now: number },
): AcceptedText {
  const { answer, title } = page;
  const values = valuesOfAnswer(response, answer);
  if (values && isSuccess(response) && isAccepted(values, answer)) {
    const { id, idRequired = id !== undefined } = answer;
    const given = id === undefined ? "" : (values(id) ?? "");
    if (given === "" && idRequired) {
      throw invalidAnswer(title, "has no id of the text");
    }
    const segments = answer.parts && values(answer.parts);
    return {
      msgid: given || ownId,
      meta: {
        ...namedValues(values, answer.meta),
        ...(segments && { segments }),
      },
    };
  }
  const refusal = values && readRefusal(values, response, answer);
  if (!refusal?.code && isSuccess(response)) throw invalidAnswer(title);
  throw toError(page, response, refusal ?? {}, now);
}

function isAccepted(values: Values, { accepted, id }: PageAnswer): boolean {
  if (accepted) return meets(values, accepted);
  return id !== undefined && Boolean(values(id));
}

interface Refusal {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
}

function readRefusal(
  values: Values,
  response: HttpResponse,
  { error, format }: PageAnswer,
): Refusal {
  const { code, message, variables } = error ?? {};
  const text = message === undefined ? undefined : values(message);
  const list =
    variables !== undefined && format === "json"
      ? findInJson(answerJson(response), variables)
      : undefined;
  return {
    code: [code ?? []].flat().flatMap((path) => values(path) || [])[0],
    message: Array.isArray(list)
      ? text?.replace(/%(\d)/g, (whole, n) => String(list[n - 1] ?? whole))
      : text,
  };
}

/** A class of errors that a page names. */
const classes: Readonly<
  Record<
    PageError["is"],
    new (
      message?: string,
      options?: ProviderErrorOptions,
    ) => MessageSendError
  >
> = {
  MessageSendError,
  RequestError,
  UnsupportedError,
  ServerError,
  AuthError,
  LimitsError,
  CreditError,
};

function toError(
  { title, answer, meanings }: CarrierPage,
  { status, headers }: HttpResponse,
  { code, message }: Refusal,
  now: number,
): MessageSendError {
  const retryAfterMs = parseRetryAfter(headers["retry-after"], now);
  const found = answer.errors?.find((it) =>
    isOf(it, { code, message, status }),
  );
  const words =
    message || (code && meanings?.[code]) || (code && `code ${code}`);
  const text = `${title} refused the text: ${words || `HTTP ${status}`}`;
  const details = {
    ...(code && { code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(found?.retry !== undefined && { retryable: found.retry }),
  };
  if (found) return new classes[found.is](text, { code: status, ...details });
  // A success that refuses is no matter of HTTP.
  return status >= 200 && status <= 299
    ? new MessageSendError(text, details)
    : errorFromHttpStatus(status, text, details);
}

function isOf(
  { codes, range, status, words }: PageError,
  refusal: Refusal & { readonly status: number },
): boolean {
  const { code, message = "" } = refusal;
  if (codes && !codes.includes(code ?? "")) return false;
  if (range && !isWithin(Number(code), Number(range[0]), Number(range[1]))) {
    return false;
  }
  if (status && !status.includes(refusal.status)) return false;
  return !words || new RegExp(words, "i").test(message);
}

function isWithin(value: number, first: number, last: number): boolean {
  return value >= first && value <= last;
}
