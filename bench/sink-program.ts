/**
 * A webhook receiver in a process of its own, on every address of the loopback
 * network. On bare sockets and with just enough parsing, so that it is never
 * the slower side. It confirms what it is asked to confirm.
 *
 * Answers the questions of {@link SinkQuestion}. `GET /arrivals` is answered
 * with a stream that has a byte for each notification.
 */

import { type AddressInfo, createServer, type Socket } from "node:net";
import { Agent } from "undici";
import { monotonicMs } from "./clock.ts";
import { serveQuestions } from "./program.ts";
import type { Arrival, SinkOptions, SinkQuestion, SinkState } from "./sink.ts";

const ok = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
const stream = Buffer.from("HTTP/1.1 200 OK\r\n\r\n");

const subscribers = new Agent({ connections: 64 });
const watchers = new Set<Socket>();
let options: SinkOptions = {};
let state = emptyState();
let arrivals: Arrival[] = [];
let messages = new Set<string>();

const server = createServer({ noDelay: true }, (socket) => {
  // It listens on all addresses to have those of 127.0.0.0/8; only they count.
  if (!socket.remoteAddress?.startsWith("127.")) {
    socket.destroy();
    return;
  }
  let pending: Buffer | undefined;
  let firstByteAt = 0;
  socket.on("error", () => {});
  socket.on("data", (chunk) => {
    if (pending === undefined) {
      firstByteAt = monotonicMs();
      pending = chunk;
    } else pending = Buffer.concat([pending, chunk]);
    for (;;) {
      const headEnd = pending.indexOf("\r\n\r\n");
      if (headEnd < 0) return;
      const head = pending.toString("latin1", 0, headEnd);
      const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? "0";
      const end = headEnd + 4 + Number(length);
      if (pending.length < end) return;
      onRequest(socket, head, pending.subarray(headEnd + 4, end), firstByteAt);
      if (pending.length === end) {
        pending = undefined;
        return;
      }
      pending = pending.subarray(end);
    }
  });
});

function onRequest(
  socket: Socket,
  head: string,
  body: Buffer,
  at: number,
): void {
  const path = head.slice(head.indexOf(" ") + 1, head.indexOf(" HTTP/1.1"));
  if (path === "/arrivals") {
    watchers.add(socket);
    socket.once("close", () => watchers.delete(socket));
    socket.write(stream);
    return;
  }
  if (head.includes("SubscriptionConfirmation")) {
    socket.write(ok);
    confirm(body).catch((error: unknown) => {
      // A server that is gone: who waits for the confirmations finds out.
      process.stderr.write(`sink: confirming failed: ${error}\n`);
    });
    return;
  }
  state.deliveries++;
  state.lastAt = at;
  const messageId = /\r\nx-smn-message-id: (\w+)/i.exec(head)?.[1] ?? "";
  messages.add(messageId);
  if (options.record === true) arrivals.push({ messageId, path, at });
  const { hang } = options;
  if (hang?.path === path) {
    setTimeout(() => socket.write(ok), hang.ms);
    return;
  }
  socket.write(ok);
  for (const watcher of watchers) watcher.write(".");
}

/** What a subscriber does: follows the link. */
async function confirm(body: Buffer): Promise<void> {
  const { subscribe_url } = JSON.parse(body.toString()) as {
    subscribe_url: string;
  };
  const { origin, pathname, search } = new URL(subscribe_url);
  const { statusCode, body: answer } = await subscribers.request({
    origin,
    path: pathname + search,
    method: "GET",
  });
  await answer.dump();
  if (statusCode === 200) state.confirmed++;
  else process.stderr.write(`sink: confirming was answered ${statusCode}\n`);
  state.lastConfirmedAt = monotonicMs();
}

function emptyState() {
  return {
    deliveries: 0,
    messages: 0,
    confirmed: 0,
    lastAt: 0,
    lastConfirmedAt: 0,
  };
}

function answer(question: SinkQuestion): SinkState | Arrival[] {
  switch (question.kind) {
    case "reset":
      options = question.options;
      state = emptyState();
      arrivals = [];
      messages = new Set();
      return state;
    case "state":
      return { ...state, messages: messages.size };
    case "arrivals":
      return arrivals;
    default:
      return question satisfies never;
  }
}

server.listen({ port: 0, host: "0.0.0.0", backlog: 4096 }, () => {
  serveQuestions((server.address() as AddressInfo).port, answer);
});
