/** A reverse proxy that serves the server below a path, and takes it away. */

import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";

export interface PrefixProxy extends AsyncDisposable {
  readonly port: number;
  /** Origin and prefix, without a slash at the end. */
  readonly url: string;
}

/**
 * Listens on a free port of 127.0.0.1; what does not stand below the prefix is
 * 404 without a body.
 */
export async function startPrefixProxy(
  upstreamPort: () => number,
  prefix: string,
  { keepsHost = true }: { readonly keepsHost?: boolean } = {},
): Promise<PrefixProxy> {
  const server = createServer((incoming, outgoing) => {
    const { method, url = "", headers } = incoming;
    if (!url.startsWith(`${prefix}/`)) {
      outgoing.writeHead(404).end();
      return;
    }
    const forwarded = httpRequest(
      {
        port: upstreamPort(),
        host: "127.0.0.1",
        method,
        path: url.slice(prefix.length),
        headers: {
          ...headers,
          ...(!keepsHost && { host: `upstream:${upstreamPort()}` }),
        },
      },
      (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        answer.pipe(outgoing);
      },
    );
    forwarded.on("error", () => outgoing.destroy());
    incoming.pipe(forwarded);
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}${prefix}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
