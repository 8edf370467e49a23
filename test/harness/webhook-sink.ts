/**
 * A webhook receiver that outlives the server under test: confirms what it is
 * asked to confirm, and remembers when each message arrived at each path. How
 * it behaves is the first part of the path:
 *
 *     /slow/…   200 after 3 s          /hang/…   never an answer
 *     /fail/…   500                    /reset/…  the connection is reset
 *     /drip/…   one byte a second      any other: the status of `status`
 */

import {
  createServer,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";

export interface Arrival {
  readonly path: string;
  readonly messageId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** When it was answered; unset while it is not. */
  answeredAt?: number;
  /** Of the request, as it came; empty unless bodies are kept. */
  readonly body: string;
}

export interface WebhookSinkOptions {
  /** 0.0.0.0 is all of 127.0.0.0/8, too. */
  readonly host?: string;
  /** Default true. Without them long runs fit into memory. */
  readonly keepBodies?: boolean;
}

/** Less than the server's own deadline for a webhook, 5 s. */
export const slowAnswerMs = 3000;

export class WebhookSink implements AsyncDisposable {
  /** Of what was answered 2xx, or will be. */
  readonly arrivals: Arrival[] = [];
  /** Paths whose confirmation link was followed. */
  readonly confirmed = new Set<string>();
  /** Notifications by the first part of their paths. */
  readonly requests = new Map<string, number>();
  readonly #server: Server;
  readonly #keepBodies: boolean;
  /** Answers the status for a notification; 200 unless replaced. */
  status: (path: string) => number = () => 200;
  #onChange: (() => void)[] = [];

  private constructor(server: Server, keepBodies: boolean) {
    this.#server = server;
    this.#keepBodies = keepBodies;
  }

  static async start(options: WebhookSinkOptions = {}): Promise<WebhookSink> {
    const { host = "127.0.0.1", keepBodies = true } = options;
    const server = createServer({ keepAliveTimeout: 60_000 });
    const sink = new WebhookSink(server, keepBodies);
    server.on("request", (request, response) => {
      const at = Date.now();
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        sink.#take(at, request, Buffer.concat(chunks).toString(), response);
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, host, 4096, resolve);
    });
    return sink;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** Resolves once `condition` holds; rejects with `what` after the deadline. */
  async until(
    condition: () => boolean,
    what: string,
    deadlineMs = 30_000,
  ): Promise<void> {
    const deadline = Date.now() + deadlineMs;
    while (!condition()) {
      if (Date.now() > deadline) throw new Error(`Timed out: ${what}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 200);
        this.#onChange.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  #take(
    at: number,
    request: IncomingMessage,
    body: string,
    response: ServerResponse,
  ): void {
    const path = request.url ?? "/";
    const type = request.headers["x-smn-message-type"];
    if (type === "Notification") {
      const messageId = String(request.headers["x-smn-message-id"]);
      const kept = this.#keepBodies ? body : "";
      this.#notified({ path, messageId, at, body: kept }, response);
    } else {
      response.writeHead(200).end();
      if (type === "SubscriptionConfirmation") void this.#confirm(path, body);
    }
    this.#tell();
  }

  #notified(arrival: Arrival, response: ServerResponse): void {
    const kind = arrival.path.split("/", 2)[1] ?? "";
    this.requests.set(kind, (this.requests.get(kind) ?? 0) + 1);
    switch (kind) {
      case "hang":
        return;
      case "fail":
        response.writeHead(500).end();
        return;
      case "reset":
        response.socket?.resetAndDestroy();
        return;
      case "drip":
        drip(response);
        return;
      case "slow":
        this.arrivals.push(arrival);
        setTimeout(() => this.#answer(arrival, response, 200), slowAnswerMs);
        return;
      default: {
        const status = this.status(arrival.path);
        if (status < 300) this.arrivals.push(arrival);
        this.#answer(arrival, response, status);
      }
    }
  }

  #answer(arrival: Arrival, response: ServerResponse, status: number): void {
    arrival.answeredAt = Date.now();
    response.writeHead(status).end();
  }

  async #confirm(path: string, body: string): Promise<void> {
    const { subscribe_url } = JSON.parse(body) as { subscribe_url: string };
    // A server that is killed right now sends the confirmation again.
    const answer = await fetch(subscribe_url).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) this.confirmed.add(path);
    this.#tell();
  }

  #tell(): void {
    for (const tell of this.#onChange.splice(0)) tell();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Below HTTP: what Node would write at once goes out a byte a second. */
function drip(response: ServerResponse): void {
  const { socket } = response;
  if (socket === null) return;
  const text = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
  let sent = 0;
  const timer = setInterval(() => {
    socket.write(text.charAt(sent++));
    if (sent === text.length) socket.end();
  }, 1000);
  socket.on("close", () => clearInterval(timer));
  socket.on("end", () => clearInterval(timer));
}
