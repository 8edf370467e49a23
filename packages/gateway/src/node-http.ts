/** Serves receivers from Node's own `node:http` or `node:https` server. */

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  type AdapterOptions,
  readNodeBody,
  requestHead,
  writeNodeResponse,
} from "./adapters/node-request.ts";
import { checkHandler, type ReceiverHandler } from "./receiver-handler.ts";

export type { AdapterOptions } from "./adapters/node-request.ts";

/** As frameworks pass it on that cut the mounted part off `url`. */
export interface MountedRequest extends IncomingMessage {
  readonly originalUrl?: string;
}

/**
 * A listener for `createServer`, and for whatever mounts such listeners. Pass `next` to
 * let another listener answer what is no receiver's; without it such requests get 404.
 *
 * @example
 * createServer(toNodeListener(gateway.receiverHandler({ prefix })));
 */
export function toNodeListener(
  handler: ReceiverHandler,
  options: AdapterOptions = {},
): (
  request: MountedRequest,
  response: ServerResponse,
  next?: () => void,
) => void {
  const { maxBodyBytes } = checkHandler(handler);
  return (request, response, next) => {
    const path = request.url ?? "/";
    if (next !== undefined && !handler.matches(path)) {
      next();
      return;
    }
    const answer = async (): Promise<void> => {
      const { method, headers, socket } = request;
      const head = requestHead(
        {
          method,
          target: request.originalUrl ?? path,
          path,
          headers,
          remoteAddress: socket.remoteAddress,
          isSecure: "encrypted" in socket,
        },
        options,
      );
      const body = await readNodeBody(request, maxBodyBytes);
      writeNodeResponse(request, response, await handler({ ...head, ...body }));
    };
    answer().catch((error: unknown) => {
      // The caller hung up while it was still speaking, or the answer could
      // not be written: there is no caller left.
      response.destroy(error instanceof Error ? error : undefined);
    });
  };
}
