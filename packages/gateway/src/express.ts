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
import {
  DEFAULT_MAX_BODY_BYTES,
  type ReceiverHandler,
} from "./receiver-handler.ts";

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
 * A middleware for `app.use`. Mount it at the root, the prefix is in the
 * handler; and before body parsers, because receivers need the body as it was
 * sent. (`express.raw()` may run before it.)
 *
 * @example
 * app.use(toExpressMiddleware(gateway.receiverHandler({ prefix })));
 */
export function toExpressMiddleware(
  handler: ReceiverHandler,
  options: AdapterOptions = {},
): (
  request: ExpressRequest,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void {
  const { maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = options;
  return (request, response, next) => {
    if (!handler.matches(request.originalUrl)) {
      next();
      return;
    }
    const answer = async (): Promise<void> => {
      const head = requestHead(
        request.method,
        request.originalUrl,
        request.headers,
        request.ip ?? request.socket.remoteAddress,
        request.protocol === "https" || "encrypted" in request.socket,
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
