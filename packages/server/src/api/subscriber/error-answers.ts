/** Errors told to subscribers: `{"message"}` alone, or a page. */

import { CarillonError, type Logger } from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RequestError } from "../../errors.ts";
import { smnErrorCodes } from "../smn/error-codes.ts";
import { requestFields, toRequestError } from "../unexpected-errors.ts";
import { acceptsPages, sendPage } from "./page.ts";

export function createSubscriberErrorAnswer(logger: Logger) {
  return (
    error: unknown,
    request: FastifyRequest,
    reply: FastifyReply,
  ): FastifyReply => {
    const cause = toRequestError(error);
    const isKnown =
      cause instanceof CarillonError || cause instanceof RequestError;
    const status = isKnown ? smnErrorCodes[cause.code].status : 500;
    const message = isKnown
      ? cause.message
      : "Something went wrong here; try again later.";
    if (status >= 500) {
      logger.error("request_failed", {
        ...requestFields(request),
        status,
        error,
      });
    }
    reply.code(status);
    if (acceptsPages(request)) {
      return sendPage(reply, { title: "This did not work", text: message });
    }
    return reply.header("cache-control", "no-store").send({ message });
  };
}
