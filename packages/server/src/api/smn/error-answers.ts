/**
 * Errors on the wire. SMN's older clients read `code` and `message`, its newer
 * ones `error_code` and `error_msg`: each answer has both.
 */

import { CarillonError, type ErrorCode } from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RequestError, type RequestErrorCode } from "../../errors.ts";
import {
  createErrorAnswer,
  type ErrorAnswer,
  type ErrorAnswerPorts,
  type KnownError,
} from "../error-answer.ts";
import { jsonContentType } from "../http-app.ts";
import {
  type SmnErrorCode,
  smnErrorCodes,
  smnInternalError,
} from "./error-codes.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** Codes this route has for what goes wrong before its schema is asked. */
    errorCodes?: Partial<Record<RequestErrorCode, ErrorCode>>;
  }
}

export interface SmnErrorAnswers {
  readonly send: ErrorAnswer;
  sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply;
}

export function createSmnErrorAnswers(
  ports: ErrorAnswerPorts,
): SmnErrorAnswers {
  const send = createErrorAnswer(ports, {
    statusOf: (error, request) => codesOf(error, request).status,
    send(reply, error, request) {
      const { code } = error ? codesOf(error, request) : smnInternalError;
      const message =
        error?.message ?? "Something went wrong here; see the server's log.";
      return reply
        .header("content-type", jsonContentType)
        .send(toErrorBody(request.id, code, message));
    },
  });
  return {
    send,
    sendNotFound: (request, reply) =>
      send(
        new RequestError(
          "ROUTE_NOT_FOUND",
          `There is no route ${request.method} ${pathOf(request).slice(0, 200)}.`,
        ),
        request,
        reply,
      ),
  };
}

/** `undefined` for errors that are none of ours. */
export function describeSmnError(
  error: unknown,
): (SmnErrorCode & { readonly message: string }) | undefined {
  return error instanceof CarillonError || error instanceof RequestError
    ? { ...smnErrorCodes[error.code], message: error.message }
    : undefined;
}

/** A route may have codes of its own for errors of a request. */
function codesOf(error: KnownError, request: FastifyRequest): SmnErrorCode {
  const own =
    error instanceof RequestError
      ? request.routeOptions.config.errorCodes?.[error.code]
      : undefined;
  return smnErrorCodes[own ?? error.code];
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}

/** The body of an error, as JSON. */
export function toErrorBody(
  requestId: string,
  code: string,
  message: string,
): string {
  return JSON.stringify({
    request_id: requestId,
    code,
    message,
    error_code: code,
    error_msg: message,
  });
}
