/**
 * Serves receivers from an Express application. Structurally typed: Express
 * itself is not needed to build or load this file.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type AdapterOptions,
  readNodeBody,
  requestHead,
  writeNodeResponse,
} from "./adapters/node-request.ts";
import { ConfigurationError } from "./errors.ts";
import type { ReceiverRequest } from "./receiver.ts";
import { checkHandler, type ReceiverHandler } from "./receiver-handler.ts";

export type { AdapterOptions } from "./adapters/node-request.ts";

/** What is used of Express's request. */
export interface ExpressRequest extends IncomingMessage {
  readonly originalUrl: string;
  /** Follows the application's `trust proxy` setting. */
  readonly ip?: string | undefined;
  readonly protocol?: string;
  readonly body?: unknown;
}

/**
 * A middleware for `app.use`, at the root or at a path of its own: the handler's
 * prefix, if it has one, comes below. Mount it before body parsers, because
 * receivers need the body as it was sent. (`express.raw()` may run before it.)
 *
 * @example
 * app.use("/24fb0d6963f", toExpressMiddleware(gateway.receiverHandler()));
 */
export function toExpressMiddleware(
  handler: ReceiverHandler,
  options: AdapterOptions = {},
): (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void {
  const { maxBodyBytes } = checkHandler(handler);
  return (request, response, next) => {
    // Express takes the part it mounted at off the front.
    const path = request.url ?? "/";
    if (!handler.matches(path)) {
      next();
      return;
    }
    const answer = async (): Promise<void> => {
      const { method, headers, socket } = request;
      const head = requestHead(
        {
          method,
          target: request.originalUrl,
          path,
          headers,
          remoteAddress: request.ip ?? socket.remoteAddress,
          isSecure: request.protocol === "https" || "encrypted" in socket,
        },
        options,
      );
      const body = await bodyOf(request, maxBodyBytes);
      writeNodeResponse(request, response, await handler({ ...head, ...body }));
    };
    answer().catch(next);
  };
}

function bodyOf(
  request: ExpressRequest,
  maxBytes: number,
): Promise<Pick<ReceiverRequest, "rawBody" | "bodyTooLarge">> {
  if (request.body instanceof Uint8Array) {
    return Promise.resolve({ rawBody: request.body });
  }
  if (request.readableEnded && request.body !== undefined) {
    throw new ConfigurationError(
      "A body parser has consumed the request; " +
        "mount the receivers before it",
    );
  }
  return readNodeBody(request, maxBytes);
}
