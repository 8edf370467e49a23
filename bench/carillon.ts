/** A `carillon serve` process, and the few calls of its API that benchmarks make. */

import { spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { type Child, toChild } from "./processes.ts";
import { stallMs, untilDone } from "./watchdog.ts";

export const benchCredentials = {
  projectId: "0123456789abcdef0123456789abcdef",
  accessKey: "AKCARILLONBENCH00001",
  secretKey: "SKCarillonBench0000000000000000000000001",
} as const;

export const authorization = `Basic ${Buffer.from(
  `${benchCredentials.accessKey}:${benchCredentials.secretKey}`,
).toString("base64")}`;

const base = `/v2/${benchCredentials.projectId}/notifications`;
export const topicsPath = `${base}/topics`;
export const policiesPath = `${base}/subscriptions/filter_polices`;

export const topicUrn = (name: string) =>
  `urn:smn:local:${benchCredentials.projectId}:${name}`;

export const publishPath = (topic: string) =>
  `${topicsPath}/${topicUrn(topic)}/publish`;

export const subscriptionsPath = (topic?: string) =>
  topic === undefined
    ? `${base}/subscriptions`
    : `${topicsPath}/${topicUrn(topic)}/subscriptions`;

export interface DataFolder extends AsyncDisposable {
  readonly path: string;
}

export async function createDataFolder(): Promise<DataFolder> {
  const path = await mkdtemp(join(tmpdir(), "carillon-bench-"));
  return {
    path,
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  };
}

export interface Carillon extends Child {
  /** Milliseconds from spawn to the ready line. */
  readonly startedInMs: number;
}

/** What the launcher runs Carillon with; see `packages/cli/bin/carillon.js`. */
const heapOptions = ["--max-semi-space-size=16", "--max-old-space-size=2000"];

/** Enough for every benchmark. */
const limits = [
  ["--topics-per-project", "1000000"],
  ["--subscriptions-per-topic", "10000000"],
].flat();

/**
 * Starts the built `carillon serve`, as an operator would. With
 * `BENCH_PROFILE` set to a folder its processor profiles land there.
 */
export async function startCarillon(
  data: string,
  flags: readonly string[] = [],
): Promise<Carillon> {
  const folder = process.env.BENCH_PROFILE;
  const profiling =
    folder === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${folder}`];
  const launcher = new URL("../packages/cli/bin/carillon.js", import.meta.url);
  const begun = performance.now();
  const child = spawn(
    process.execPath,
    [
      ...heapOptions,
      ...profiling,
      fileURLToPath(launcher),
      "serve",
      ...["--port", "0", "--data", data],
      ...limits,
      ...flags,
    ],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        CARILLON_PROJECT_ID: benchCredentials.projectId,
        CARILLON_ACCESS_KEY: benchCredentials.accessKey,
        CARILLON_SECRET_KEY: benchCredentials.secretKey,
        CARILLON_ADMIN_PASSWORD: "bench",
        CARILLON_ALLOW_TARGETS: "127.0.0.0/8",
        CARILLON_LOG_LEVEL: "error",
      },
    },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, url } = JSON.parse(line) as { event: string; url: string };
    if (event !== "ready") continue;
    const startedInMs = performance.now() - begun;
    child.stdout.resume();
    return { ...toChild(child, Number(new URL(url).port)), startedInMs };
  }
  throw new Error("carillon serve ended before it was ready");
}

/** @throws Error on an answer that is no success, and on none in time */
export async function call<Answer>(
  { port }: Child,
  method: string,
  path: string,
  body?: unknown,
): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      authorization,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    signal: AbortSignal.timeout(stallMs),
  });
  if (!response.ok) {
    throw new Error(`${method} ${path}: ${await response.text()}`);
  }
  // The caller says what the API's reference promises.
  return (await response.json()) as Answer;
}

export async function createTopic(to: Child, name: string): Promise<void> {
  await call(to, "POST", topicsPath, { name, display_name: name });
}

export interface Publish {
  readonly subject: string;
  readonly message: string;
  readonly message_attributes?: readonly unknown[];
}

/** Of the size of an alert: about 250 characters of text. */
export const alert: Publish = {
  subject: "Disk almost full",
  message: "Volume data-1 of db-7 is 93 % full. ".repeat(7),
};

/** Publishes a message; answers its id. */
export async function publish(
  to: Child,
  topic: string,
  message: Publish = alert,
): Promise<string> {
  const answer = await call<{ message_id: string }>(
    to,
    "POST",
    publishPath(topic),
    message,
  );
  return answer.message_id;
}

export type Counts = Readonly<Record<string, number>>;

/** Waits until the ledger has each delivery of a message, in whatever state. */
export function untilFannedOut(
  carillon: Child,
  messageId: string,
  deliveries: number,
): Promise<Counts> {
  return untilCounted(carillon, messageId, deliveries, []);
}

/** Waits until nothing more will happen to any delivery of a message. */
export function untilSettled(
  carillon: Child,
  messageId: string,
  deliveries: number,
): Promise<Counts> {
  const unsettled = ["waiting", "sending", "retrying"];
  return untilCounted(carillon, messageId, deliveries, unsettled);
}

async function untilCounted(
  carillon: Child,
  messageId: string,
  deliveries: number,
  uncounted: readonly string[],
): Promise<Counts> {
  const counted = ({ counts }: { readonly counts: Counts }) =>
    Object.entries(counts)
      .filter(([state]) => !uncounted.includes(state))
      .reduce((sum, [, n]) => sum + n, 0);
  const { counts } = await untilDone(
    "fan-out",
    () =>
      call<{ counts: Counts; fannedOut: boolean }>(
        carillon,
        "GET",
        `/api/v2/messages/${messageId}`,
      ),
    (state) => state.fannedOut && counted(state) >= deliveries,
    counted,
  );
  return counts;
}

/** Publishes, waits for the ledger; answers deliveries per second. */
export async function fanOut(
  carillon: Child,
  topic: string,
  deliveries: number,
  message?: Publish,
): Promise<number> {
  const begun = performance.now();
  const id = await publish(carillon, topic, message);
  const { delivered } = await untilSettled(carillon, id, deliveries);
  const seconds = (performance.now() - begun) / 1000;
  if (delivered !== deliveries) {
    throw new Error(`${delivered} of ${deliveries} were delivered`);
  }
  return deliveries / seconds;
}
