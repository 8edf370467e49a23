/** Users, projects, domains, keys and certificates by the command line. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { auditActionNames } from "@carillon/server/audit-actions";
import { CarillonProcess } from "./harness/carillon-process.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

let data: string;
let server: CarillonProcess;

before(async () => {
  data = await mkdtemp(join(tmpdir(), "carillon-cli-identity-"));
  server = await CarillonProcess.start({ data });
});

after(async () => {
  await server?.kill();
  await rm(data, { recursive: true, force: true });
});

test("a user with a key works until it is disabled", async () => {
  const [project] = await done("project", "create", "shop");
  const [user] = await done("user", "create", "ann", "--project", "shop");
  assert.equal(typeof user?.password, "string");
  const [key] = await done("key", "create", "ann");
  assert.equal(key?.projectId, project?.id);
  assert.equal(await statusOf(key), 200);
  await done("user", "disable", "ann");
  assert.equal(await statusOf(key), 401);
  await done("user", "enable", "ann");
  const [rotated] = await done("key", "rotate", String(key?.accessKey));
  assert.equal(await statusOf(key), 401);
  assert.equal(await statusOf(rotated), 200);
  await done("user", "unassign", "ann", "shop");
  assert.equal(await statusOf(rotated), 401);
  await done("user", "assign", "ann", "shop");
  assert.equal(await statusOf(rotated), 200);
  await done("key", "delete", String(key?.accessKey), "--yes");
  const keys = await done("key", "list");
  assert.ok(keys.every(({ accessKey }) => accessKey !== key?.accessKey));
  await done("user", "delete", "ann", "--yes");
  await done("project", "disable", "shop");
  await done("project", "delete", "shop", "--yes");
  const projects = await done("project", "list");
  assert.deepEqual(
    projects.map(({ name }) => name),
    ["default"],
  );
});

test("a project is looked for in the user's domain", async () => {
  await done("domain", "create", "OTC");
  const [own] = await done("project", "create", "eu-de_demo");
  const [theirs] = await done(
    ...["project", "create", "eu-de_demo", "--domain", "OTC"],
  );
  const words = ["user", "create", "demo", "--project", "eu-de_demo"];
  const [there] = await done(...words, "--domain", "OTC");
  assert.deepEqual(there?.projectIds, [theirs?.id]);
  const [here] = await done(...words);
  assert.deepEqual(here?.projectIds, [own?.id]);
  const id = String(there?.id);
  await done("user", "unassign", id, "eu-de_demo");
  const [assigned] = await done("user", "assign", id, "eu-de_demo");
  assert.deepEqual(assigned?.projectIds, [theirs?.id]);
  const [key] = await done("key", "create", id, "--project", "eu-de_demo");
  assert.equal(key?.projectId, theirs?.id);

  const elsewhere = await run([
    "user",
    "create",
    "max",
    "--domain",
    "OTC",
    "--project",
    "default",
  ]);
  assert.equal(elsewhere.code, 1);
  assert.match(elsewhere.stderr, /no project "default" in the domain/);
  for (const user of [id, String(here?.id)])
    await done("user", "delete", user, "--yes");
  for (const project of [own, theirs]) {
    await done("project", "delete", String(project?.id), "--yes");
  }
  await done("domain", "delete", "OTC", "--yes");
});

test("passwords come from stdin, not from the command line", async () => {
  const words = ["user", "create", "bob", "--password-stdin"];
  const { code, stdout } = await run(words, "correct horse\n");
  assert.equal(code, 0);
  assert.equal(JSON.parse(stdout).password, undefined);
  const empty = await run(["user", "rotate", "bob", "--password-stdin"], "");
  assert.equal(empty.code, 2);
});

test("a domain is disabled with its users", async () => {
  await done("domain", "create", "acme");
  const [user] = await done("user", "create", "eve", "--domain", "acme");
  const [domain] = (await done("domain", "list")).filter(
    ({ name }) => name === "acme",
  );
  assert.equal(user?.domainId, domain?.id);
  const [disabled] = await done("domain", "disable", "acme");
  assert.equal(disabled?.enabled, false);
  const refused = await run(["domain", "delete", "acme", "--yes"]);
  assert.match(refused.stderr, /has projects or users.*IDENTITY_IN_USE/);
});

test("says what is not there", async () => {
  const missing = await run(["user", "disable", "nobody"]);
  assert.equal(missing.code, 1);
  assert.match(missing.stderr, /no user "nobody".*carillon user list/);
});

test("what was changed stands in the audit log", async () => {
  await done("user", "create", "audited");
  const [entry] = await done("audit", "list", "--limit", "1");
  assert.equal(entry?.action, "user.create");
  assert.equal(entry?.userName, "admin");
  const [same] = await done("audit", "list", "--action", "user.create");
  assert.deepEqual(same, entry);
  const help = await run(["audit", "list", "--help"]);
  const unknown = await run(["audit", "list", "--action", "user.creat"]);
  assert.equal(unknown.code, 2);
  for (const name of auditActionNames) {
    assert.ok(help.stdout.replaceAll(/\s+/g, " ").includes(name), name);
    assert.ok(unknown.stderr.includes(name), name);
  }
  for (const [args, range] of [
    [["audit", "list", "--limit", "none"], /whole number from 1 to 100000 is/],
    [["audit", "list", "--limit", "1000000"], /number from 1 to 100000 is/],
    [
      ["publish", "t", "x", "--time-to-live", "0"],
      /seconds from 1 to 604800 is/,
    ],
    [["publish", "t", "x", "--timeout", "1.5"], /seconds from 1 to 604800 is/],
  ] as const) {
    const wrong = await run([...args]);
    assert.equal(wrong.code, 2);
    assert.match(wrong.stderr, range);
  }
});

test("the audit log of a user is found by its name, and by its id for ever", async () => {
  const [user] = await done("user", "create", "auditor", "--role", "admin");
  const id = String(user?.id);
  const unknown = await run(["audit", "list", "--user", "nobody"]);
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /no user "nobody".*carillon user list/);
  assert.deepEqual(await done("audit", "list", "--user", "auditor"), []);
  const login = await fetch(`${server.url}/v3/auth/tokens`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      auth: {
        identity: {
          methods: ["password"],
          password: { user: { id, password: user?.password } },
        },
      },
    }),
  });
  assert.equal(login.status, 201);
  const entries = await done("audit", "list", "--user", "auditor");
  assert.deepEqual(
    entries.map(({ action, userName }) => [action, userName]),
    [["login", "auditor"]],
  );
  await done("user", "delete", "auditor", "--yes");
  assert.deepEqual(await done("audit", "list", "--user", id), entries);
});

test("former certificates stay downloadable after a rotation", async () => {
  const [before] = await done("certificate", "list");
  const [{ certificateId } = {}] = await done("certificate", "rotate");
  const after = await done("certificate", "list");
  assert.deepEqual(
    after.map((key) => [key.certificateId, key.current]),
    [
      [certificateId, true],
      [before?.certificateId, false],
    ],
  );
  for (const key of after) {
    const response = await fetch(`${server.url}/smn/${key.certificateId}`);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), key.certificate);
  }
});

type Row = Readonly<Record<string, unknown>>;

/** Runs a command that must succeed; answers the rows it printed. */
async function done(...words: string[]): Promise<Row[]> {
  const { code, stdout, stderr } = await run(words);
  assert.equal(code, 0, `carillon ${words.join(" ")}: ${stderr}`);
  return stdout
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Row);
}

async function run(words: readonly string[], input = "") {
  const main = join(root, "packages/cli/src/main.ts");
  const child = spawn(
    process.execPath,
    ["--conditions=source", main, ...words, "--data", data],
    { cwd: root, stdio: "pipe", env: { PATH: process.env.PATH } },
  );
  child.stdin.end(input);
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code, stdout, stderr };
}

/** What the server says to somebody with that key. */
async function statusOf(key: Row | undefined): Promise<number> {
  const pair = Buffer.from(`${key?.accessKey}:${key?.secretKey}`);
  const response = await fetch(`${server.url}/api/v2/whoami`, {
    headers: { authorization: `Basic ${pair.toString("base64")}` },
  });
  return response.status;
}
