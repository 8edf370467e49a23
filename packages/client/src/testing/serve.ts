/** A real HTTP server on a free port of this machine, for tests. */

import { createServer } from "node:http";

export interface ReceivedRequest {
  readonly method: string;
  /** As it stands in the request line, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; `undefined` when it is empty. */
  readonly json: unknown;
}

export interface Reply {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON unless it is a text. */
  readonly body?: unknown;
}

/** "hang" never answers; "drop" breaks the connection after reading. */
export type Answer = (request: ReceivedRequest) => Reply | "hang" | "drop";

export interface TestServer extends AsyncDisposable {
  /** Without a slash at its end. */
  readonly url: string;
  readonly requests: readonly ReceivedRequest[];
}

export async function serve(answer: Answer): Promise<TestServer> {
  const requests: ReceivedRequest[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const [path = "", query] = (request.url ?? "").split("?");
      const text = Buffer.concat(chunks).toString();
      const received: ReceivedRequest = {
        method: request.method ?? "",
        path,
        query: new URLSearchParams(query),
        headers: request.headers,
        text,
        json: text === "" ? undefined : JSON.parse(text),
      };
      requests.push(received);
      const reply = answer(received);
      if (reply === "hang") return;
      if (reply === "drop") {
        response.destroy();
        return;
      }
      const { status = 200, headers, body = "" } = reply;
      response.writeHead(status, {
        "content-type": "application/json",
        ...headers,
      });
      response.end(typeof body === "string" ? body : JSON.stringify(body));
    });
  });
  const listening = Promise.withResolvers<void>();
  server.once("error", listening.reject);
  server.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("The server has no port");
  }
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = Promise.withResolvers<void>();
      server.close(() => closed.resolve());
      server.closeAllConnections();
      await closed.promise;
    },
  };
}

/** A URL where nobody listens, or did a moment ago. */
export async function unusedUrl(): Promise<string> {
  const server = await serve(() => "drop");
  await server[Symbol.asyncDispose]();
  return server.url;
}

/** The error body of SMN. */
export function refusal(status: number, code: string, message = "no"): Reply {
  const requestId = "a1b2c3d4e5f60718293a4b5c6d7e0001";
  return {
    status,
    body: {
      request_id: requestId,
      code,
      message,
      error_code: code,
      error_msg: message,
    },
  };
}
