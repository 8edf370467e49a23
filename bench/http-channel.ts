/**
 * What the http channel costs beyond bare undici: requests per second to a
 * sink in another process, in alternating rounds with `Pool.request` and
 * `Pool.dispatch` that send bodies and headers of the same size.
 *
 *   node --conditions=source bench/http-channel.ts [--requests 30000] [--rounds 7]
 */

import { type ChildProcess, fork } from "node:child_process";
import { createServer } from "node:net";
import { parseArgs } from "node:util";
import {
  createEgressGuard,
  createHttpChannel,
  createLinks,
  SigningKeys,
} from "@carillon/channels";
import {
  type Message,
  type MessageId,
  type ProjectId,
  type Recipient,
  type SubscriptionId,
  silentLogger,
  systemClock,
} from "@carillon/core";
import { type Dispatcher, Pool } from "undici";

const concurrency = 128;

async function runBench(): Promise<void> {
  const { values } = parseArgs({
    options: {
      requests: { type: "string", default: "30000" },
      rounds: { type: "string", default: "7" },
    },
  });
  const requests = Number(values.requests);
  const rounds = Number(values.rounds);
  const { sink, origin } = await startSink();
  const senders: Record<string, Sender> = {
    channel: await createChannelSender(origin, requests),
    "Pool.dispatch": createDispatchSender(origin),
    "Pool.request": createRequestSender(origin),
  };
  const results = new Map<string, Round[]>();
  // The first round warms up and is not counted.
  for (let round = 0; round <= rounds; round++) {
    for (const [name, sender] of Object.entries(senders)) {
      const result = await measure(sender, requests);
      if (round > 0) results.set(name, [...(results.get(name) ?? []), result]);
    }
  }
  for (const sender of Object.values(senders)) await sender.close();
  sink.kill();

  const channel = results.get("channel") ?? [];
  for (const [name, own] of results) {
    const rate = median(own.map(({ rate }) => rate));
    const cpuMicros = median(own.map(({ cpuMicros }) => cpuMicros));
    // Round by round, so that a busy machine slows both sides of a ratio.
    const speed = median(
      own.map((round, i) => ratio(channel[i]?.rate, round.rate)),
    );
    const cpu = median(
      own.map((round, i) => ratio(channel[i]?.cpuMicros, round.cpuMicros)),
    );
    console.log(
      `${name.padEnd(14)}${rate.toFixed(0).padStart(7)}/s ${cpuMicros.toFixed(1).padStart(6)} us CPU each   channel: ${speed.toFixed(2)} of its speed, ${cpu.toFixed(2)} of its CPU`,
    );
  }
}

interface Round {
  /** Requests per second. */
  readonly rate: number;
  /** Of this process, per request. */
  readonly cpuMicros: number;
}

interface Sender {
  /** Sends one request; answers once it is known to have been delivered. */
  send(index: number): Promise<void>;
  close(): Promise<void>;
}

async function measure(sender: Sender, requests: number): Promise<Round> {
  let next = 0;
  const lane = async () => {
    while (next < requests) await sender.send(next++);
  };
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { rate: requests / seconds, cpuMicros: (user + system) / requests };
}

function ratio(part: number | undefined, whole: number): number {
  return part === undefined ? Number.NaN : part / whole;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

const topicUrn = `urn:smn:local:${"0".repeat(32)}:bench`;

async function createChannelSender(
  origin: string,
  requests: number,
): Promise<Sender> {
  // A fan-out reads them from the store; that is not the channel's work.
  const recipients = Array.from({ length: requests }, (_, index) =>
    recipient(origin, index),
  );
  const settings = new Map<string, string>();
  const channel = createHttpChannel({
    egress: createEgressGuard({ allowTargets: ["127.0.0.0/8"] }),
    signer: new SigningKeys({
      settings: {
        getSetting: async (name) => settings.get(name),
        putSetting: async (name, value) => {
          settings.set(name, value);
        },
      },
      secrets: { seal: (secret) => secret, open: (sealed) => sealed },
      region: "local",
      clock: systemClock,
      logger: silentLogger,
    }),
    links: createLinks({
      publicUrl: () => "http://127.0.0.1:7070",
      region: "local",
    }),
    clock: systemClock,
    logger: silentLogger,
  });
  const prepared = await channel.prepare(message);
  return {
    async send(index) {
      const to = recipients[index] ?? recipient(origin, index);
      const result = await prepared.deliver(to);
      if (result.outcome !== "delivered") {
        throw new Error(`not delivered: ${JSON.stringify(result)}`);
      }
    },
    close: () => channel.close(),
  };
}

/** As little as can be done with undici to learn the status. */
function createDispatchSender(origin: string): Sender {
  const pool = new Pool(origin, { connections: concurrency });
  return {
    send: (index) =>
      new Promise((resolve, reject) => {
        let status = 0;
        pool.dispatch(bareRequest(index), {
          onRequestStart() {},
          onResponseStart(_controller, statusCode) {
            status = statusCode;
          },
          onResponseData() {},
          onResponseEnd() {
            if (status === 200) resolve();
            else reject(new Error(`status ${status}`));
          },
          onResponseError(_controller, error) {
            reject(error);
          },
        });
      }),
    close: () => pool.close(),
  };
}

function createRequestSender(origin: string): Sender {
  const pool = new Pool(origin, { connections: concurrency });
  return {
    async send(index) {
      const { statusCode, body } = await pool.request(bareRequest(index));
      await body.dump();
      if (statusCode !== 200) throw new Error(`status ${statusCode}`);
    },
    close: () => pool.close(),
  };
}

const message: Message = {
  seq: 1,
  id: "1".repeat(32) as MessageId,
  projectId: "0".repeat(32) as ProjectId,
  audience: "topic",
  topic: {
    seq: 1,
    urn: topicUrn,
    name: "bench",
    displayName: "",
    introduction: "",
  },
  subject: "Disk almost full",
  content: { kind: "text", text: "Volume data-1 is 93 % full. ".repeat(8) },
  createdAt: Date.UTC(2026, 0, 15, 8, 30),
  expiresAt: Date.UTC(2100, 0, 1),
};

function recipient(origin: string, index: number): Recipient {
  return {
    target: index,
    protocol: "http",
    endpoint: `${origin}/hooks/${index}`,
    subscriptionId: index.toString(16).padStart(32, "0") as SubscriptionId,
    extension: {},
  };
}

/** The channel's headers and a body as long as its own, ready-made. */
const bareHeaders = [
  "content-type",
  "application/json; charset=utf-8",
  "user-agent",
  "Carillon",
  "x-smn-message-type",
  "Notification",
  "x-smn-message-id",
  message.id,
  "x-smn-topic-urn",
  topicUrn,
  "x-smn-subscription-urn",
  `${topicUrn}:${"2".repeat(32)}`,
];
const bareBody = Buffer.from(JSON.stringify({ text: "x".repeat(1109) }));

function bareRequest(index: number): Dispatcher.DispatchOptions {
  return {
    method: "POST",
    path: `/hooks/${index}`,
    headers: bareHeaders,
    body: bareBody,
  };
}

async function startSink(): Promise<{ sink: ChildProcess; origin: string }> {
  const sink = fork(import.meta.filename, ["sink"]);
  const port = await new Promise<number>((resolve, reject) => {
    sink.once("message", (port) => resolve(Number(port)));
    sink.once("exit", (code) => reject(new Error(`sink ended: ${code}`)));
  });
  return { sink, origin: `http://127.0.0.1:${port}` };
}

/**
 * Answers 200 to every request. On bare sockets and with just enough parsing,
 * so that the sink is never the slower side.
 */
function runSink(): void {
  const answer = Buffer.from("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
  const server = createServer((socket) => {
    let pending = "";
    socket.setNoDelay(true);
    socket.on("error", () => {});
    socket.on("data", (chunk) => {
      pending += chunk.toString("latin1");
      for (;;) {
        const headerEnd = pending.indexOf("\r\n\r\n");
        if (headerEnd < 0) return;
        const length = /\r\ncontent-length: (\d+)/i.exec(pending)?.[1] ?? "0";
        const end = headerEnd + 4 + Number(length);
        if (pending.length < end) return;
        pending = pending.slice(end);
        socket.write(answer);
      }
    });
  });
  server.listen(0, "127.0.0.1", () => {
    const address = server.address();
    if (typeof address === "object") process.send?.(address?.port);
  });
  process.on("disconnect", () => process.exit());
}

if (process.argv[2] === "sink") runSink();
else await runBench();
