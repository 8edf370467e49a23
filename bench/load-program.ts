/**
 * A load generator in a process of its own: keeps one request under way on each
 * of N connections and counts answers.
 *
 * Options: {@link LoadRequest}. Prints {@link LoadResult}; ends with an error
 * when no answer came for as long as a benchmark may stall.
 */

import { once } from "node:events";
import type { Socket } from "node:net";
import { receiverAddress } from "./addresses.ts";
import { monotonicMs } from "./clock.ts";
import type { LoadRequest, LoadResult } from "./load.ts";
import { programOptions } from "./program.ts";
import { nextAnswer, openSocket, requestBytes } from "./raw-http.ts";
import { stallMs } from "./watchdog.ts";

const load = programOptions<LoadRequest>();
const { intervalMs = 0, requests = Number.POSITIVE_INFINITY } = load;
const first = load.firstNumber ?? 0;

const isTemplate = /\{(n|address)\}/.test(load.path + load.body);
const constant = isTemplate ? undefined : toBytes(load.path, load.body);

let started = 0;
let answers = 0;
let notOk = 0;
let firstRefusal = "";
const latencies: number[] = [];
const sentTimes: number[] = [];
const messageIds: string[] = [];

const arrivals = load.awaitArrivals && (await openArrivals());
const begunAt = monotonicMs();
const endAt = begunAt + (load.seconds ?? Number.POSITIVE_INFINITY) * 1000;
watchProgress();
await Promise.all(
  Array.from({ length: load.connections }, () => oneConnection()),
);
const seconds = (monotonicMs() - begunAt) / 1000;
arrivals?.destroy();
const result: LoadResult = {
  answers,
  perSecond: answers / seconds,
  notOk,
  firstRefusal,
  latencies,
  begunAt,
  sentAt: sentTimes,
  messageIds,
};
process.stdout.write(JSON.stringify(result), () => process.exit());

function nextRequest(): Buffer | string {
  const number = first + (started++ % (load.numbers ?? requests));
  return (
    constant ?? toBytes(filled(load.path, number), filled(load.body, number))
  );
}

function toBytes(path: string, body: string): Buffer {
  return requestBytes({ ...load, method: load.method ?? "POST", path, body });
}

function filled(template: string, number: number): string {
  return template
    .replaceAll("{n}", String(number))
    .replaceAll("{address}", receiverAddress(number));
}

async function oneConnection(): Promise<void> {
  const socket = await openSocket(load.port);
  while (started < requests && monotonicMs() < endAt) {
    const dueAt = begunAt + started * intervalMs;
    if (intervalMs > 0) await until(dueAt);
    const arrival = arrivals && once(arrivals, "data");
    const request = nextRequest();
    const sentAt = monotonicMs();
    socket.write(request);
    const answer = await nextAnswer(socket);
    note(answer, sentAt);
    await arrival;
  }
  socket.destroy();
}

function note(answer: string, sentAt: number): void {
  answers++;
  if (!answer.startsWith("HTTP/1.1 2")) {
    notOk++;
    firstRefusal ||= answer.slice(0, 1000);
  }
  if (load.record !== true) return;
  latencies.push(monotonicMs() - sentAt);
  sentTimes.push(sentAt);
  messageIds.push(/"message_id":"(\w+)"/.exec(answer)?.[1] ?? "");
}

/** A connection on which the sink says of each arrival that it was there. */
async function openArrivals(): Promise<Socket> {
  const port = load.awaitArrivals?.port ?? 0;
  const socket = await openSocket(port);
  socket.write("GET /arrivals HTTP/1.1\r\n\r\n");
  // The head of the answer: from now on it tells.
  await once(socket, "data");
  return socket;
}

async function until(at: number): Promise<void> {
  const wait = at - monotonicMs();
  if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
}

function watchProgress(): void {
  let before = -1;
  setInterval(() => {
    if (answers === before) {
      process.stderr.write(
        `load: no answer for ${stallMs / 1000} s, ${answers} until then\n`,
      );
      process.exit(1);
    }
    before = answers;
  }, stallMs).unref();
}
