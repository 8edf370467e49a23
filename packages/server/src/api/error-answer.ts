/**
 * What every API does with an error, whatever its shape on the wire: decides
 * whose fault it is, sets the headers that belong to the status, and logs what
 * is not the client's fault.
 */

import { CarillonError } from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RequestError } from "../errors.ts";
import type { FailureLog } from "./failure-log.ts";
import { bodyBytesOf } from "./json-body.ts";
import type { OriginOf } from "./origin.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Why it was answered with an error; for the log. */
    failureCode: string | undefined;
  }
}

/** An error with a code of ours, and a message that clients may read. */
export type KnownError = CarillonError | RequestError;

export interface ErrorAnswerPorts {
  readonly failures: Pick<FailureLog, "report">;
  readonly originOf: OriginOf;
}

/** What differs between the APIs. */
export interface ErrorFormat {
  statusOf(error: KnownError, request: FastifyRequest): number;
  /**
   * Sends the body; the status is set. `error` is `undefined` for what nobody
   * foresaw: then the body says nothing of it.
   */
  send(
    reply: FastifyReply,
    error: KnownError | undefined,
    request: FastifyRequest,
  ): FastifyReply;
}

/** An error handler of Fastify's. */
export type ErrorAnswer = (
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply;

export function createErrorAnswer(
  { failures, originOf }: ErrorAnswerPorts,
  { statusOf, send }: ErrorFormat,
): ErrorAnswer {
  return (error, request, reply) => {
    const known = toKnownError(error, request);
    const status = known ? statusOf(known, request) : 500;
    request.failureCode = known?.code ?? "INTERNAL_ERROR";
    if (status === 401) {
      reply.header(
        "www-authenticate",
        `Keystone uri="${originOf(request)}/v3"`,
      );
    }
    const retryAfter =
      known instanceof RequestError && known.retryAfterSeconds !== undefined
        ? String(known.retryAfterSeconds)
        : known?.code === "IDEMPOTENCY_KEY_RUNNING"
          ? "1"
          : retryAfterSeconds[status];
    if (retryAfter !== undefined) reply.header("retry-after", retryAfter);
    if (status >= 500) failures.report(request, status, known ?? error);
    return send(reply.code(status), known && toPublicError(known), request);
  };
}

/** Without the places on the server's disk that the store's messages name. */
function toPublicError(error: KnownError): KnownError {
  return error.code.startsWith("STORAGE_") && error instanceof CarillonError
    ? new CarillonError(error.code)
    : error;
}

/** Node's error of whatever reads from a client that has gone. */
function isHangUp(error: Error): boolean {
  return "code" in error && error.code === "ECONNRESET";
}

/** What is over in a moment, and what waits for somebody to make room. */
const retryAfterSeconds: Readonly<Record<number, string>> = {
  503: "1",
  507: "30",
};

/**
 * A request error also for what a client did wrong at the level of HTTP;
 * `undefined` for what is none of these.
 */
function toKnownError(
  error: unknown,
  request: FastifyRequest,
): KnownError | undefined {
  // Ours first: Fastify gives them a status code, too, when a schema threw them.
  if (error instanceof CarillonError || error instanceof RequestError) {
    return error;
  }
  if (!(error instanceof Error)) return undefined;
  if (isHangUp(error) && !request.raw.complete) {
    return new RequestError(
      "REQUEST_INVALID",
      "The connection was closed before the request was complete.",
      { cause: error },
    );
  }
  if (!("statusCode" in error)) return undefined;
  const { statusCode } = error;
  if (typeof statusCode !== "number" || statusCode < 400 || statusCode > 499) {
    return undefined;
  }
  return statusCode === 413
    ? new RequestError(
        "BODY_TOO_LARGE",
        `The request body is larger than ${bodyBytesOf(request)} bytes, the most that this route takes.`,
        { cause: error },
      )
    : new RequestError("REQUEST_INVALID", error.message, { cause: error });
}
