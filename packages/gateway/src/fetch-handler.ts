/** Serves receivers on platforms that speak `Request` and `Response`. */

import { readAtMost } from "./read-body.ts";
import {
  DEFAULT_MAX_BODY_BYTES,
  type ReceiverHandler,
} from "./receiver-handler.ts";

export interface FetchHandlerOptions {
  readonly maxBodyBytes?: number;
}

/** What a platform knows of a request besides the request itself. */
export interface FetchHandlerContext {
  /** `Request` does not carry it; pass it on where the platform knows it. */
  readonly remoteAddress?: string;
}

/** Answers a request of the Fetch API. */
export type FetchHandler = (
  request: Request,
  context?: FetchHandlerContext,
) => Promise<Response>;

/** Serves receivers as one function over `Request` and `Response`. */
export function toFetchHandler(
  handler: ReceiverHandler,
  options: FetchHandlerOptions = {},
): FetchHandler {
  const { maxBodyBytes = DEFAULT_MAX_BODY_BYTES } = options;
  return async (request, context = {}) => {
    const rawBody =
      request.body === null
        ? new Uint8Array()
        : await readAtMost(request.body, maxBodyBytes);
    const response = await handler({
      method: request.method,
      url: request.url,
      headers: Object.fromEntries(request.headers),
      query: new URL(request.url).searchParams,
      rawBody: rawBody ?? new Uint8Array(),
      bodyTooLarge: rawBody === undefined,
      remoteAddress: context.remoteAddress,
    });
    return new Response(response.body, {
      status: response.status,
      headers: { ...response.headers },
    });
  };
}
