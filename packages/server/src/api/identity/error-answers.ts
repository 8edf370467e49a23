/** Keystone's shape of errors: `{"error": {"code", "title", "message"}}`. */

import {
  createErrorAnswer,
  type ErrorAnswer,
  type ErrorAnswerPorts,
} from "../error-answer.ts";
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
      reply.send({
        error: {
          code: reply.statusCode,
          title: STATUS_CODES[reply.statusCode],
          message:
            error?.message ??
            "Something went wrong here; see the server's log.",
        },
      }),
  });
}
