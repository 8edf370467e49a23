/**
 * What the http channel costs beyond bare undici: requests per second to a
 * sink in another process, in alternating rounds with `Pool.request` and
 * `Pool.dispatch` that send bodies and headers of the same size. For work on
 * the channel; not part of `npm run bench`.
 *
 *   node --conditions=source bench/parts/http-channel.ts
 */

import { randomBytes } from "node:crypto";
import {
  createEgressGuard,
  createHttpChannel,
  createLinks,
  SigningKeys,
  WebhookKeys,
} from "@carillon/channels";
import {
  type Message,
  type MessageId,
  type ProjectId,
  type Recipient,
  type SubscriptionId,
  silentLogger,
  systemClock,
  toEpochMs,
} from "@carillon/core";
import { MemoryStore } from "@carillon/testing";
import { type Dispatcher, Pool } from "undici";
import { concurrency } from "../bare/poster.ts";
import { topicUrn } from "../carillon.ts";
import { startSink } from "../sink.ts";
import { alternate, median, medianRatio } from "../statistics.ts";

const requests = 30_000;
const rounds = 7;

await using sink = await startSink();
const origin = `http://127.0.0.1:${sink.port}`;
const senders: Record<string, Sender> = {
  channel: await createChannelSender(),
  "Pool.dispatch": createDispatchSender(),
  "Pool.request": createRequestSender(),
};
const rates = await alternate(
  rounds,
  Object.fromEntries(
    Object.entries(senders).map(([name, sender]) => [
      name,
      () => requestsPerSecond(sender),
    ]),
  ),
);
for (const sender of Object.values(senders)) await sender.close();
for (const [name, rate] of Object.entries(rates)) {
  console.log(
    `${name.padEnd(14)}${median(rate).toFixed(0).padStart(7)}/s   channel: ${medianRatio(rates.channel, rate).toFixed(2)} of its speed`,
  );
}

interface Sender {
  /** Sends one request; answers once it is known to have been delivered. */
  send(index: number): Promise<void>;
  close(): Promise<void>;
}

async function requestsPerSecond(sender: Sender): Promise<number> {
  let next = 0;
  const lane = async () => {
    while (next < requests) await sender.send(next++);
  };
  const startedAt = performance.now();
  await Promise.all(Array.from({ length: concurrency }, lane));
  return (requests * 1000) / (performance.now() - startedAt);
}

async function createChannelSender(): Promise<Sender> {
  // A fan-out reads them from the store; that is not the channel's work.
  const recipients = Array.from({ length: requests }, (_, n) => recipient(n));
  const channel = createHttpChannel({
    egress: createEgressGuard({ allowTargets: ["127.0.0.0/8"] }),
    signer: new SigningKeys({
      settings: new MemoryStore(),
      secrets: { seal: (secret) => secret, open: (sealed) => sealed },
      region: "local",
      clock: systemClock,
      logger: silentLogger,
    }),
    webhookKeys: new WebhookKeys(randomBytes(32)),
    links: createLinks({
      publicUrl: () => "http://127.0.0.1:7070",
      region: "local",
      tokens: {
        confirmationToken: () => "",
        confirmationCode: () => "",
        unsubscribeToken: () => "",
      },
    }),
    clock: systemClock,
    logger: silentLogger,
  });
  const prepared = await channel.prepare(message());
  return {
    async send(index) {
      const to = recipients[index] ?? recipient(index);
      const result = await prepared.deliver(to);
      if (result.outcome !== "delivered") {
        throw new Error(`not delivered: ${JSON.stringify(result)}`);
      }
    },
    close: () => channel.close(),
  };
}

/** As little as can be done with undici to learn the status. */
function createDispatchSender(): Sender {
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

function createRequestSender(): Sender {
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

function message(): Message {
  return {
    seq: 1,
    id: "1".repeat(32) as MessageId,
    projectId: "0".repeat(32) as ProjectId,
    audience: "topic",
    topic: {
      seq: 1,
      urn: topicUrn("bench"),
      name: "bench",
      displayName: "",
      introduction: "",
    },
    subject: "Disk almost full",
    content: { kind: "text", text: "Volume data-1 is 93 % full. ".repeat(8) },
    createdAt: toEpochMs(Date.UTC(2026, 0, 15, 8, 30)),
    expiresAt: toEpochMs(Date.UTC(2100, 0, 1)),
  };
}

function recipient(index: number): Recipient {
  return {
    target: index,
    protocol: "http",
    endpoint: `${origin}/hooks/${index}`,
    subscriptionId: index.toString(16).padStart(32, "0") as SubscriptionId,
    extension: {},
  };
}

/** The channel's headers and a body as long as its own, ready-made. */
function bareRequest(index: number): Dispatcher.DispatchOptions {
  return {
    method: "POST",
    path: `/hooks/${index}`,
    headers: [
      "content-type",
      "application/json; charset=utf-8",
      "user-agent",
      "Carillon",
      "x-smn-message-type",
      "Notification",
      "x-smn-message-id",
      "1".repeat(32),
      "x-smn-topic-urn",
      topicUrn("bench"),
      "x-smn-subscription-urn",
      `${topicUrn("bench")}:${"2".repeat(32)}`,
    ],
    body: JSON.stringify({ text: "x".repeat(1109) }),
  };
}
