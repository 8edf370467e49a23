/** Keystone's shape of errors: `{"error": {"code", "title", "message"}}`. */

import { STATUS_CODES } from "node:http";
import { CarillonError, type Logger } from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RequestError } from "../../errors.ts";
import type { OriginOf } from "../origin.ts";
import { smnErrorCodes } from "../smn/error-codes.ts";
import { requestFields, toRequestError } from "../unexpected-errors.ts";

export function createKeystoneErrorAnswer(ports: {
  readonly logger: Logger;
  readonly originOf: OriginOf;
}) {
  const { logger, originOf } = ports;
  return (
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply => {
    const cause = toRequestError(error);
    const isKnown =
      cause instanceof RequestError || cause instanceof CarillonError;
    const code = isKnown ? smnErrorCodes[cause.code].status : 500;
    if (code === 401) {
      reply.header(
        "www-authenticate",
        `Keystone uri="${originOf(request)}/v3"`,
      );
    }
    if (code === 503) reply.header("retry-after", "1");
    if (code >= 500) {
      logger.error("request_failed", {
        ...requestFields(request),
        status: code,
        error,
      });
    }
    return reply.code(code).send({
      error: {
        code,
        title: STATUS_CODES[code],
        message: isKnown
          ? cause.message
          : "Something went wrong here; the log tells more.",
      },
    });
  };
}
