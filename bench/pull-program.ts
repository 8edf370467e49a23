/**
 * Consumers in a process of their own: connections that wait for messages, and such
 * that fetch and confirm. Answers {@link PullQuestion}.
 */

import type { Socket } from "node:net";
import { authorization } from "./carillon.ts";
import { monotonicMs } from "./clock.ts";
import { serveQuestions } from "./program.ts";
import { mailboxName, messagesPath } from "./pull-paths.ts";
import {
  nextAnswer,
  openSocket,
  type RawRequest,
  requestBytes,
} from "./raw-http.ts";

/** In `path`, `{n}` becomes the number of the mailbox. */
export type PullQuestion =
  /** Opens so many connections and asks on each; they wait from then on. */
  | {
      readonly kind: "hold";
      readonly port: number;
      readonly path: string;
      readonly connections: number;
      /** After so many the numbers begin again. */
      readonly mailboxes: number;
      /** Resolves once each has the head of its answer. */
      readonly answered: boolean;
    }
  /** Closes them. */
  | { readonly kind: "release" }
  /**
   * Asks on each of the connections, waits, publishes, and answers how long after
   * each had its answer, in milliseconds; then confirms, untimed.
   */
  | {
      readonly kind: "wake";
      readonly port: number;
      readonly path: string;
      readonly connections: number;
      readonly publish: Pick<RawRequest, "path" | "headers" | "body">;
    }
  /** Fetches one message and confirms it, so often on each connection. */
  | {
      readonly kind: "cycle";
      readonly port: number;
      readonly connections: number;
      readonly cycles: number;
    };

export interface WakeTimes {
  readonly times: readonly number[];
}

export interface CycleRate {
  readonly perSecond: number;
}

/** How long those that asked are given until they wait, in milliseconds. */
const settleMs = 1000;

const sockets: Socket[] = [];

async function open(port: number, count: number): Promise<Socket[]> {
  const opened: Socket[] = [];
  for (let from = 0; from < count; from += 100) {
    opened.push(
      ...(await Promise.all(
        Array.from({ length: Math.min(100, count - from) }, () =>
          openSocket(port),
        ),
      )),
    );
  }
  return opened;
}

function get(port: number, path: string, n: number): Buffer {
  return requestBytes({
    port,
    method: "GET",
    path: path.replaceAll("{n}", String(n)),
    headers: { authorization },
    body: "",
  });
}

async function hold({
  port,
  path,
  connections,
  mailboxes,
  answered,
}: PullQuestion & { kind: "hold" }): Promise<object> {
  const opened = await open(port, connections);
  sockets.push(...opened);
  for (let from = 0; from < opened.length; from += 100) {
    const some = opened.slice(from, from + 100);
    const answers = some.map((socket, i) => {
      const answer = answered ? firstBytes(socket) : undefined;
      socket.write(get(port, path, (from + i) % mailboxes));
      return answer;
    });
    await Promise.all(answers);
  }
  return {};
}

async function firstBytes(socket: Socket): Promise<void> {
  const answer = await nextAnswer(socket);
  if (!answer.startsWith("HTTP/1.1 200")) throw new Error(answer);
  // Heartbeats come from now on.
  socket.resume();
}

async function release(): Promise<object> {
  for (const socket of sockets.splice(0)) socket.destroy();
  return {};
}

async function wake({
  port,
  path,
  connections,
  publish,
}: PullQuestion & { kind: "wake" }): Promise<WakeTimes> {
  if (sockets.length === 0) sockets.push(...(await open(port, connections)));
  const publisher = await openSocket(port);
  const times: number[] = [];
  let publishedAt = Number.POSITIVE_INFINITY;
  const answers = sockets.map(async (socket, n) => {
    socket.write(get(port, path, n));
    const answer = await nextAnswer(socket);
    times.push(monotonicMs() - publishedAt);
    return leaseOf(answer);
  });
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  if (times.length > 0) throw new Error("Some did not wait");
  const published = nextAnswer(publisher);
  publishedAt = monotonicMs();
  publisher.write(requestBytes({ port, method: "POST", ...publish }));
  const leases = await Promise.all(answers);
  const answer = await published;
  if (!answer.startsWith("HTTP/1.1 2")) throw new Error(answer);
  publisher.destroy();
  for (const [n, socket] of sockets.entries()) {
    await confirm(port, socket, n, leases[n] ?? "");
  }
  return { times };
}

async function cycle({
  port,
  connections,
  cycles,
}: PullQuestion & { kind: "cycle" }): Promise<CycleRate> {
  const opened = await open(port, connections);
  const path = `${messagesPath(mailboxName("{n}"))}?max=1`;
  const begunAt = monotonicMs();
  await Promise.all(
    opened.map(async (socket, n) => {
      const request = get(port, path, n);
      for (let done = 0; done < cycles; done++) {
        const answer = nextAnswer(socket);
        socket.write(request);
        await confirm(port, socket, n, leaseOf(await answer));
      }
    }),
  );
  const seconds = (monotonicMs() - begunAt) / 1000;
  for (const socket of opened) socket.destroy();
  return { perSecond: (connections * cycles) / seconds };
}

function leaseOf(answer: string): string {
  const id = /"leaseId":"([^"]+)"/.exec(answer)?.[1];
  if (id === undefined) throw new Error(`No message: ${answer}`);
  return id;
}

async function confirm(
  port: number,
  socket: Socket,
  n: number,
  leaseId: string,
): Promise<void> {
  const answered = nextAnswer(socket);
  socket.write(
    requestBytes({
      port,
      method: "POST",
      path: `${messagesPath(mailboxName(n))}:ack`,
      headers: { authorization },
      body: JSON.stringify({ leaseIds: [leaseId] }),
    }),
  );
  const answer = await answered;
  if (!answer.includes(`"acked":["${leaseId}"]`)) throw new Error(answer);
}

function answer(question: PullQuestion): Promise<object> {
  switch (question.kind) {
    case "hold":
      return hold(question);
    case "release":
      return release();
    case "wake":
      return wake(question);
    case "cycle":
      return cycle(question);
  }
}

serveQuestions(0, answer);
