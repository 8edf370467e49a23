/** What a carrier's answer means, as its page has it. */

import { answerJson, invalidAnswer, isSuccess } from "../../carrier-answer.ts";
import {
  AuthError,
  CreditError,
  LimitsError,
  MessageSendError,
  RequestError,
  type SendErrorClass,
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
  /** The carrier's id of it; `undefined`: it gave none. */
  readonly msgid: string | undefined;
  readonly meta: Record<string, unknown>;
}

/** @throws MessageSendError for one that was not, or perhaps not */
export function readAnswer(
  page: CarrierPage,
  response: HttpResponse,
  now: number,
): AcceptedText {
  const { answer, title } = page;
  const values = valuesOfAnswer(response, answer);
  if (values && isSuccess(response) && isAccepted(values, answer)) {
    const { id, idRequired = id !== undefined } = answer;
    const msgid = (id && values(id)) || undefined;
    if (msgid === undefined && idRequired) {
      throw invalidAnswer(title, "has no id of the text");
    }
    const segments = answer.parts && values(answer.parts);
    return {
      msgid,
      meta: {
        ...namedValues(values, answer.meta),
        ...(segments && { segments }),
      },
    };
  }
  const refusal = readRefusal(values ?? nothing, response, answer);
  // Words of success must not pass for a refusal, after which a text is sent anew.
  if (isSuccess(response) && !(refusal.code && refusal.row)) {
    throw invalidAnswer(title);
  }
  throw toError(page, response, refusal, now);
}

/** Of an answer of another format. */
const nothing: Values = () => undefined;

function isAccepted(values: Values, { accepted, id }: PageAnswer): boolean {
  if (accepted) return meets(values, accepted);
  return id !== undefined && Boolean(values(id));
}

interface Refusal {
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  /** What the page says of it; `undefined`: nothing. */
  readonly row?: PageError | undefined;
}

function readRefusal(
  values: Values,
  response: HttpResponse,
  { error, errors = [], format }: PageAnswer,
): Refusal {
  const { code, message, variables } = error ?? {};
  const text = message === undefined ? undefined : values(message);
  const list =
    variables !== undefined && format === "json"
      ? findInJson(answerJson(response), variables)
      : undefined;
  const words = Array.isArray(list)
    ? text?.replace(/%(\d)/g, (whole, n) => String(list[n - 1] ?? whole))
    : text;
  const { status } = response;
  const rowOf = (refusal: Refusal) =>
    errors.find((row) => isOf(row, { ...refusal, status }));
  const paths = code === undefined ? [] : [code].flat();
  const read = (path?: string): Refusal => {
    const found = { code: (path && values(path)) || undefined, message: words };
    return { ...found, row: rowOf(found) };
  };
  // What stands at the other paths is a code only where the page lists it.
  return paths.map(read).find((it) => it.code && it.row) ?? read(paths[0]);
}

/** A class of errors that a page names. */
const classes: Readonly<Record<PageError["is"], SendErrorClass>> = {
  MessageSendError,
  RequestError,
  UnsupportedError,
  ServerError,
  AuthError,
  LimitsError,
  CreditError,
};

function toError(
  page: CarrierPage,
  { status, headers }: HttpResponse,
  { code, message, row }: Refusal,
  now: number,
): MessageSendError {
  const retryAfterMs = parseRetryAfter(headers["retry-after"], now);
  const words =
    message || (code && meaningOf(page, code)) || (code && `code ${code}`);
  const text = `${page.title} refused the text: ${words || `HTTP ${status}`}`;
  const details = {
    ...(code && { code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
    ...(row?.retry !== undefined && { retryable: row.retry }),
  };
  return row
    ? new classes[row.is](text, { code: status, ...details })
    : errorFromHttpStatus(status, text, details);
}

function isOf(
  { codes, range, status, words }: PageError,
  refusal: Omit<Refusal, "row"> & { readonly status: number },
): boolean {
  const { code, message = "" } = refusal;
  if (codes && !codes.includes(code ?? "")) return false;
  if (range && !isWithin(Number(code), Number(range[0]), Number(range[1]))) {
    return false;
  }
  if (status && !status.includes(refusal.status)) return false;
  return !words || new RegExp(words, "i").test(message.slice(0, maxWords));
}

/** What a carrier says is looked at so far, in characters. */
const maxWords = 1000;

/** What a code means by the page, in words. */
export function meaningOf(
  { meanings = {} }: CarrierPage,
  code: string,
): string | undefined {
  return Object.hasOwn(meanings, code) ? meanings[code] : undefined;
}

function isWithin(value: number, first: number, last: number): boolean {
  return value >= first && value <= last;
}
