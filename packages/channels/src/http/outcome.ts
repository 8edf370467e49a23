/** From what came of a request to the result of an attempt. */

import { type AttemptResult, type FailedResult, maskUrl } from "@carillon/core";
import { redact } from "@carillon/gateway";
import { EgressRefusedError } from "../egress/egress-guard.ts";
import { excerpt } from "../excerpt.ts";
import { InvalidHeaderError } from "../http-client/request-bytes.ts";

/** What an answer says beside its status. */
export interface AnswerDetails {
  readonly retryAfterMs?: number | undefined;
  /** Where a redirect leads, without secrets; see `describeLocation`. */
  readonly location?: string | undefined;
  /** An excerpt of the body. */
  readonly text?: string | undefined;
}

/**
 * SMN counts 2xx as delivered and repeats after 5xx; the other statuses
 * that are retried say themselves that another attempt may succeed.
 */
export function outcomeOfAnswer(
  statusCode: number,
  { retryAfterMs, location, text }: AnswerDetails = {},
): AttemptResult {
  if (statusCode >= 200 && statusCode < 300) {
    return { outcome: "delivered", statusCode };
  }
  const answered = location
    ? `The endpoint answered ${statusCode} with the Location ${location}, and redirects are not followed`
    : `The endpoint answered ${statusCode}`;
  const failure = {
    errorClass: "http_status",
    statusCode,
    error: text ? `${answered}: ${text}` : `${answered}.`,
  } as const;
  if (statusCode < 500 && !retriedStatuses.has(statusCode)) {
    return { outcome: "rejected", ...failure };
  }
  return {
    outcome: "deferred",
    ...failure,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/**
 * Where a redirect leads, for a record: without user info and query, and with
 * `***` for the endpoint's own path, which often is its password.
 *
 * @param path the endpoint's, with its query
 * @param secrets of the request, wherever they stand in it
 */
export function describeLocation(
  location: string,
  path: string,
  secrets: Iterable<string> = [],
): string {
  const [own = ""] = path.split("?", 1);
  const masked = maskUrl(location);
  const [authority = ""] =
    /^([a-z][a-z0-9+.-]*:)?\/\/[^/?]*/i.exec(masked) ?? [];
  const rest = masked.slice(authority.length);
  const described =
    own.length > 1 && rest.startsWith(own)
      ? `${authority}/***${rest.slice(own.length)}`
      : masked;
  return excerpt(redact(described.slice(0, maxLocationLength), secrets));
}

/** Characters of it that are looked at. */
const maxLocationLength = 2048;

/** Request Timeout, Too Early, Too Many Requests. */
const retriedStatuses: ReadonlySet<number> = new Set([408, 425, 429]);

/** A request that got no final answer. */
export function outcomeOfError(error: Error): FailedResult {
  if (error instanceof EgressRefusedError) {
    return {
      outcome: "rejected",
      errorClass: "egress_refused",
      error: error.message,
    };
  }
  if (error instanceof InvalidHeaderError) {
    return {
      outcome: "rejected",
      errorClass: "internal",
      error: `The request could not be built: ${excerpt(error.message)}.`,
    };
  }
  return {
    outcome: "deferred",
    errorClass: "unreachable",
    error: describe(codeOf(error), error),
  };
}

export function outcomeOfTimeout(timeoutMs: number): FailedResult {
  return {
    outcome: "deferred",
    errorClass: "timeout",
    error: `The endpoint did not answer within ${timeoutMs / 1000} s.`,
  };
}

/** A host with several addresses fails with one error for each. */
function codeOf(error: Error): string {
  const cause: unknown =
    error instanceof AggregateError ? error.errors[0] : error;
  return cause instanceof Error && "code" in cause
    ? String(cause.code ?? "")
    : "";
}

function describe(code: string, error: Error): string {
  if (code === "NOT_HTTP") {
    return `What the endpoint answered is not HTTP: ${error.message}.`;
  }
  const known = descriptions[code];
  if (known !== undefined) return `${known} (${code}).`;
  if (/CERT|TLS|SSL|^EPROTO$|VERIFY/.test(code)) {
    return `No secure connection could be made (${code}).`;
  }
  return `The endpoint could not be reached: ${excerpt(code || error.message)}.`;
}

const descriptions: Readonly<Record<string, string>> = {
  ECONNREFUSED: "The endpoint refused the connection",
  ECONNRESET: "The connection broke before the answer",
  EPIPE: "The connection broke before the answer",
  CLOSED_EARLY: "The endpoint closed the connection before its answer",
  HEAD_TOO_LARGE: "The endpoint's answer has too many headers",
  INTERIM_ANSWERS_EXCEEDED:
    "The endpoint sent interim answers (1xx) without a final one",
  PROTOCOL_SWITCHED:
    "The endpoint switched protocols (101), which was not asked",
  ANSWER_TOO_LARGE: "The endpoint's answer is too large",
  EHOSTUNREACH: "There is no route to the endpoint",
  ENETUNREACH: "There is no route to the endpoint",
  ETIMEDOUT: "The endpoint accepted no connection",
  ENOTFOUND: "The host name does not resolve",
  ENODATA: "The host name has no address",
  EAI_AGAIN: "The host name could not be resolved",
  ESERVFAIL: "The host name could not be resolved",
  ETIMEOUT: "The host name could not be resolved in time",
};
