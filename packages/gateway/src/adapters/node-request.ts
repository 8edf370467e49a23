/**
 * Reads a `node:http` request for a receiver and writes its answer. Shared by
 * the adapters for Node's own server and for Express.
 */

import type {
  IncomingHttpHeaders,
  IncomingMessage,
  ServerResponse,
} from "node:http";
import { readAtMost } from "../read-body.ts";
import type { ReceiverRequest, ReceiverResponse } from "../receiver.ts";

export interface AdapterOptions {
  /**
   * Scheme and host that carriers see, such as `https://sms.example.com`;
   * needed behind a proxy where signatures cover the URL. By default taken
   * from the request.
   */
  readonly publicUrl?: string;
  /** Larger requests get 413. Default 1 MiB. */
  readonly maxBodyBytes?: number;
}

/** The request without its body. */
export function requestHead(
  method: string | undefined,
  path: string,
  incomingHeaders: IncomingHttpHeaders,
  remoteAddress: string | undefined,
  secure: boolean,
  options: AdapterOptions,
): Omit<ReceiverRequest, "rawBody"> {
  const headers: Record<string, string> = {};
  for (const [name, value] of Object.entries(incomingHeaders)) {
    if (value !== undefined) headers[name] = String(value);
  }
  const origin =
    options.publicUrl?.replace(/\/+$/, "") ??
    `${secure ? "https" : "http"}://${headers.host ?? "localhost"}`;
  const question = path.indexOf("?");
  return {
    method: method ?? "GET",
    url: origin + path,
    headers,
    query: new URLSearchParams(question < 0 ? "" : path.slice(question)),
    remoteAddress,
  };
}

/** Reads a body that nobody has read yet. */
export async function readNodeBody(
  request: IncomingMessage,
  maxBytes: number,
): Promise<Pick<ReceiverRequest, "rawBody" | "bodyTooLarge">> {
  // Not destroyed when it is too long, or the answer could not be written.
  const chunks = request.iterator({ destroyOnReturn: false });
  const rawBody = await readAtMost(chunks, maxBytes);
  return rawBody
    ? { rawBody }
    : { rawBody: new Uint8Array(), bodyTooLarge: true };
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
