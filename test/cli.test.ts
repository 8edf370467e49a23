import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cp,
  mkdtemp,
  readFile,
  realpath,
  rm,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { checkRuntime } from "../packages/cli/src/doctor/runtime.ts";
import { CarillonProcess, credentials } from "./harness/carillon-process.ts";
import { WebhookSink } from "./harness/webhook-sink.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const launcher = join(root, "packages/cli/bin/carillon.js");

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

let folder: string;
let data: string;
let server: CarillonProcess;
let sink: WebhookSink;

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "carillon-cli-")));
  data = join(folder, "data");
  sink = await WebhookSink.start();
  server = await CarillonProcess.start({ data, args: ["--sandbox"] });
});

after(async () => {
  await server?.kill();
  await sink?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("prints help and version without starting anything", async () => {
  const help = await carillon("--help");
  assert.equal(help.code, 0);
  assert.match(help.stdout, /Usage: carillon/);
  const version = await carillon("--version");
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
  const topic = await carillon("topic", "create", "--help");
  assert.match(topic.stdout, /Example:\n {2}\$ carillon topic create/);
});

test("what it does not know is a mistake, exit code 2", async () => {
  const command = await carillon("tpic");
  assert.deepEqual(
    [command.code, command.stdout, command.stderr],
    [2, "", "Unknown command 'tpic'; did you mean topic?\n"],
  );
  const option = await carillon("topic", "list", "--outpt");
  assert.deepEqual(
    [option.code, option.stderr],
    [2, "Unknown option '--outpt'; did you mean --output?\n"],
  );
});

test("creates, lists, shows, changes and deletes a topic", async () => {
  const urn = `urn:smn:local:${credentials.projectId}:cli-topics`;
  const created = await client("topic", "create", "cli-topics");
  assert.equal(created.code, 0, created.stderr);
  assert.equal(json(created).topic_urn, urn);
  await client("topic", "update", "cli-topics", "--display-name", "Shown");
  // By name and by URN.
  const shown = json(await client("topic", "show", "cli-topics"));
  assert.equal(shown.display_name, "Shown");
  assert.equal(json(await client("topic", "show", urn)).name, "cli-topics");
  const listed = rows(await client("topic", "list"));
  assert.ok(listed.some((topic) => topic.topic_urn === urn));
  assert.equal((await client("topic", "delete", urn, "--yes")).code, 0);
  const gone = await client("topic", "show", "cli-topics");
  assert.equal(gone.code, 1);
  assert.match(
    gone.stderr,
    /^There is no topic "cli-topics": carillon topic list /,
  );
});

test("subscribes, confirms, publishes and shows the deliveries", async () => {
  await client("topic", "create", "cli-way");
  const added = await client(
    ...["subscription", "create", "cli-way", "http", `${sink.url}/way`],
    ...["--remark", "sink", "--header", "x-team=ops"],
  );
  assert.equal(added.code, 0, added.stderr);
  await sink.until(() => sink.confirmed.has("/way"), "no confirmation came");
  const [subscription] = rows(await client("subscription", "list", "cli-way"));
  assert.equal(subscription?.status, 1);
  assert.equal(subscription?.remark, "sink");

  const published = await client(
    ...["publish", "cli-way", "hello", "--subject", "s", "--wait"],
  );
  assert.equal(published.code, 0, published.stderr);
  const [delivery] = rows(published);
  assert.equal(delivery?.state, "delivered");
  assert.equal(delivery?.endpoint, `${sink.url}/way`);
  const id = sink.arrivals.find(({ path }) => path === "/way")?.messageId ?? "";
  const again = rows(await client("deliveries", id));
  assert.equal(again[0]?.state, "delivered");

  const urn = String(subscription?.subscription_urn);
  assert.equal((await client("subscription", "delete", urn, "--yes")).code, 0);
  assert.deepEqual(rows(await client("subscription", "list", "cli-way")), []);
});

test("confirms with a link", async () => {
  await client("topic", "create", "cli-confirm");
  await client("subscription", "create", "cli-confirm", "sms", "+15550100077");
  const link = await until(async () => {
    const [message] = await sandbox("phones/+15550100077/messages");
    return /https?:\S+/.exec(JSON.stringify(message ?? ""))?.[0];
  });
  const confirmed = await client(
    ...["subscription", "confirm", link.replace(/["\\].*$/, "")],
  );
  assert.equal(confirmed.code, 0, confirmed.stderr);
  const [one] = rows(await client("subscription", "list", "cli-confirm"));
  assert.equal(one?.status, 1);
  const wrong = await client("subscription", "confirm", "http://x/?t=1");
  assert.equal(wrong.code, 2);
});

test("publishes what it reads, and waits for nobody", async () => {
  await client("topic", "create", "cli-stdin");
  const run = await start(["publish", "cli-stdin", "-", "--data", data], {
    input: "from a pipe\n",
  });
  assert.equal(run.code, 1, run.stderr);
  const id = String(json(run).message_id);
  const shown = json(await client("messages", "show", id));
  assert.equal(shown.text, "from a pipe");
  const alone = await client("publish", "cli-stdin", "x", "--wait");
  assert.deepEqual([alone.code, alone.stdout], [1, ""]);
  assert.match(alone.stderr, /but nobody gets it/);
});

test("--wait fails when a delivery failed", async () => {
  await client("topic", "create", "cli-fail");
  await client(
    "subscription",
    "create",
    "cli-fail",
    "http",
    `${sink.url}/refuse`,
  );
  await sink.until(() => sink.confirmed.has("/refuse"), "no confirmation came");
  sink.status = (path) => (path === "/refuse" ? 404 : 200);
  const run = await client("publish", "cli-fail", "x", "--wait");
  assert.equal(run.code, 1);
  assert.match(run.stderr, /^1 of 1 deliveries failed; carillon deliveries /);
  assert.equal(rows(run)[0]?.state, "rejected");
});

test("Ctrl-C ends --wait at once, and the message's id is told", async () => {
  await client("topic", "create", "cli-interrupt");
  let child: ChildProcess | undefined;
  const released = Promise.withResolvers<void>();
  // Before the server: holds back what the command polls.
  const proxy = createServer(async (request, response) => {
    if (request.url?.startsWith("/api/v2/messages/")) {
      request.socket.once("close", () => released.resolve());
      child?.kill("SIGINT");
      return;
    }
    const { method = "GET", headers, url = "/" } = request;
    const { authorization = "", "content-type": type = "" } = headers;
    const body = method === "GET" ? undefined : await text(request);
    const answer = await fetch(server.url + url, {
      method,
      headers: { authorization, "content-type": type },
      ...(body && { body }),
    });
    response.writeHead(answer.status, { "content-type": "application/json" });
    response.end(await answer.text());
  }).listen(0, "127.0.0.1");
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;

  const run = await start(["publish", "cli-interrupt", "x", "--wait"], {
    env: {
      CARILLON_URL: `http://127.0.0.1:${port}`,
      CARILLON_ACCESS_KEY: credentials.accessKey,
      CARILLON_SECRET_KEY: credentials.secretKey,
      CARILLON_PROJECT_ID: credentials.projectId,
    },
    onSpawn: (spawned) => {
      child = spawned;
    },
  });
  await released.promise;
  proxy.close();
  assert.deepEqual([run.code, run.stdout], [130, ""]);
  assert.match(
    run.stderr,
    /^Interrupted; carillon deliveries [0-9a-f]{32} --follow shows how they go on\.\n$/,
  );
});

test("sends a text message to a phone", async () => {
  const run = await client(
    "sms",
    "send",
    "+15550100078",
    "Your code is 271828",
  );
  assert.equal(run.code, 0, run.stderr);
  await until(async () => {
    const messages = await sandbox("phones/+15550100078/messages");
    return JSON.stringify(messages).includes("271828") || undefined;
  });
});

test("finds the server by its environment", async () => {
  const env = {
    CARILLON_URL: server.url,
    CARILLON_ACCESS_KEY: credentials.accessKey,
    CARILLON_SECRET_KEY: credentials.secretKey,
  };
  assert.equal((await start(["topic", "list"], { env, cwd: folder })).code, 0);
  const refused = await start(["topic", "list"], {
    env: { ...env, CARILLON_SECRET_KEY: "wrong" },
    cwd: folder,
  });
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /does not accept the keys of CARILLON_ACCESS_KEY/,
  );
});

test("says that no server answers", async () => {
  const gone = createServer().listen(0, "127.0.0.1");
  await once(gone, "listening");
  const { port } = gone.address() as AddressInfo;
  gone.close();
  const url = `http://127.0.0.1:${port}`;
  const run = await client("topic", "list", "--url", url);
  assert.deepEqual(
    [run.code, run.stderr],
    [
      1,
      `No server answers at ${url}: start one with carillon serve, or say where it is with --url.\n`,
    ],
  );
});

test("doctor finds nothing wrong with a running server", async () => {
  const { port } = new URL(server.url);
  const run = await carillon("doctor", "--data", data, "--port", port);
  assert.equal(run.code, 0, run.stdout);
  const findings = new Map(rows(run).map((row) => [row.check, row]));
  assert.match(
    String(findings.get("used by")?.found),
    new RegExp(`^process ${server.child.pid} `),
  );
  assert.match(String(findings.get("running server")?.found), /is ready$/);
  assert.match(String(findings.get("port")?.found), /used by this server/);
  assert.equal(findings.get("credentials")?.result, "ok");
  assert.equal(findings.get("database")?.result, "ok");
});

test("doctor does not fail a healthy server for its public URL", async () => {
  const own = join(folder, "public");
  await using other = await CarillonProcess.start({ data: own });
  const { port } = new URL(other.url);
  await other.stop();
  const publicUrl = `http://localhost:${port}`;
  await using behind = await CarillonProcess.start({
    data: own,
    port: Number(port),
    args: ["--public-url", publicUrl],
  });
  const options = ["--data", own, "--port", port];
  const run = await carillon("doctor", ...options, "--public-url", publicUrl);
  assert.equal(run.code, 0, run.stdout);
  const found = (of: Run, check: string) =>
    String(rows(of).find((row) => row.check === check)?.found);
  assert.match(found(run, "running server"), /127\.0\.0\.1.* is ready$/);
  assert.equal(found(run, "public URL"), `${publicUrl} is this server`);
  const elsewhere = await carillon(
    "doctor",
    ...options,
    "--public-url",
    server.url,
  );
  assert.equal(elsewhere.code, 1);
  assert.match(found(elsewhere, "public URL"), /^another Carillon answers/);
  assert.ok(!behind.hasEnded);
});

test("doctor says that the disk is full, without a stack", async () => {
  const child = spawn(
    "bash",
    [
      "-c",
      `trap "" XFSZ; ulimit -f 0; exec "$0" "$@"`,
      process.execPath,
      "--conditions=source",
      "--disable-warning=ExperimentalWarning",
      join(root, "packages/cli/src/main.ts"),
      "doctor",
      "--data",
      join(folder, "none"),
      "--port",
      "0",
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  assert.equal(code, 1);
  assert.equal(stderr, "One check failed.\n");
  const failed = rows({ code, stdout, stderr }).filter(
    ({ result }) => result === "failed",
  );
  assert.equal(failed[0]?.found, `the disk of ${folder} is full (EFBIG)`);
  assert.match(String(failed[0]?.advice), /^Make room/);
});

test("doctor fails with exit code 1 and says what to do", async () => {
  const path = join(folder, "no-folder");
  await writeFile(path, "");
  const run = await carillon("doctor", "--data", path, "--port", "0");
  assert.equal(run.code, 1);
  assert.equal(run.stderr, "One check failed.\n");
  const failed = rows(run).filter(({ result }) => result === "failed");
  assert.deepEqual(
    failed.map(({ check }) => check),
    ["data folder"],
  );
  const mistakes = await carillon("doctor", "--port", "x", "--log-level", "y");
  assert.equal(
    mistakes.stderr,
    "The configuration has 2 mistakes: mend it, and run this again for the other checks.\n",
  );
});

test("a second signal ends a slow stop at once", async () => {
  const own = join(folder, "slow");
  await using hanging = await HangingWebhook.start();
  await using slow = await CarillonProcess.start({ data: own });
  const ask = (...words: string[]) => start([...words, "--data", own]);
  await ask("topic", "create", "t");
  await ask("subscription", "create", "t", "http", hanging.url);
  await hanging.confirmed;
  await ask("publish", "t", "x");
  await hanging.asked;
  const ended = once(slow.child, "exit");
  slow.child.kill("SIGTERM");
  // An echo of the first signal, as npm makes one, is not a second wish.
  slow.child.kill("SIGTERM");
  await pause(600);
  assert.equal(slow.child.exitCode, null, "it did not finish what was begun");
  slow.child.kill("SIGTERM");
  const [code] = await ended;
  // At the end of a whole stop it would be 0.
  assert.equal(code, 143);
});

test("the launcher says in one sentence which Node.js is needed", async () => {
  // On its own, without the runtime that the workspace pins.
  const alone = join(folder, "alone", "bin", "carillon.js");
  await cp(launcher, alone);
  await cp(
    join(root, "packages/cli/package.json"),
    join(folder, "alone", "package.json"),
  );
  const run = await asOldNode(alone, "--version");
  assert.equal(run.code, 1);
  assert.equal(run.stdout, "");
  assert.match(
    run.stderr,
    /^Carillon needs Node\.js 24\.9 or newer and this is 20\.1\.0: install .*\n$/,
  );
  // A real old one does not get that far with a name that it lacks.
  const text = await readFile(launcher, "utf8");
  const named = [
    ...text.matchAll(/import [^;]*\{([^}]*)\} from "node:module"/g),
  ];
  assert.deepEqual(
    named.map(([, names]) => names?.trim()),
    ["createRequire"],
  );
});

test("the launcher and the check of doctor begin at the same version", async () => {
  const manifest = join(folder, "alone", "package.json");
  await cp(launcher, join(folder, "alone", "bin", "carillon.js"));
  const text = await readFile(join(root, "packages/cli/package.json"), "utf8");
  const { engines } = JSON.parse(text) as { engines: { node: string } };
  const needed = engines.node.replace(">=", "");
  assert.equal(checkRuntime(`${needed}.0`).result, "ok");
  await writeFile(manifest, text.replace(engines.node, ">=999.3"));
  const alone = join(folder, "alone", "bin", "carillon.js");
  const run = await asOldNode(alone, "--version");
  assert.match(run.stderr, /needs Node\.js 999\.3 or newer/);
});

test("the launcher finds the runtime that the workspace pins", async () => {
  const run = await asOldNode(launcher, "--version");
  assert.equal(run.code, 0, run.stderr);
  assert.match(run.stdout, /^\d+\.\d+\.\d+\n$/);
  const failed = await asOldNode(launcher, "tpic");
  assert.equal(failed.code, 2);
});

test("the launcher passes signals and exit codes on", async () => {
  const child = spawn(
    process.execPath,
    [
      ...["--import", await oldNode(), launcher, "serve"],
      ...["--port", "0", "--data", join(folder, "launched")],
    ],
    { stdio: ["ignore", "pipe", "pipe"], env: environment({}) },
  );
  const errors = text(child.stderr);
  const [ready] = (await once(child.stdout, "data")) as [Buffer];
  assert.equal(JSON.parse(ready.toString()).event, "ready");
  const ended = once(child, "exit");
  child.kill("SIGTERM");
  const [code] = await ended;
  assert.equal(code, 0, await errors);
  // The server itself is gone, too.
  const { url } = JSON.parse(ready.toString()) as { url: string };
  await assert.rejects(fetch(`${url}/healthz`));
});

test("first start keeps secrets out of the log", async () => {
  const path = join(folder, "first");
  const first = await CarillonProcess.start({ data: path });
  await first.stop();
  const written = await readFile(join(path, "credentials.json"), "utf8");
  const { secretKey } = JSON.parse(written) as { secretKey: string };
  assert.ok(!first.stderr.includes(secretKey));
  assert.match(first.stderr, /"event":"credentials_written"/);
});

function carillon(...words: string[]): Promise<Run> {
  return start(words);
}

/** A command that talks to the server of these tests. */
function client(...words: string[]): Promise<Run> {
  return start([...words, "--data", data]);
}

async function start(
  words: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    readonly cwd?: string;
    readonly onSpawn?: (child: ChildProcess) => void;
  } = {},
): Promise<Run> {
  return await run(
    ["--conditions=source", join(root, "packages/cli/src/main.ts"), ...words],
    options,
  );
}

async function asOldNode(path: string, ...words: string[]): Promise<Run> {
  return await run(["--import", await oldNode(), path, ...words], {});
}

/** A module that lets the runtime pretend to be an older one. */
async function oldNode(): Promise<string> {
  const path = join(folder, "old-node.mjs");
  await writeFile(
    path,
    'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "20.1.0" } });',
  );
  return path;
}

async function run(
  nodeArguments: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    readonly cwd?: string;
    readonly onSpawn?: (child: ChildProcess) => void;
  },
): Promise<Run> {
  const child = spawn(process.execPath, nodeArguments, {
    cwd: options.cwd ?? root,
    stdio: ["pipe", "pipe", "pipe"],
    env: environment(options.env ?? {}),
  });
  options.onSpawn?.(child);
  child.stdin.end(options.input ?? "");
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close") as Promise<[number | null]>,
  ]);
  return { code, stdout, stderr };
}

function environment(own: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    ([name]) => !name.startsWith("CARILLON_"),
  );
  return { ...Object.fromEntries(inherited), NODE_NO_WARNINGS: "1", ...own };
}

function rows({ stdout }: Run): Record<string, unknown>[] {
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

function json(run: Run): Record<string, unknown> {
  const [row] = rows(run);
  assert.ok(row, run.stderr);
  return row;
}

async function sandbox(path: string): Promise<unknown[]> {
  const keys = `${credentials.accessKey}:${credentials.secretKey}`;
  const response = await fetch(`${server.url}/api/v2/sandbox/${path}`, {
    headers: { authorization: `Basic ${Buffer.from(keys).toString("base64")}` },
  });
  const answer = (await response.json()) as { messages?: unknown[] };
  return answer.messages ?? [];
}

async function until<Value>(
  find: () => Promise<Value | undefined>,
): Promise<Value> {
  const deadline = Date.now() + 20_000;
  for (;;) {
    const found = await find();
    if (found !== undefined) return found;
    assert.ok(Date.now() < deadline, "it did not come in time");
    await pause(50);
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Confirms its subscription, then lets notifications wait. */
class HangingWebhook implements AsyncDisposable {
  readonly #server = createServer();
  readonly confirmed: Promise<void>;
  readonly asked: Promise<void>;

  private constructor() {
    const confirmed = Promise.withResolvers<void>();
    const asked = Promise.withResolvers<void>();
    this.confirmed = confirmed.promise;
    this.asked = asked.promise;
    this.#server.on("request", async (request, response) => {
      const body = JSON.parse(await text(request)) as {
        subscribe_url?: string;
      };
      if (body.subscribe_url === undefined) {
        asked.resolve();
        return;
      }
      response.end();
      await fetch(body.subscribe_url);
      confirmed.resolve();
    });
  }

  static async start(): Promise<HangingWebhook> {
    const webhook = new HangingWebhook();
    webhook.#server.listen(0, "127.0.0.1");
    await once(webhook.#server, "listening");
    return webhook;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
