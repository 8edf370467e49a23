/** Errors as subscribers see them: `{"message"}` alone, or a page. */

import {
  createErrorAnswer,
  type ErrorAnswer,
  type ErrorAnswerPorts,
} from "../error-answer.ts";
import { smnErrorCodes } from "../smn/error-codes.ts";
import { acceptsPages, sendPage } from "./page.ts";

export function createSubscriberErrorAnswer(
  ports: ErrorAnswerPorts,
): ErrorAnswer {
  return createErrorAnswer(ports, {
    statusOf: ({ code }) => smnErrorCodes[code].status,
    send(reply, error, request) {
      const message =
        error?.message ?? "Something went wrong here; try again later.";
      return acceptsPages(request)
        ? sendPage(reply, { title: "This did not work", text: message })
        : reply.send({ message });
    },
  });
}
