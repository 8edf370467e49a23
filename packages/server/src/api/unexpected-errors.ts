/** What Fastify itself refuses, told as our own errors. */

import { CarillonError } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { RequestError } from "../errors.ts";

/**
 * A request error for what a client did wrong at the level of HTTP; the error
 * itself when it is something else.
 */
export function toRequestError(error: unknown): unknown {
  // Ours first: Fastify gives them a status code, too, when a schema threw them.
  if (error instanceof CarillonError || error instanceof RequestError) {
    return error;
  }
  if (!(error instanceof Error) || !("statusCode" in error)) return error;
  const { statusCode } = error;
  if (typeof statusCode !== "number" || statusCode < 400 || statusCode > 499) {
    return error;
  }
  return statusCode === 413
    ? new RequestError("BODY_TOO_LARGE", undefined, { cause: error })
    : new RequestError("REQUEST_INVALID", error.message, { cause: error });
}

/** Fields that tell a failed request in the log; the URL may hold secrets. */
export function requestFields(request: FastifyRequest): {
  requestId: string;
  method: string;
  route: string | undefined;
} {
  return {
    requestId: request.id,
    method: request.method,
    route: request.routeOptions.url,
  };
}
