/** The wire of a mailbox, as a script for each of its streams has it. */

import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface OpenedStream {
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly lastEventId: string | undefined;
  /** Whether someone still reads it. */
  readonly closed: Promise<void>;
}

/** How one stream goes; the last script goes for all further ones. */
export type StreamScript = (stream: OpenedStream) => void;

export interface SettleRequest {
  readonly action: string;
  readonly leaseIds: readonly string[];
  readonly [field: string]: unknown;
}

export interface MailboxServer extends AsyncDisposable {
  readonly url: string;
  readonly streams: readonly OpenedStream[];
  readonly settled: readonly SettleRequest[];
}

/**
 * @param settle what a settling request is answered: ids that are stale, a status, or
 * "drop" for a connection that breaks
 */
export async function serveMailbox(
  scripts: readonly StreamScript[],
  settle: (
    request: SettleRequest,
    index: number,
  ) => readonly string[] | number | "drop" = () => [],
): Promise<MailboxServer> {
  const streams: OpenedStream[] = [];
  const settled: SettleRequest[] = [];
  const server = createServer(async (request, response) => {
    const { pathname, searchParams: query } = new URL(
      request.url ?? "",
      "http://mailbox",
    );
    if (pathname.endsWith("/stream")) {
      const header = request.headers["last-event-id"];
      const closed = new Promise<void>((resolve) => {
        response.on("close", resolve);
      });
      const lastEventId = typeof header === "string" ? header : undefined;
      const stream = { response, query, lastEventId, closed };
      const script = scripts[streams.length] ?? scripts.at(-1);
      streams.push(stream);
      script?.(stream);
      return;
    }
    let text = "";
    for await (const chunk of request) text += chunk;
    const [, action = ""] = /messages:(\w+)$/.exec(pathname) ?? [];
    const asked: SettleRequest = { action, ...JSON.parse(text) };
    settled.push(asked);
    const answer = settle(asked, settled.length - 1);
    if (answer === "drop") {
      response.destroy();
      return;
    }
    response.writeHead(typeof answer === "number" ? answer : 200, {
      "content-type": "application/json",
    });
    response.end(
      typeof answer === "number" ? "{}" : JSON.stringify({ stale: answer }),
    );
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    streams,
    settled,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Begins the answer of a stream, and sends so many messages. */
export function begin(
  { response }: OpenedStream,
  ...ids: readonly number[]
): void {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.write(`:\n\n${ids.map((id) => messageEvent(id)).join("")}`);
}

/** Number k of a mailbox, as its event. */
export function messageEvent(id: number): string {
  return `id: ${id}\nevent: message\ndata: ${JSON.stringify(wireMessage(id))}\n\n`;
}

export function endEvent(reason: string): string {
  return `event: end\ndata: {"reason":"${reason}"}\n\n`;
}

export function wireMessage(id: number) {
  return {
    id: `m${id}`,
    leaseId: `1.1.${id}`,
    leaseUntil: "2026-12-24T08:01:00.000Z",
    deliveryCount: 1,
    body: `text ${id}`,
    data: { n: id },
    categories: ["disks"],
    createdAt: "2026-12-24T08:00:00.000Z",
  };
}
