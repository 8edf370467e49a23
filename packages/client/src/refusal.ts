/** Turns an answer other than 2xx into the error of its status. */

import {
  AuthenticationError,
  BadRequestError,
  ForbiddenError,
  ResourceNotFoundError,
  ResponseError,
  type ResponseErrorOptions,
  ServerError,
  ThrottledError,
} from "./errors.ts";
import { findText, isObject, type JsonObject, parseObject } from "./json.ts";
import { parseRetryAfter } from "./retry-after.ts";

export function toResponseError(
  response: Response,
  body: string,
  target: string,
): ResponseError {
  const fields = parseObject(body) ?? {};
  // Identity services put everything into an object called "error".
  const inner = isObject(fields.error) ? fields.error : {};
  const smnCode = findCode(fields) ?? findCode(inner);
  const reason = findReason(fields) ?? findReason(inner);
  const text = reason ?? response.statusText;
  const requestId = findRequestId(fields, response);
  const options: ResponseErrorOptions = {
    status: response.status,
    smnCode,
    reason,
    requestId,
    retryAfterMs: parseRetryAfter(
      response.headers.get("retry-after"),
      Date.now(),
    ),
  };
  const details = [smnCode, requestId && `request ${requestId}`]
    .filter(Boolean)
    .join(", ");
  const message = `${target} was answered with ${response.status}${text && `: ${text}`}${details && ` (${details})`}`;
  return createError(message, options);
}

/** The id under which the service knows the request. */
export function findRequestId(
  body: JsonObject,
  response: Response,
): string | undefined {
  return (
    findText(body, "request_id") ??
    response.headers.get("x-request-id") ??
    response.headers.get("x-openstack-request-id") ??
    undefined
  );
}

function createError(
  message: string,
  options: ResponseErrorOptions,
): ResponseError {
  switch (options.status) {
    case 400:
      return new BadRequestError(message, options);
    case 401:
      return new AuthenticationError(message, options);
    case 403:
      return new ForbiddenError(message, options);
    case 404:
      // A gateway's code: the path is wrong, and nothing is known of what was
      // asked for. Deleting must not take it for success.
      return options.smnCode?.startsWith("APIGW.")
        ? new ResponseError(message, options)
        : new ResourceNotFoundError(message, options);
    case 429:
      return new ThrottledError(message, options);
    default:
      return options.status >= 500
        ? new ServerError(message, options)
        : new ResponseError(message, options);
  }
}

function findCode(fields: JsonObject): string | undefined {
  return findText(fields, "code") ?? findText(fields, "error_code");
}

/** SMN's fields, then those of problem details (RFC 9457). */
function findReason(fields: JsonObject): string | undefined {
  return ["message", "detail", "error_msg", "title"]
    .map((field) => findText(fields, field))
    .find((text) => text !== undefined && text !== "");
}
