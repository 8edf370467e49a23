/**
 * Amazon's error codes in ours. Source: "Common Errors" and the errors of
 * Publish. An unknown one counts by its HTTP status. There are no statuses: SNS
 * does not tell what became of a text.
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

interface CodeGroup {
  readonly error: SendErrorClass;
  /** Code → what it says. Some answers put `Exception` behind a code. */
  readonly codes: Readonly<Record<string, string>>;
}

const groups: readonly CodeGroup[] = [
  {
    error: AuthError,
    codes: {
      AuthorizationError: "The credentials may not send texts",
      AccessDenied: "The credentials may not send texts",
      InvalidClientTokenId: "There is no such access key",
      SignatureDoesNotMatch: "The secret access key is wrong",
      IncompleteSignature: "The signature lacks something",
      MissingAuthenticationToken: "The request is not signed",
      ExpiredToken: "The session token has expired",
      InvalidSecurity: "The credentials are wrong",
      OptInRequired: "The account is not subscribed to the service",
      UserError: "The account is in the sandbox, and the number not verified",
    },
  },
  {
    error: RequestError,
    codes: {
      InvalidParameter: "A parameter is wrong",
      InvalidParameterValue: "A parameter's value is wrong",
      ValidationError: "A parameter is missing or wrong",
      NotFound: "What is asked for is not there",
      MalformedQueryString: "The request cannot be read",
      OptedOut: "The recipient opted out",
    },
  },
  {
    error: UnsupportedError,
    codes: {
      EndpointDisabled: "The endpoint is disabled",
      PlatformApplicationDisabled: "The application is disabled",
      InvalidAction: "There is no such action",
    },
  },
  {
    error: LimitsError,
    codes: {
      Throttled: "Too many requests",
      Throttling: "Too many requests",
      RequestLimitExceeded: "Too many requests",
      KMSThrottling: "Too many requests for keys",
    },
  },
  {
    error: ServerError,
    codes: {
      InternalError: "SNS failed",
      InternalFailure: "SNS failed",
      ServiceUnavailable: "SNS cannot be used for now",
    },
  },
];

const meaningOf: ReadonlyMap<
  string,
  { readonly error: SendErrorClass; readonly words: string }
> = new Map(
  groups.flatMap(({ error, codes }) =>
    Object.entries(codes).map(([code, words]) => [code, { error, words }]),
  ),
);

function findMeaning(code: string | undefined) {
  return meaningOf.get(code?.replace(/Exception$/, "") ?? "");
}

/** What a code says; `undefined` for one that nobody knows. */
export function describeCode(code: string | number): string | undefined {
  return findMeaning(String(code))?.words;
}

/** What an answer that refuses a text says. */
export interface AwsSnsFailure {
  readonly httpStatus: number;
  /** Amazon's own. */
  readonly code?: string | undefined;
  readonly message?: string | undefined;
  readonly retryAfterMs?: number | undefined;
}

/** The error for a request that SNS refused. */
export function toError({
  httpStatus,
  code,
  message = "",
  retryAfterMs,
}: AwsSnsFailure): MessageSendError {
  // Below the first line, a wrong signature is answered with all that it
  // covers, the session token too.
  const [reason = ""] = message.split("\n", 1);
  const text = `Amazon SNS refused the text: ${reason || code || `HTTP ${httpStatus}`}`;
  const details = {
    ...(code !== undefined && { code }),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
  // More money a month has to be asked for, which a person sees to.
  if (/\bno quota left\b/i.test(reason)) return new CreditError(text, details);
  const meaning = findMeaning(code);
  if (meaning) return new meaning.error(text, details);
  return errorFromHttpStatus(httpStatus, text, details);
}
