/**
 * A webhook receiver that outlives the server under test: confirms what it is
 * asked to confirm, and remembers when each message arrived at each path.
 */

import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

export interface Arrival {
  readonly path: string;
  readonly messageId: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Of the request, as it came. */
  readonly body: string;
}

export class WebhookSink implements AsyncDisposable {
  readonly arrivals: Arrival[] = [];
  /** Paths whose confirmation link was followed. */
  readonly confirmed = new Set<string>();
  readonly #server: Server;
  /** Answers the status for a notification; 200 unless replaced. */
  status: (path: string) => number = () => 200;
  #onChange: (() => void)[] = [];

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<WebhookSink> {
    const server = createServer();
    const sink = new WebhookSink(server);
    server.on("request", (request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const path = request.url ?? "/";
        const type = request.headers["x-smn-message-type"];
        let status = 200;
        if (type === "Notification") {
          status = sink.status(path);
          if (status < 300) {
            sink.arrivals.push({
              path,
              messageId: String(request.headers["x-smn-message-id"]),
              at: Date.now(),
              body: Buffer.concat(chunks).toString(),
            });
          }
        }
        response.writeHead(status).end();
        if (type === "SubscriptionConfirmation") {
          void sink.#confirm(path, Buffer.concat(chunks).toString());
        }
        sink.#tell();
      });
    });
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    return sink;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}`;
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

  async #confirm(path: string, body: string): Promise<void> {
    const { subscribe_url } = JSON.parse(body) as { subscribe_url: string };
    // A server that is killed right now sends the confirmation again.
    const answer = await fetch(subscribe_url).catch(() => undefined);
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
