/** Errors as problem details (RFC 9457), with our stable `code`. */

import { CarillonError, type Logger } from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import Type from "typebox";
import { RequestError } from "../../errors.ts";
import type { OriginOf } from "../origin.ts";
import { requestFields, toRequestError } from "../unexpected-errors.ts";
import {
  type ProblemCode,
  problemStatus,
  problemTitle,
} from "./problem-codes.ts";

export const problemContentType = "application/problem+json";

export const Problem = Type.Object(
  {
    type: Type.String({ description: "Address that explains the problem" }),
    title: Type.String({ description: "The same for each problem of a code" }),
    status: Type.Integer(),
    detail: Type.String({ description: "What is wrong with this request" }),
    code: Type.String({ description: "Stable name of the problem" }),
    requestId: Type.String(),
  },
  { title: "Problem" },
);

export function createProblemAnswer(ports: {
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
      cause instanceof CarillonError || cause instanceof RequestError;
    const code: ProblemCode = isKnown ? cause.code : "INTERNAL_ERROR";
    const status = problemStatus(code);
    if (status === 503) reply.header("retry-after", "1");
    if (status >= 500) {
      logger.error("request_failed", {
        ...requestFields(request),
        status,
        error,
      });
    }
    return reply
      .code(status)
      .header("content-type", problemContentType)
      .send(
        JSON.stringify({
          type: problemType(originOf(request), code),
          title: problemTitle(code),
          status,
          detail: isKnown ? cause.message : "The log tells more.",
          code,
          requestId: request.id,
        }),
      );
  };
}

/** Leads to the explanation that `GET /api/v2/problems/{code}` gives. */
export function problemType(origin: string, code: ProblemCode): string {
  return `${origin}/api/v2/problems/${code}`;
}

/** Answers of a route that may refuse a request. */
export const refusals = {
  "4xx": Problem,
  "5xx": Problem,
};
