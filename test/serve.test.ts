import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { until } from "./harness/until.ts";
import { WebhookSink } from "./harness/webhook-sink.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const folders: string[] = [];

after(async () => {
  for (const folder of folders) {
    await rm(folder, { recursive: true, force: true });
  }
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "carillon-test-"));
  folders.push(path);
  return path;
}

const notifications = `/v2/${credentials.projectId}/notifications`;
const urn = (topic: string) =>
  `urn:smn:${credentials.region}:${credentials.projectId}:${topic}`;

async function call(
  url: string,
  method: string,
  path: string,
  body?: unknown,
): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: basicAuthorization,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, body: text ? JSON.parse(text) : {} };
}

/** Runs `carillon serve` where it cannot come up. */
async function serveInVain(
  args: readonly string[],
  env: Record<string, string> = {},
  onSpawn: (child: ChildProcess) => void = () => {},
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(
    process.execPath,
    ["--conditions=source", "packages/cli/src/main.ts", "serve", ...args],
    {
      cwd: root,
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, NODE_NO_WARNINGS: "1", ...env },
    },
  );
  onSpawn(child);
  let stdout = "";
  let stderr = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout, stderr };
}

test("publishes to a confirmed webhook, and tells what happened", async () => {
  await using sink = await WebhookSink.start();
  await using server = await CarillonProcess.start({ data: await folder() });
  await call(server.url, "POST", `${notifications}/topics`, { name: "t" });
  const subscribed = await call(
    server.url,
    "POST",
    `${notifications}/topics/${urn("t")}/subscriptions`,
    { protocol: "http", endpoint: `${sink.url}/hook` },
  );
  assert.equal(subscribed.status, 201);
  await sink.until(() => sink.confirmed.has("/hook"), "no confirmation came");
  const published = await call(
    server.url,
    "POST",
    `${notifications}/topics/${urn("t")}/publish`,
    { subject: "s", message: "hello" },
  );
  assert.equal(published.status, 200);
  await sink.until(
    () => sink.arrivals.length === 1,
    "the message did not come",
  );
  assert.equal(sink.arrivals[0]?.messageId, published.body.message_id);
});

test("stops within 10 s on SIGTERM, exit code 0, and loses nothing", async () => {
  await using sink = await WebhookSink.start();
  const data = await folder();
  await using first = await CarillonProcess.start({ data });
  const port = Number(new URL(first.url).port);
  await call(first.url, "POST", `${notifications}/topics`, { name: "t" });
  await call(
    first.url,
    "POST",
    `${notifications}/topics/${urn("t")}/subscriptions`,
    { protocol: "http", endpoint: `${sink.url}/hook` },
  );
  await sink.until(() => sink.confirmed.size === 1, "no confirmation came");
  sink.status = () => 503;
  const { body } = await call(
    first.url,
    "POST",
    `${notifications}/topics/${urn("t")}/publish`,
    { message: "later" },
  );
  const begun = Date.now();
  assert.equal(await first.stop(), 0, first.stderr);
  assert.ok(Date.now() - begun < 10_000);
  sink.status = () => 200;
  await using second = await CarillonProcess.start({ data, port });
  assert.ok(second.url);
  await sink.until(
    () => sink.arrivals.some(({ messageId }) => messageId === body.message_id),
    "the message was lost",
  );
});

test("SIGTERM during the start ends it with exit code 0, and it starts again", async () => {
  const data = await folder();
  // Holds up the start at its first write, for as long as this is open.
  const holder = new DatabaseSync(join(data, "carillon.db"));
  holder.exec("PRAGMA journal_mode = WAL; BEGIN EXCLUSIVE");
  let child: ChildProcess | undefined;
  const ended = serveInVain(["--data", data, "--port", "0"], {}, (spawned) => {
    child = spawned;
  });
  await until(
    () => existsSync(join(data, "carillon.pid")),
    "the folder was not taken",
    20_000,
    5,
  );
  child?.kill("SIGTERM");
  holder.close();
  const { code, stdout, stderr } = await ended;
  assert.deepEqual([code, stdout], [0, ""], stderr);
  assert.ok(!existsSync(join(data, "carillon.pid")));
  await using server = await CarillonProcess.start({ data });
  assert.equal(await server.stop(), 0);
});

test("ends with exit code 1 when it can never write again, and starts anew", async () => {
  const data = await folder();
  // Ends the thread that writes, as a fault in the driver would.
  const fault = `
    import { subscribe } from "node:diagnostics_channel";
    subscribe("worker_threads", ({ worker }) => {
      process.once("SIGUSR2", () => worker.terminate());
    });`;
  await using server = await CarillonProcess.start({
    data,
    env: {
      NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(fault)}`,
    },
  });
  const ended = once(server.child, "exit");
  server.child.kill("SIGUSR2");
  assert.deepEqual(await ended, [1, null]);
  assert.match(server.stderr, /"service_failed"/);
  await using again = await CarillonProcess.start({ data });
  const topic = { name: "t" };
  const path = `${notifications}/topics`;
  assert.equal((await call(again.url, "POST", path, topic)).status, 201);
});

test("keeps its credentials file to its owner and shows secrets once", async () => {
  const data = await folder();
  await using server = await CarillonProcess.start({ data });
  const file = join(data, "credentials.json");
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  const written = JSON.parse(await readFile(file, "utf8"));
  assert.equal(written.accessKey, credentials.accessKey);
  assert.ok(!server.stderr.includes(credentials.secretKey));
});

test("a second process on the same folder is refused by name", async () => {
  const data = await folder();
  await using server = await CarillonProcess.start({ data });
  const { code, stderr, stdout } = await serveInVain([
    "--data",
    data,
    "--port",
    "0",
  ]);
  assert.equal(code, 1);
  assert.equal(stdout, "");
  assert.match(stderr, new RegExp(`\\b${server.child.pid}\\b`));
});

test("a port that is in use is named", async () => {
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  assert.ok(address !== null && typeof address === "object");
  const { code, stderr } = await serveInVain([
    "--data",
    await folder(),
    "--port",
    String(address.port),
  ]);
  other.close();
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`${address.port}.*in use`));
});

test("a data folder that cannot be used is named", async () => {
  const path = join(await folder(), "file");
  await writeFile(path, "not a folder");
  const { code, stderr } = await serveInVain(["--data", path, "--port", "0"]);
  assert.equal(code, 1);
  assert.ok(stderr.includes(path), stderr);
  assert.ok(!stderr.includes("    at "), "a stack trace is no sentence");
});

test("all configuration mistakes are reported at once", async () => {
  const { code, stderr } = await serveInVain([
    "--port",
    "99999",
    "--log-level",
    "loud",
  ]);
  assert.equal(code, 2);
  assert.match(stderr, /--port/);
  assert.match(stderr, /--log-level/);
});

for (const endpoint of [
  "http://127.0.0.1:9/hook",
  "http://localhost:9/hook",
  "http://[::ffff:127.0.0.1]/hook",
  "http://[64:ff9b::7f00:1]/hook",
  "http://169.254.169.254/latest/meta-data",
  "http://2130706433/",
  "http://10.0.0.1/",
  "http://[::1]/",
]) {
  test(`${endpoint} is refused unless it is allowed`, async () => {
    await using server = await guarded();
    const { status, body } = await call(
      server.url,
      "POST",
      `${notifications}/topics/${urn("t")}/subscriptions`,
      { protocol: "http", endpoint },
    );
    assert.deepEqual([status, body.code], [403, "SMN.0069"]);
    const list = await call(
      server.url,
      "GET",
      `${notifications}/subscriptions`,
    );
    assert.equal(list.body.subscription_count, 0);
  });
}

/** One server for the refusals: nothing is allowed. */
async function guarded(): Promise<{ url: string } & AsyncDisposable> {
  guardedServer ??= CarillonProcess.start({
    data: await folder(),
    env: { CARILLON_ALLOW_TARGETS: "" },
  });
  const server = await guardedServer;
  await call(server.url, "POST", `${notifications}/topics`, { name: "t" });
  return { url: server.url, async [Symbol.asyncDispose]() {} };
}
let guardedServer: Promise<CarillonProcess> | undefined;
after(async () => await (await guardedServer)?.kill());

test("a full disk answers 5xx, keeps nothing, and heals", async () => {
  const data = await folder();
  // A limit on the size of files is a disk that fills up: the kernel refuses
  // the write and the process lives on.
  const limitKb = 2048;
  await using server = await CarillonProcess.start({
    data,
    fileLimitKb: limitKb,
  });
  await call(server.url, "POST", `${notifications}/topics`, { name: "t" });
  const message = "x".repeat(100_000);
  const accepted: unknown[] = [];
  let refused: { status: number; body: Record<string, unknown> } | undefined;
  for (let i = 0; i < 100 && refused === undefined; i++) {
    const answer = await call(
      server.url,
      "POST",
      `${notifications}/topics/${urn("t")}/publish`,
      { message },
    );
    if (answer.status === 200) accepted.push(answer.body.message_id);
    else refused = answer;
  }
  assert.ok(refused, "the disk never filled up");
  assert.ok(refused.status >= 500, String(refused.status));
  assert.equal(refused.body.code, "SMN.0016");
  const { body } = await call(server.url, "GET", "/api/v2/messages?limit=100");
  const kept = (body.messages as { id: string }[]).map(({ id }) => id);
  assert.deepEqual(kept.toSorted(), accepted.toSorted());
  // Reading and health go on.
  assert.equal((await call(server.url, "GET", "/healthz")).status, 200);
  await server.kill();
  await using healed = await CarillonProcess.start({ data });
  const again = await call(
    healed.url,
    "POST",
    `${notifications}/topics/${urn("t")}/publish`,
    { message },
  );
  assert.equal(again.status, 200);
});
