/**
 * Reads a `node:http` request for a receiver and writes its answer. Shared by
 * the adapters for Node's own server and for Express.
 */

import type {
  IncomingHttpHeaders,
  IncomingMessage,
  ServerResponse,
} from "node:http";
import { ChunkCount } from "../chunk-count.ts";
import { BodyBuffer } from "../read-body.ts";
import type { ReceiverRequest, ReceiverResponse } from "../receiver.ts";

export interface AdapterOptions {
  /**
   * What stands before the path of a request in the URL that carriers call,
   * such as `https://sms.example.com`; needed behind a proxy where signatures
   * cover the URL. By default taken from the request.
   */
  readonly publicUrl?: string;
}

/** What a framework says of a request. */
export interface NodeRequestHead {
  readonly method: string | undefined;
  /** Path and query as the carrier sent them. */
  readonly target: string;
  /** What is left of the path below the place of mounting. */
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly remoteAddress: string | undefined;
  readonly isSecure: boolean;
}

/** The request without its body. */
export function requestHead(
  head: NodeRequestHead,
  options: AdapterOptions,
): Omit<ReceiverRequest, "rawBody"> {
  const { target, path } = head;
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(head.headers)) {
    if (value !== undefined) headers[name] = String(value);
  }
  const origin =
    options.publicUrl?.replace(/\/+$/, "") ??
    `${head.isSecure ? "https" : "http"}://${headers.host ?? "localhost"}`;
  const question = target.indexOf("?");
  return {
    method: head.method ?? "GET",
    url: origin + target,
    path,
    headers,
    query: new URLSearchParams(question < 0 ? "" : target.slice(question)),
    remoteAddress: head.remoteAddress,
  };
}

/**
 * Reads a body that nobody has read yet. One in more chunks than its bytes are
 * worth, such as octet by octet, counts as too large.
 */
export function readNodeBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Pick<ReceiverRequest, "rawBody" | "bodyTooLarge">> {
  const { promise, resolve, reject } =
    Promise.withResolvers<Pick<ReceiverRequest, "rawBody" | "bodyTooLarge">>();
  const body = new BodyBuffer(maxBytes);
  const chunks = new ChunkCount(request.socket);
  let isTooLarge = false;
  request.on("data", (piece: Uint8Array) => {
    // What still comes is thrown away.
    if (isTooLarge) return;
    isTooLarge = !body.add(piece) || !chunks.add(piece);
    if (isTooLarge) resolve({ rawBody: new Uint8Array(), bodyTooLarge: true });
  });
  request.on("end", () => resolve({ rawBody: body.octets() }));
  request.on("error", reject);
  return promise;
}

export function writeNodeResponse(
  request: IncomingMessage,
  response: ServerResponse,
  answer: ReceiverResponse,
): void {
  // What is left of a body nobody wants must not be read as the next request.
  const close = request.complete ? {} : { connection: "close" };
  response.writeHead(answer.status, {
    ...answer.headers,
    ...close,
    "content-length": Buffer.byteLength(answer.body),
  });
  response.end(answer.body);
}
