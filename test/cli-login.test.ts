/** Log-ins that the commands after them use: `login`, `context`, `logout`. */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, beforeEach, test } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { CarillonProcess, credentials } from "./harness/carillon-process.ts";
import { onTerminal, type Typing, whyNoTerminal } from "./harness/terminal.ts";

const main = fileURLToPath(
  new URL("../packages/cli/src/main.ts", import.meta.url),
);
const { accessKey, secretKey, adminPassword } = credentials;

let folder: string;
let server: CarillonProcess;
let host: string;
let configHome: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "carillon-cli-login-"));
  server = await CarillonProcess.start({ data: join(folder, "data") });
  host = new URL(server.url).host;
});

beforeEach(async () => {
  configHome = await mkdtemp(join(folder, "config-"));
});

after(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

test("a key pair is checked, kept for its owner only, and used", async () => {
  const login = ["login", `${server.url}/`, "--access-key", accessKey];
  const refused = await run([...login, "--secret-stdin"], "wrong\n");
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /does not accept the keys/);
  assert.deepEqual(await readdir(configHome), []);

  const [made] = await done([...login, "--secret-stdin"], `${secretKey}\n`);
  assert.deepEqual(made, {
    name: host,
    url: server.url,
    userName: "admin",
    accessKey,
    projectId: credentials.projectId,
  });
  const path = join(configHome, "carillon", "contexts.json");
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  assert.equal((await stat(join(path, ".."))).mode & 0o777, 0o700);
  assert.deepEqual(await readdir(join(path, "..")), ["contexts.json"]);

  await done(["topic", "create", "by-context"]);
  const [used] = await done(["context", "show"]);
  assert.deepEqual(used, {
    url: server.url,
    accessKey,
    projectId: credentials.projectId,
    from: `context ${host}`,
    because: "carillon login or carillon context use chose it",
  });
  const shown = await run(["context", "show", "-o", "table"]);
  assert.ok(!shown.stdout.includes(secretKey));
  assert.match(shown.stdout, /^keys from: context 127/m);
});

test("a terminal is asked, and does not show what is secret", async (t) => {
  const reason = whyNoTerminal();
  if (reason !== undefined) {
    t.skip(reason);
    return;
  }
  const login = (typings: readonly Typing[]) =>
    onTerminal(
      [process.execPath, "--conditions=source", main, "login", server.url],
      { cwd: configHome, env: environment() },
      typings,
    );
  const interrupted = await login([
    ["Access key: ", `${accessKey}\r`],
    ["Secret key: ", "half\x03"],
  ]);
  assert.equal(interrupted.code, 130);
  assert.match(interrupted.output, /Interrupted; nothing was changed\./);
  assert.deepEqual(await readdir(configHome), []);
  const { code, output } = await login([
    ["Access key: ", `${accessKey}\r`],
    ["Secret key: ", `${secretKey}\r`],
  ]);
  assert.equal(code, 0, output);
  assert.match(output, /Logged in to \S+ as admin/);
  assert.ok(!output.includes(secretKey));
  await done(["topic", "list"]);
});

test("by a password a key is made, which logging out deletes", async () => {
  const [made] = await done(
    [
      ...["login", server.url, "--name", "mine", "--user", "admin"],
      ...["--secret-stdin"],
    ],
    `${adminPassword}\n`,
  );
  assert.notEqual(made?.accessKey, accessKey);
  const [key] = await done(["key", "show", String(made?.accessKey)]);
  assert.equal(key?.enabled, true);
  const stored = await readFile(
    join(configHome, "carillon", "contexts.json"),
    "utf8",
  );
  assert.ok(!stored.includes(adminPassword));
  const { contexts } = JSON.parse(stored) as {
    contexts: { mine: { secretKey: string } };
  };
  const pair = `${made?.accessKey}:${contexts.mine.secretKey}`;
  assert.equal(await statusOf(pair), 200);
  await done(["logout"]);
  assert.equal(await statusOf(pair), 401);
  assert.deepEqual(await done(["context", "list"]), []);
});

test("a log-in in place of another deletes the key that was made for that", async () => {
  const again = () =>
    done(
      ["login", server.url, "--user", "admin", "--secret-stdin"],
      `${adminPassword}\n`,
    );
  const [[first], [second]] = [await again(), await again()];
  const keys = (await done(["key", "list"])).map((key) => key.accessKey);
  assert.ok(keys.includes(second?.accessKey));
  assert.ok(!keys.includes(first?.accessKey));
  await done(["logout"]);
});

test("log-ins at once are all kept", async () => {
  const names = ["one", "two", "three"];
  await Promise.all(
    names.map((name) =>
      done(
        [
          ...["login", server.url, "--name", name],
          ...["--access-key", accessKey, "--secret-stdin"],
        ],
        `${secretKey}\n`,
      ),
    ),
  );
  const kept = (await done(["context", "list"])).map(({ name }) => name);
  assert.deepEqual(kept.sort(), names.toSorted());
});

test("a wrong password makes nothing, and neither may a member", async () => {
  await done(
    ["login", server.url, "--access-key", accessKey, "--secret-stdin"],
    secretKey,
  );
  const before = await done(["key", "list"]);
  const login = ["login", server.url, "--name", "other", "--secret-stdin"];
  const wrong = await run([...login, "--user", "admin"], "wrong");
  assert.deepEqual([wrong.code, wrong.stdout], [1, ""]);
  assert.match(wrong.stderr, /^\S+ does not let in user admin of the domain/);
  const create = ["user", "create", "member", "--project", "default"];
  const [member] = await done(create);
  const refused = await run(
    [...login, "--user", "member"],
    String(member?.password),
  );
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /^member may not create access keys.*carillon key create member, and log in/,
  );
  assert.deepEqual(await done(["key", "list"]), before);
  assert.equal((await done(["context", "list"])).length, 1);
});

test("a key that cannot be kept is deleted again", async () => {
  await done(
    ["login", server.url, "--access-key", accessKey, "--secret-stdin"],
    secretKey,
  );
  const before = await done(["key", "list"]);
  const taken = join(folder, "a-file");
  await writeFile(taken, "");
  const failed = await run(
    ["login", server.url, "--user", "admin", "--secret-stdin"],
    adminPassword,
    { XDG_CONFIG_HOME: taken },
  );
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /contexts\.json cannot be written \(ENOTDIR\)/);
  assert.deepEqual(await done(["key", "list"]), before);
});

test("Ctrl-C while the key is made leaves none behind", async (t) => {
  await done(
    ["login", server.url, "--access-key", accessKey, "--secret-stdin"],
    secretKey,
  );
  const before = await done(["key", "list"]);
  let child: ChildProcess | undefined;
  // Before the server: interrupts once the server has made the key.
  const proxy = createServer(async (request, response) => {
    const { method = "GET", url = "/" } = request;
    const { "x-auth-token": token, authorization } = request.headers;
    const body = await text(request);
    const answer = await fetch(server.url + url, {
      method,
      headers: {
        "content-type": "application/json",
        ...(token && { "x-auth-token": String(token) }),
        ...(authorization && { authorization }),
      },
      ...(body !== "" && { body }),
    });
    const made = await answer.text();
    if (method === "POST" && url === "/api/v2/access-keys") {
      interrupted.resolve(JSON.parse(made).accessKey);
      child?.kill("SIGINT");
      // Nothing shows when the signal has come through there.
      await setTimeout(300);
    }
    response.writeHead(answer.status, {
      "content-type": "application/json",
      "x-subject-token": answer.headers.get("x-subject-token") ?? "",
    });
    response.end(made);
  }).listen(0, "127.0.0.1");
  const interrupted = Promise.withResolvers<string>();
  t.after(() => proxy.close());
  await once(proxy, "listening");
  const { port } = proxy.address() as AddressInfo;
  const ended = await run(
    [
      ...["login", `http://127.0.0.1:${port}`, "--name", "half"],
      ...["--user", "admin", "--secret-stdin"],
    ],
    adminPassword,
    {},
    (spawned) => {
      child = spawned;
    },
  );
  assert.ok(await interrupted.promise);
  assert.deepEqual(
    [ended.code, ended.stdout, ended.stderr],
    [130, "", "Interrupted.\n"],
  );
  assert.deepEqual(await done(["key", "list"]), before);
  assert.equal((await done(["context", "list"])).length, 1);
});

test("contexts are listed, chosen and deleted", async () => {
  const login = ["login", server.url, "--access-key", accessKey];
  await done([...login, "--secret-stdin", "--name", "one"], secretKey);
  await done([...login, "--secret-stdin", "--name", "two"], secretKey);
  const names = async () =>
    (await done(["context", "list"])).map(({ name, current }) => [
      name,
      current,
    ]);
  assert.deepEqual(await names(), [
    ["one", false],
    ["two", true],
  ]);
  await done(["context", "use", "one"]);
  assert.deepEqual(await names(), [
    ["one", true],
    ["two", false],
  ]);
  const refused = await run(["context", "delete", "one"]);
  assert.equal(refused.code, 2);
  await done(["context", "delete", "one", "--yes"]);
  assert.deepEqual(await names(), [["two", false]]);
  const unknown = await run(["context", "use", "one"]);
  assert.match(unknown.stderr, /^There is no context "one": /);
  const [named] = await done(["context", "show", "--context", "two"]);
  assert.equal(named?.because, "--context names it");
});

test("a log-out from a server that is gone forgets the keys all the same", async () => {
  const path = join(configHome, "carillon", "contexts.json");
  await mkdir(join(configHome, "carillon"));
  const gone = {
    url: "http://nosuch.invalid",
    accessKey: "AKGONE",
    secretKey: "S",
    projectId: "p",
    userName: "ann",
    ownsKey: true,
  };
  await writeFile(
    path,
    JSON.stringify({ current: "gone", contexts: { gone } }),
  );
  const out = await run(["logout"]);
  assert.equal(out.code, 1);
  assert.match(
    out.stderr,
    /^Logged out of gone, but its access key AKGONE is left on the server: /,
  );
  assert.deepEqual(JSON.parse(await readFile(path, "utf8")), { contexts: {} });
});

test("says what is wrong with the file or the words", async () => {
  const path = join(configHome, "carillon", "contexts.json");
  await mkdir(join(configHome, "carillon"));
  await writeFile(path, '{"contexts":{"a":{"url":"x"}}}');
  const odd = await run(["topic", "list"]);
  assert.deepEqual([odd.code, odd.stdout], [1, ""]);
  assert.match(odd.stderr, /does not hold contexts as carillon login writes/);
  await chmod(path, 0o600);
  await writeFile(path, "{");
  const broken = await run(["context", "list"]);
  assert.match(broken.stderr, /cannot be read \(it is no JSON\)/);
  await rm(path);
  for (const [words, input, problem] of [
    [["login", "localhost:7070"], "", /^Expected a URL/],
    [["login", server.url], "", /^There is no terminal to ask on: /],
    [
      ["login", server.url, "--access-key", "A", "--secret-stdin"],
      "",
      /^Expected a secret or password, got nothing\.$/m,
    ],
    [
      ["login", server.url, "--user", "a", "--access-key", "A"],
      "",
      /^Expected --user or --access-key, not both/,
    ],
    [
      ["login", server.url, "--name", "__proto__"],
      "",
      /^Expected a name of up to 64/,
    ],
  ] as const) {
    const wrong = await run(words, input);
    assert.deepEqual([wrong.code, wrong.stdout], [2, ""], wrong.stderr);
    assert.match(wrong.stderr, problem);
  }
  const none = await run(["logout"]);
  assert.match(none.stderr, /^No context is chosen: /);
});

type Row = Readonly<Record<string, unknown>>;

/** Runs a command that must succeed; answers the rows it printed. */
async function done(words: readonly string[], input = ""): Promise<Row[]> {
  const { code, stdout, stderr } = await run(words, input);
  assert.equal(code, 0, `carillon ${words.join(" ")}: ${stderr}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
}

async function run(
  words: readonly string[],
  input = "",
  env: Readonly<Record<string, string>> = {},
  onSpawn: (child: ChildProcess) => void = () => {},
) {
  const child = spawn(
    process.execPath,
    ["--conditions=source", main, ...words],
    {
      // No data folder is here.
      cwd: configHome,
      stdio: "pipe",
      env: { ...environment(), ...env },
    },
  );
  onSpawn(child);
  // A command that reads nothing may have ended.
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, stdout, stderr };
}

function environment() {
  return {
    PATH: process.env.PATH ?? "",
    HOME: folder,
    XDG_CONFIG_HOME: configHome,
  };
}

/** What the server says to somebody with that key pair. */
async function statusOf(pair: string): Promise<number> {
  const response = await fetch(`${server.url}/api/v2/whoami`, {
    headers: { authorization: `Basic ${Buffer.from(pair).toString("base64")}` },
  });
  return response.status;
}
