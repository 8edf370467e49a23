/**
 * Errors on the wire. SMN's older clients read `code` and `message`, its newer
 * ones `error_code` and `error_msg`: each answer has both.
 */

import { CarillonError, type ErrorCode, type Logger } from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RequestError, type RequestErrorCode } from "../../errors.ts";
import { jsonContentType } from "../http-app.ts";
import type { OriginOf } from "../origin.ts";
import { requestFields, toRequestError } from "../unexpected-errors.ts";
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
  /** Answers an error; what is not the client's fault is logged. */
  send(
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply;
  sendNotFound(request: FastifyRequest, reply: FastifyReply): FastifyReply;
}

export function createSmnErrorAnswers(ports: {
  readonly logger: Logger;
  readonly originOf: OriginOf;
}): SmnErrorAnswers {
  const { logger, originOf } = ports;

  function send(error: unknown, request: FastifyRequest, reply: FastifyReply) {
    const cause = toRequestError(error);
    const known = describeSmnError(cause, request);
    const { status, code, message } = known ?? {
      ...smnInternalError,
      message: "Something went wrong here; the log tells more.",
    };
    if (status === 401) {
      reply.header(
        "www-authenticate",
        `Keystone uri="${originOf(request)}/v3"`,
      );
    }
    if (status === 503) reply.header("retry-after", "1");
    // What is not offered is no failure of ours.
    if (status >= 500 && status !== 501) {
      logger.error("request_failed", {
        ...requestFields(request),
        status,
        error,
      });
    }
    return reply
      .code(status)
      .header("content-type", jsonContentType)
      .send(toErrorBody(request.id, code, message));
  }

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
  request?: FastifyRequest,
): (SmnErrorCode & { readonly message: string }) | undefined {
  if (error instanceof CarillonError) {
    return { ...smnErrorCodes[error.code], message: error.message };
  }
  if (error instanceof RequestError) {
    const own = request?.routeOptions.config.errorCodes?.[error.code];
    return { ...smnErrorCodes[own ?? error.code], message: error.message };
  }
  return undefined;
}

function pathOf(request: FastifyRequest): string {
  return request.url.split("?", 1)[0] ?? "";
}

function toErrorBody(requestId: string, code: string, message: string): string {
  return JSON.stringify({
    request_id: requestId,
    code,
    message,
    error_code: code,
    error_msg: message,
  });
}
