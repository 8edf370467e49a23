/**
 * `npm run demo`: one published message arrives at a webhook, a mail address, a
 * phone and a device that fetches it, all built in; nothing leaves the machine.
 * Every step goes through the public API, as a program of yours would. `--exit`
 * stops after the table, with exit code 0 only if everything was delivered.
 */

import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { type Connection, connect, type JsonObject } from "@carillon/client";
import { loadConfig, serve } from "@carillon/server";
import { isJsonObject } from "../packages/cli/src/json-object.ts";
import { createLogger } from "../packages/cli/src/logger.ts";
import {
  type Column,
  formatTable,
  layoutFor,
} from "../packages/cli/src/output.ts";
import { stopSignal } from "../packages/cli/src/stop-signal.ts";
import { createStory } from "./demo-story.ts";

const topic = "demo";
const address = "somebody@example.com";
const phone = "+15550100100";
const device = "hall-display";

/** No step takes longer on any machine that can run this. */
const deadlineMs = 30_000;

/** One line of the table at the end. */
interface Line {
  readonly protocol: string;
  readonly endpoint: string;
  readonly state: string;
  readonly attempts: string;
  readonly latencyMs: string;
  readonly receivedAt: string;
  readonly error: string;
}

const columns: readonly Column<Line>[] = [
  { head: "protocol", cell: ({ protocol }) => protocol },
  { head: "endpoint", cell: ({ endpoint }) => endpoint, max: 60 },
  {
    head: "state",
    cell: ({ state }) => state,
    style: ({ state }) => (state === "delivered" ? "green" : "red"),
  },
  { head: "attempts", cell: ({ attempts }) => attempts, align: "right" },
  { head: "latency ms", cell: ({ latencyMs }) => latencyMs, align: "right" },
  // The time of day: the date is today's.
  { head: "received at", cell: ({ receivedAt }) => receivedAt.slice(11) },
];

async function demo(exitAfterTable: boolean): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-demo-"));
  const story = createStory();
  const stopped = stopSignal();
  try {
    const config = loadConfig({
      flags: { port: 0, data: folder, sandbox: true, logLevel: "warn" },
    });
    await using carillon = await serve(config, {
      logger: createLogger({ level: config.logLevel }),
      signal: stopped,
    });
    const { url, credentials } = carillon;
    if (!credentials) throw new Error("A first start tells its credentials.");
    const { accessKey, secretKey, project } = credentials;
    const connection = connect({
      endpoint: url,
      accessKey,
      secretKey,
      projectId: project.id,
    });
    const lines = await tell(story, connection, url);

    const layout = layoutFor(process.stdout);
    console.log(`
${formatTable(lines, columns, layout)}
`);
    const missing = lines.filter(({ state }) => state !== "delivered");
    if (missing.length > 0) {
      console.error(
        `Not delivered: ${missing.map(({ protocol, state, error }) => `${protocol} (${state}${error && `: ${error}`})`).join(", ")}.`,
      );
    }
    if (exitAfterTable || missing.length > 0) return missing.length > 0 ? 1 : 0;
    console.log(nextSteps(url, folder, `${accessKey}:${secretKey}`));
    if (!stopped.aborted) await once(stopped, "abort");
    console.log("\nStopping; the demo's data goes with it.");
    return 0;
  } catch (error) {
    if (error === stopped.reason) return 0;
    story.fail();
    console.error(
      `The demo failed: ${error instanceof Error ? error.message : error}`,
    );
    return 1;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** The message's way, step by step; answers what came of it. */
async function tell(
  story: ReturnType<typeof createStory>,
  { smn, carillon }: Connection,
  url: string,
): Promise<readonly Line[]> {
  story.begin(`Carillon answers at ${url}`);
  const created = await story.step(`Created topic ${topic}`, () =>
    smn.createTopic({ name: topic, displayName: "Demo" }),
  );

  const webhook = `${url}/sandbox/webhooks/demo`;
  await story.step(
    "Subscribed a webhook, a mail address, a phone and a device",
    async () => {
      for (const [protocol, endpoint] of [
        ["http", webhook],
        ["email", address],
        ["sms", phone],
      ] as const) {
        await smn.createSubscription(created, { protocol, endpoint });
      }
      // SMN has no such protocol.
      await carillon.request({
        method: "POST",
        path: ["topics", created.topicUrn, "subscriptions"],
        body: { protocol: "pull", endpoint: device },
      });
    },
  );

  await story.step("All but the device confirmed by a link", async () => {
    const received = receivedBy(carillon);
    const links = await Promise.all([
      until("the webhook's link", async () => linkIn(await received.http())),
      until("the mail's link", async () => linkIn(await received.email())),
      until("the phone's link", async () => linkIn(await received.sms())),
    ]);
    for (const link of links) await follow(link);
  });

  const fetched = fetchOne(carillon);
  // Whoever awaits it says why.
  fetched.catch(() => {});

  const text = "The backup of db1 failed.";
  const { messageId } = await story.step("Published one message", () =>
    smn.publishMessage(created, { subject: "Backup", message: text }),
  );

  const { fetchedAt } = await story.step(
    "The device fetched it and confirmed",
    () => fetched,
  );

  const deliveries = await story.step("Delivered to all four", () =>
    until("the end of all deliveries", async () => {
      const { fannedOut } = await carillon.messages.get(messageId);
      const all = await Array.fromAsync(
        carillon.messages.deliveries(messageId),
      );
      const ended = all.every(({ state }) => finalStates.has(state));
      return fannedOut && ended ? all : undefined;
    }),
  );

  await story.step(
    `The phone answered "On my way": an inbound message`,
    async () => {
      await carillon.request({
        method: "POST",
        path: ["sandbox", "phones", phone, "messages"],
        body: { text: "On my way" },
      });
      const inbound = await carillon.request({
        method: "GET",
        path: ["inbound"],
        query: { from: phone },
      });
      const [answer] = objectsIn(inbound, "inbound");
      if (answer?.text !== "On my way") {
        throw new Error(
          "The phone's answer is not among the inbound messages.",
        );
      }
    },
  );
  story.end();

  const received = receivedBy(carillon);
  const arrivals: Readonly<Record<string, JsonObject | undefined>> = {
    http: find(await received.http(), text),
    email: find(await received.email(), text),
    sms: find(await received.sms(), text),
    pull: { at: fetchedAt },
  };
  return deliveries.map((delivery) => {
    const { protocol, endpoint, state, attemptCount, latencyMs } = delivery;
    const arrival = arrivals[protocol];
    return {
      protocol,
      endpoint,
      state,
      attempts: String(attemptCount),
      latencyMs: String(latencyMs ?? ""),
      receivedAt: String(arrival?.receivedAt ?? arrival?.at ?? ""),
      error: delivery.error ?? "",
    };
  });
}

const finalStates = new Set([
  "delivered",
  "failed",
  "rejected",
  "debug",
  "filtered",
  "suppressed",
  "expired",
  "cancelled",
]);

/** As the device does: waits for a message, handles it, and confirms. */
async function fetchOne({
  pull,
}: Connection["carillon"]): Promise<{ readonly fetchedAt: string }> {
  const mailbox = pull(device);
  const waitSeconds = deadlineMs / 1000;
  const [message] = await mailbox.receive({ max: 1, waitSeconds });
  if (!message) throw new Error(`${device} got no message.`);
  const fetchedAt = new Date().toISOString();
  await mailbox.ack([message.leaseId]);
  return { fetchedAt };
}

/** What the sandbox's receivers were sent, oldest first. */
function receivedBy({ request }: Connection["carillon"]) {
  const list = async (
    field: string,
    path: readonly string[],
    query?: Readonly<Record<string, string>>,
  ) =>
    objectsIn(
      await request({ method: "GET", path: ["sandbox", ...path], query }),
      field,
    );
  return {
    http: () => list("requests", ["webhooks", "demo"]),
    email: () => list("mails", ["mails"], { to: address }),
    sms: () => list("messages", ["phones", phone, "messages"]),
  };
}

function objectsIn(answer: JsonObject, field: string): readonly JsonObject[] {
  const list = answer[field];
  return Array.isArray(list) ? list.filter(isJsonObject) : [];
}

/** What was received with this text in it, whatever its form. */
function find(
  received: readonly JsonObject[],
  text: string,
): JsonObject | undefined {
  return received.find((one) => JSON.stringify(one).includes(text));
}

/** The first confirmation link in what was received. */
function linkIn(received: readonly JsonObject[]): string | undefined {
  for (const one of received) {
    // Webhooks get it in a field of JSON, mails and phones in their text.
    const content = String(one.body || one.text || "");
    const link = /https?:\/\/[^\s"<>]+(token=|\/c\/)[^\s"<>]+/.exec(
      content,
    )?.[0];
    if (link) return link;
  }
  return undefined;
}

/** As a webhook does, or as the button of the page behind a person's link. */
async function follow(link: string): Promise<void> {
  const response = await fetch(link, {
    method: link.includes("/c/") ? "POST" : "GET",
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(deadlineMs),
  });
  await response.arrayBuffer();
  if (!response.ok) throw new Error(`${link} answered ${response.status}`);
}

/** Asks again until there is an answer; fails after the deadline. */
async function until<Value>(
  what: string,
  ask: () => Promise<Value | undefined>,
): Promise<Value> {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) {
      throw new Error(`${what} did not come within ${deadlineMs / 1000} s.`);
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function nextSteps(url: string, folder: string, keys: string): string {
  return `It stays up until Ctrl-C. Have a look around:
  API            ${url}/api/v2/openapi.json
  what arrived   ${url}/api/v2/sandbox
  what came in   ${url}/api/v2/inbound
  data           ${folder}

  curl -u ${keys} ${url}/api/v2/messages
  npx carillon publish ${topic} "Hello again" --wait --data ${folder}

A server of your own: npm start -- --sandbox. The first steps with it are in
docs/tutorial/first-message.md.`;
}

const { values } = parseArgs({
  options: {
    exit: { type: "boolean", default: false },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  console.log(
    "Usage: npm run demo [-- --exit]\nShows one message arriving at a webhook, a mail address, a phone and a device.",
  );
} else process.exitCode = await demo(values.exit);
