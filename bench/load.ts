/**
 * A load generator in a process of its own: keeps one request under way on each
 * of N connections for a while and counts answers. It writes prepared bytes
 * and looks only for the end of each answer, so that the server under test is
 * what is measured.
 *
 * Arguments: one JSON object, see {@link LoadRequest}. Prints {@link LoadResult}.
 */

import { connect } from "node:net";

export interface LoadRequest {
  readonly port: number;
  /** Default POST. */
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** `########` in it becomes another number for each request. */
  readonly body: string;
  readonly connections: number;
  readonly seconds: number;
}

export interface LoadResult {
  readonly answers: number;
  readonly perSecond: number;
  readonly notOk: number;
  readonly medianMs: number;
  readonly p99Ms: number;
}

const load = JSON.parse(process.argv[2] ?? "{}") as LoadRequest;
const head = Object.entries({
  host: `127.0.0.1:${load.port}`,
  "content-type": "application/json",
  ...load.headers,
  "content-length": String(Buffer.byteLength(load.body)),
})
  .map(([name, value]) => `${name}: ${value}\r\n`)
  .join("");
const bytes = Buffer.from(
  `${load.method ?? "POST"} ${load.path} HTTP/1.1\r\n${head}\r\n${load.body}`,
);

// The number is written over its place, so that the length stays.
const numberAt = bytes.indexOf("########");
let number = Date.now() % 10_000_000;
const nextRequest = (): Buffer => {
  if (numberAt < 0) return bytes;
  const request = Buffer.from(bytes);
  request.write(String(number++).padStart(8, "0"), numberAt);
  return request;
};

let answers = 0;
let notOk = 0;
const latencies: number[] = [];
const begun = performance.now();
const end = begun + load.seconds * 1000;

await Promise.all(
  Array.from({ length: load.connections }, () => oneConnection()),
);
const seconds = (performance.now() - begun) / 1000;
latencies.sort((a, b) => a - b);
const result: LoadResult = {
  answers,
  perSecond: answers / seconds,
  notOk,
  medianMs: latencies[Math.floor(latencies.length / 2)] ?? 0,
  p99Ms: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
};
process.stdout.write(JSON.stringify(result));

function oneConnection(): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({
      port: load.port,
      host: "127.0.0.1",
      noDelay: true,
    });
    let sentAt = 0;
    let pending = "";
    const send = () => {
      sentAt = performance.now();
      socket.write(nextRequest());
    };
    socket.on("connect", send);
    socket.on("error", reject);
    socket.on("data", (chunk) => {
      pending += chunk.toString("latin1");
      const headEnd = pending.indexOf("\r\n\r\n");
      if (headEnd < 0) return;
      const length = /content-length: (\d+)/i.exec(pending)?.[1];
      if (pending.length < headEnd + 4 + Number(length ?? 0)) return;
      answers++;
      if (!pending.startsWith("HTTP/1.1 2")) notOk++;
      latencies.push(performance.now() - sentAt);
      pending = "";
      if (performance.now() < end) send();
      else {
        socket.destroy();
        resolve();
      }
    });
  });
}
