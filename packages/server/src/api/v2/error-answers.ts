/** Errors as problem details (RFC 9457), with our stable `code`. */

import { Type } from "../../json-schema.ts";
import {
  createErrorAnswer,
  type ErrorAnswer,
  type ErrorAnswerPorts,
} from "../error-answer.ts";
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
    status: Type.Integer({ description: "The HTTP status" }),
    detail: Type.String({ description: "What is wrong with this request" }),
    code: Type.String({ description: "Stable name of the problem" }),
    requestId: Type.String({ description: "The header X-Request-Id" }),
  },
  { title: "Problem" },
);

export function createProblemAnswer(ports: ErrorAnswerPorts): ErrorAnswer {
  return createErrorAnswer(ports, {
    statusOf: ({ code }) => problemStatus(code),
    send(reply, error, request) {
      const code = error?.code ?? "INTERNAL_ERROR";
      return reply
        .header("content-type", problemContentType)
        .send(
          toProblem(
            ports.originOf(request),
            code,
            reply.statusCode,
            error?.message ?? "See the server's log.",
            request.id,
          ),
        );
    },
  });
}

/** The body of an error, as JSON. */
export function toProblem(
  origin: string,
  code: ProblemCode,
  status: number,
  detail: string,
  requestId: string,
): string {
  return JSON.stringify({
    type: problemType(origin, code),
    title: problemTitle(code),
    status,
    detail,
    code,
    requestId,
  });
}

/** Leads to the explanation that `GET /api/v2/problems/{code}` gives. */
function problemType(origin: string, code: ProblemCode): string {
  return `${origin}/api/v2/problems/${code}`;
}

/** Answers of a route that may refuse a request. */
export const refusals = {
  "4xx": Problem,
  "5xx": Problem,
};
