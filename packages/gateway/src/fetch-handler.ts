/** Serves receivers on platforms that speak `Request` and `Response`. */

import { readAtMost } from "./read-body.ts";
import { checkHandler, type ReceiverHandler } from "./receiver-handler.ts";

/** What a platform knows of a request besides the request itself. */
export interface FetchHandlerContext {
  /** `Request` does not carry it; pass it on where the platform knows it. */
  readonly remoteAddress?: string;
  /**
   * The URL that the carrier called, where that of `Request` is not the same:
   * behind a proxy, or where the platform took the mounted part off its path.
   */
  readonly url?: string;
}

/** Answers a request of the Fetch API. */
export type FetchHandler = (
  request: Request,
  context?: FetchHandlerContext,
) => Promise<Response>;

/** Serves receivers as one function over `Request` and `Response`. */
export function toFetchHandler(handler: ReceiverHandler): FetchHandler {
  const { maxBodyBytes } = checkHandler(handler);
  return async (request, context = {}) => {
    const rawBody =
      request.body === null
        ? new Uint8Array()
        : await readAtMost(request.body, maxBodyBytes);
    const response = await handler({
      method: request.method,
      url: context.url ?? request.url,
      path: request.url,
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
