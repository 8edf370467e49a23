/** A request whose answer is read into memory. */

import { BodyBuffer } from "@carillon/gateway";
import type { RequestTarget } from "../request-target.ts";
import { type AnswerHeaders, parseHeaders } from "./answer-reader.ts";
import type { RequestMemory } from "./connection.ts";
import type { ConnectionPool, PooledRequest } from "./connection-pool.ts";
import {
  headerLines,
  type RequestHeaders,
  requestHead,
} from "./request-bytes.ts";

export interface OutgoingRequest {
  /** Not HEAD. */
  readonly method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  readonly target: RequestTarget;
  readonly headers: RequestHeaders;
  readonly body?: string | Uint8Array;
  /** Of the answer; a longer one is cut off. */
  readonly maxBodyBytes: number;
  /** Called when it has a connection, new or kept. */
  readonly onConnection?: () => void;
}

export interface Answer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** As far as it was read. */
  readonly body: Buffer;
  readonly isCut: boolean;
}

export class RequestExchange implements PooledRequest {
  #connection: PooledRequest["connection"] = undefined;
  isWanted = true;
  /** Whether a connection started on it: from here on it may have arrived. */
  hasBegun = false;
  readonly #pool: ConnectionPool;
  readonly #request: OutgoingRequest;
  readonly #answer = Promise.withResolvers<Answer>();
  #status = 0;
  #headers: AnswerHeaders = {};
  readonly #body: BodyBuffer;

  constructor(pool: ConnectionPool, request: OutgoingRequest) {
    this.#pool = pool;
    this.#request = request;
    this.#body = new BodyBuffer(request.maxBodyBytes);
  }

  get connection(): PooledRequest["connection"] {
    return this.#connection;
  }

  set connection(connection: PooledRequest["connection"]) {
    this.#connection = connection;
    if (connection !== undefined) this.#request.onConnection?.();
  }

  /** An abort closes the connection and rejects with its reason. */
  async run(signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const abort = () => this.onError(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    try {
      this.#pool.start(this.#request.target.origin, this);
      return await this.#answer.promise;
    } finally {
      signal.removeEventListener("abort", abort);
    }
  }

  write(authority: string, memory: RequestMemory): Buffer {
    const { method, target, headers, body } = this.#request;
    const bytes =
      body === undefined && method !== "GET" && method !== "DELETE" ? "" : body;
    const content = bytes === undefined ? undefined : Buffer.from(bytes);
    const head = `${requestHead(method, authority, target, content?.length)}${headerLines(headers)}\r\n`;
    const request = memory.reserve(head.length + (content?.length ?? 0));
    request.write(head, 0, "latin1");
    if (content !== undefined) request.set(content, head.length);
    this.hasBegun = true;
    return request;
  }

  onHead(statusCode: number, head: string): void {
    this.#status = statusCode;
    this.#headers = parseHeaders(head);
  }

  onData(bytes: Buffer): void {
    const room = this.#request.maxBodyBytes - this.#body.length;
    this.#body.add(bytes.subarray(0, room));
    if (bytes.length > room) this.#settle(true);
  }

  onEnd(): void {
    this.#settle(false);
  }

  onError(error: Error): void {
    this.isWanted = false;
    this.#answer.reject(error);
    this.#pool.discard(this);
  }

  #settle(isCut: boolean): void {
    this.#answer.resolve({
      status: this.#status,
      headers: this.#headers,
      body: Buffer.from(this.#body.octets()),
      isCut,
    });
    if (isCut) this.#pool.discard(this);
    else this.#pool.release(this);
  }
}
