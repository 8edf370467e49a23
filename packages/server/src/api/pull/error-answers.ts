/**
 * Errors of the Notipy protocol: `{"error": "…"}`. Its clients take a 404 for
 * wrong credentials, whatever the body says, and any other status for a failure.
 */

import {
  createErrorAnswer,
  type ErrorAnswer,
  type ErrorAnswerPorts,
  type KnownError,
} from "../error-answer.ts";
import { jsonContentType } from "../http-app.ts";
import { problemStatus } from "../v2/problem-codes.ts";

export function createPullErrorAnswer(ports: ErrorAnswerPorts): ErrorAnswer {
  return createErrorAnswer(ports, {
    statusOf: ({ code }) => pullErrorStatus(code),
    send: (reply, error) =>
      reply
        .header("content-type", jsonContentType)
        .send(
          toPullErrorBody(
            error?.message ??
              "Something went wrong here; see the server's log.",
          ),
        ),
  });
}

/** The body of an error, as JSON. */
export function toPullErrorBody(message: string): string {
  return JSON.stringify({ error: message });
}

export function pullErrorStatus(code: KnownError["code"]): number {
  switch (code) {
    case "AUTHENTICATION_FAILED":
    case "ROUTE_NOT_FOUND":
      return 404;
    default: {
      const status = problemStatus(code);
      // Such as a topic that was deleted: the credentials are right.
      return status === 404 ? 409 : status;
    }
  }
}
