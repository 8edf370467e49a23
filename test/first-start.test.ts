/** The first start and what may go wrong with it, on the real program. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { CarillonProcess, credentials } from "./harness/carillon-process.ts";
import { createFolder } from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const program = [
  "--conditions=source",
  "--disable-warning=ExperimentalWarning",
  join(root, "packages/cli/src/main.ts"),
];

/** Without what the machine's environment may preset. */
const bareEnv = { PATH: process.env.PATH, NO_COLOR: "1", TERM: "xterm" };

/** Runs a command to its end. */
async function run(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
) {
  const child = spawn(process.execPath, [...program, ...words], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...bareEnv, ...env },
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, stdout, stderr };
}

/** What `serve` shows on a terminal until it is ready; then it is stopped. */
async function serveOnTerminal(
  data: string,
  words: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const line = [process.execPath, ...program, "serve", "--port", "0"]
    .concat("--log-level", "warn", "--data", data, words)
    .map((word) => `'${word}'`)
    .join(" ");
  const child: ChildProcess = spawn(
    "script",
    ["-qec", `stty cols 80 rows 24; exec ${line}`, "/dev/null"],
    {
      cwd: root,
      stdio: ["pipe", "pipe", "ignore"],
      env: { ...bareEnv, ...env },
    },
  );
  let shown = "";
  child.stdout?.on("data", (chunk: Buffer) => {
    shown += chunk.toString();
  });
  const closed = once(child, "close");
  try {
    await until(
      () => /links lead to|public URL/.test(shown),
      "the screen did not come",
      30_000,
      20,
    );
  } finally {
    // Ctrl-C, as it is typed.
    child.stdin?.write("\x03");
    await closed;
  }
  return shown.replaceAll("\r", "").replace("^C", "");
}

async function credentialsOf(data: string) {
  const content = await readFile(join(data, "credentials.json"), "utf8");
  return JSON.parse(content) as {
    url: string;
    publicUrl?: string;
    accessKey?: string;
    secretKey?: string;
    user: { name: string; password?: string };
  };
}

/** Whether the key reaches the server. */
async function statusOf(
  url: string,
  { accessKey, secretKey }: { accessKey?: string; secretKey?: string },
): Promise<number> {
  const authorization = `Basic ${btoa(`${accessKey}:${secretKey}`)}`;
  const response = await fetch(`${url}/api/v2/whoami`, {
    headers: { authorization },
  });
  return response.status;
}

test("the credentials are shown at the first start that succeeds, and once", async () => {
  await using folder = await createFolder();
  const data = join(folder.path, "data");
  const other = createServer().listen(0, "127.0.0.1");
  await once(other, "listening");
  const address = other.address();
  assert.ok(address !== null && typeof address === "object");
  const refused = await run([
    "serve",
    "--data",
    data,
    "--port",
    String(address.port),
  ]);
  other.close();
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /in use by another program/);

  const first = await serveOnTerminal(data);
  const { accessKey, secretKey, user } = await credentialsOf(data);
  for (const secret of [accessKey, secretKey, user.password]) {
    assert.ok(secret && first.includes(secret), first);
  }
  for (const line of first.split("\n")) assert.ok(line.length <= 80, line);
  assert.ok(first.split("\n").length <= 24);

  const second = await serveOnTerminal(data);
  assert.match(second, /^Carillon is ready at http/m);
  assert.ok(!second.includes(String(accessKey)), second);
  assert.ok(!second.includes(String(user.password)), second);
});

test("presets of a later start change nothing, and are named", async () => {
  await using folder = await createFolder();
  const data = folder.path;
  const env = {
    CARILLON_ACCESS_KEY: "AKOFANOTHERSERVER001",
    CARILLON_SECRET_KEY: "SKofAnotherServer",
    CARILLON_ADMIN_PASSWORD: "of another server",
    CARILLON_PROJECT_NAME: "another",
  };
  {
    await using first = await CarillonProcess.start({ data });
    assert.equal(await first.stop(), 0);
    assert.doesNotMatch(first.stderr, /presets_ignored/);
  }
  await using server = await CarillonProcess.start({ data, env });
  assert.equal(await statusOf(server.url, credentials), 200);
  const { accessKey, user } = await credentialsOf(data);
  assert.equal(accessKey, credentials.accessKey);
  assert.equal(user.password, credentials.adminPassword);
  const warning = server.stderr
    .split("\n")
    .filter((line) => line.includes("presets_ignored"));
  assert.equal(warning.length, 1);
  for (const name of Object.keys(env)) assert.ok(warning[0]?.includes(name));
  for (const secret of Object.values(env)) {
    assert.ok(!warning[0]?.includes(`"${secret}"`));
  }
  await server.stop();
  const screen = await serveOnTerminal(data, [], env);
  assert.match(screen, /CARILLON_SECRET_KEY counts at the first start only/);
});

test("without a terminal there is one line on stdout, and only JSON on stderr", async () => {
  await using folder = await createFolder();
  const data = join(folder.path, "data");
  await mkdir(data);
  await chmod(data, 0o777);
  await using server = await CarillonProcess.start({ data });
  await until(
    () => server.stderr.includes("credentials_written"),
    "the file was not named",
  );
  const lines = server.stderr.split("\n").map((line) => JSON.parse(line));
  const written = lines.find(({ event }) => event === "credentials_written");
  assert.equal(written.file, join(data, "credentials.json"));
  const closed = lines.find(
    ({ event }) => event === "storage_closed_to_others",
  );
  assert.deepEqual([closed.path, closed.mode], [data, "0777"]);
});

test("a region that differs from the first start's is refused", async () => {
  await using folder = await createFolder();
  const data = folder.path;
  await (await CarillonProcess.start({ data })).stop();
  const words = ["serve", "--data", data, "--port", "0", "--region", "eu-1"];
  const { code, stdout, stderr } = await run(words);
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /region: expected local, .* got eu-1: set it back/);
});

test("a host that others reach needs a public URL, or the sandbox", async () => {
  await using folder = await createFolder();
  const words = ["--data", folder.path, "--host", "0.0.0.0"];
  const refused = await run(["serve", "--port", "0", ...words]);
  assert.deepEqual([refused.code, refused.stdout], [2, ""]);
  assert.match(refused.stderr, /--host: expected a publicUrl .*--public-url/);
  await using server = await CarillonProcess.start({
    data: folder.path,
    args: ["--host", "0.0.0.0", "--sandbox"],
  });
  await server.stop();
  assert.match(server.stderr, /"links_lead_here"/);
});

test("a data folder that cannot be made is told of in one sentence", async () => {
  const words = ["serve", "--port", "0", "--data", "/proc/nope"];
  const { code, stdout, stderr } = await run(words);
  assert.deepEqual([code, stdout], [1, ""]);
  const { event, message } = JSON.parse(stderr);
  assert.equal(event, "start_failed");
  assert.match(message, /^The data folder \/proc\/nope cannot be used: /);
});

test("without a terminal a wrong option is an event of the log, too", async () => {
  const { code, stdout, stderr } = await run(["serve", "--nope"]);
  assert.deepEqual([code, stdout], [2, ""]);
  const { event, message } = JSON.parse(stderr);
  assert.equal(event, "start_failed");
  assert.match(message, /^Unknown option '--nope'/);
});

test("the command line on the server itself uses the local address, and keeps up with its key", async () => {
  await using folder = await createFolder();
  const data = folder.path;
  const publicUrl = "https://nowhere.invalid";
  await using server = await CarillonProcess.start({
    data,
    args: ["--public-url", publicUrl],
  });
  const { url, ...file } = await credentialsOf(data);
  assert.deepEqual([url, file.publicUrl], [server.url, publicUrl]);
  const cli = (...words: string[]) => run([...words, "--data", data]);
  assert.equal((await cli("topic", "list")).code, 0);

  const { accessKey } = credentials;
  assert.equal((await cli("key", "rotate", accessKey)).code, 0);
  assert.equal((await cli("topic", "list")).code, 0);
  const rotated = await credentialsOf(data);
  assert.notEqual(rotated.secretKey, credentials.secretKey);
  assert.equal((await cli("user", "rotate", "admin")).code, 0);
  assert.deepEqual((await credentialsOf(data)).user, { name: "admin" });

  const last = await cli("key", "disable", accessKey, "--yes");
  assert.equal(last.code, 1);
  assert.match(last.stderr, /carillon recover/);
  const second = await cli("key", "create", "admin", "--project", "default");
  assert.equal(second.code, 0, second.stderr);
  assert.equal((await cli("key", "disable", accessKey, "--yes")).code, 0);
  const refused = await cli("topic", "list");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /is disabled: .*carillon recover --data/);

  const running = await run(["recover", "--data", data]);
  assert.equal(running.code, 1);
  assert.match(running.stderr, /is in use by process/);
  await server.stop();
  const recovered = await run(["recover", "--data", data, "--password"]);
  assert.equal(recovered.code, 0, recovered.stderr);
  const made = JSON.parse(recovered.stdout);
  await using again = await CarillonProcess.start({ data });
  assert.equal(await statusOf(again.url, made), 200);
  assert.equal((await cli("topic", "list")).code, 0);
  const entries = await cli("audit", "list", "--action", "operator.recover");
  assert.match(entries.stdout, new RegExp(made.accessKey));
});

test("config show names the source of each value, and mistakes beside their keys", async () => {
  const { code, stdout, stderr } = await run(
    ["config", "show", "--range-size", "0"],
    { CARILLON_SECRET_KEY: "hush", CARILLON_PORT: "1" },
  );
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
  const row = (key: string) => rows.find((one) => one.key === key);
  assert.deepEqual(row("port"), {
    key: "port",
    value: 1,
    from: "CARILLON_PORT",
  });
  assert.match(row("rangeSize").problem, /^--range-size: expected a whole/);
  assert.match(row("accessKey").problem, /expected a value/);
  assert.equal(row("secretKey").value, "***");
  assert.ok(!stdout.includes("hush"));
  assert.equal(code, 2);
  assert.equal(stderr, "There are 2 configuration mistakes.\n");
});
