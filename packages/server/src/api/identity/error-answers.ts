/** Keystone's shape of errors: `{"error": {"code", "title", "message"}}`. */

import {
  createErrorAnswer,
  type ErrorAnswer,
  type ErrorAnswerPorts,
} from "../error-answer.ts";
import { jsonContentType } from "../http-app.ts";
import { smnErrorCodes } from "../smn/error-codes.ts";

// An import would load all that `node:http` names, WebSocket's client among
// it: 20 ms of each start.
const { STATUS_CODES } = process.getBuiltinModule("node:http");

export function createKeystoneErrorAnswer(
  ports: ErrorAnswerPorts,
): ErrorAnswer {
  return createErrorAnswer(ports, {
    statusOf: ({ code }) => smnErrorCodes[code].status,
    send: (reply, error) =>
      reply
        .header("content-type", jsonContentType)
        .send(
          toKeystoneErrorBody(
            reply.statusCode,
            error?.message ??
              "Something went wrong here; see the server's log.",
          ),
        ),
  });
}

/** The body of an error, as JSON. */
export function toKeystoneErrorBody(status: number, message: string): string {
  return JSON.stringify({
    error: { code: status, title: STATUS_CODES[status], message },
  });
}
