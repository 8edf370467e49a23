/** A real HTTP server on a free port of this machine, for tests. */

import { createServer, type RequestListener } from "node:http";

export interface TestServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
}

export async function serve(listener: RequestListener): Promise<TestServer> {
  const server = createServer(listener);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once("error", reject);
  server.listen(0, "127.0.0.1", resolve);
  await promise;
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("The server has no port");
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

/** Answers every request alike, and keeps what it was asked. */
export interface RecordedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export async function serveAnswer(
  answer: (
    request: RecordedRequest,
  ) => { status?: number; type?: string; body?: string } | undefined,
): Promise<TestServer & { readonly requests: RecordedRequest[] }> {
  const requests: RecordedRequest[] = [];
  const server = await serve((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const recorded: RecordedRequest = {
        method: request.method ?? "",
        path: request.url ?? "",
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      requests.push(recorded);
      const reply = answer(recorded);
      // Nothing said: the caller waits until one of us gives up.
      if (reply === undefined) return;
      const { status = 200, type = "application/json", body = "" } = reply;
      response.writeHead(status, { "content-type": type });
      response.end(body);
    });
  });
  return { ...server, requests };
}

/** A port on which nobody listens, or did a moment ago. */
export async function unusedUrl(): Promise<string> {
  const server = await serve(() => {});
  await server[Symbol.asyncDispose]();
  return server.url;
}
