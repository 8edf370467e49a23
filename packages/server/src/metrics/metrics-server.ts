/** A port of its own for metrics: nothing else is there. */

import { once } from "node:events";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { expositionContentType } from "./exposition.ts";
import type { MetricsText } from "./metrics-text.ts";
import { hasToken } from "./metrics-token.ts";

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 picks a free one. */
  readonly port: number;
  /** Without it they are shown to whoever reaches the port. */
  readonly token?: string | undefined;
}

export interface MetricsServer extends AsyncDisposable {
  readonly port: number;
}

/** More than monitoring opens at once. */
const maxConnections = 16;
const requestTimeoutMs = 10_000;

/** @throws the error of the socket when it cannot listen */
export async function startMetricsServer(
  metricsText: MetricsText,
  { host, port, token }: MetricsServerOptions,
): Promise<MetricsServer> {
  const { createServer } = process.getBuiltinModule("node:http");

  async function answer(
    { method = "", url = "", headers }: IncomingMessage,
    response: ServerResponse,
  ): Promise<void> {
    const refuse = (status: number, header: Record<string, string> = {}) =>
      response.writeHead(status, { "content-length": 0, ...header }).end();
    const [path] = url.split("?", 1);
    if (path !== "/metrics") refuse(404);
    else if (method !== "GET" && method !== "HEAD") {
      refuse(405, { allow: "GET, HEAD" });
    } else if (token !== undefined && !hasToken(headers, token)) {
      refuse(401, { "www-authenticate": "Bearer" });
    } else {
      const text = await metricsText();
      response
        .writeHead(200, {
          "content-type": expositionContentType,
          "content-length": Buffer.byteLength(text),
          "cache-control": "no-store",
        })
        .end(text);
    }
  }

  const server = createServer(
    {
      requestTimeout: requestTimeoutMs,
      headersTimeout: requestTimeoutMs,
      connectionsCheckingInterval: 1000,
    },
    (request, response) => {
      // Nothing of a body is needed.
      request.resume();
      answer(request, response).catch(() => {
        // The store cannot be read now.
        if (!response.headersSent) response.writeHead(503);
        response.end();
      });
    },
  );
  server.maxConnections = maxConnections;
  server.listen({ host, port });
  await once(server, "listening");
  // It listens on a port, not on a path.
  const address = server.address() as AddressInfo;
  return {
    port: address.port,
    async [Symbol.asyncDispose]() {
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
