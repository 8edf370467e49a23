/** `carillon import pymess` from real databases into a real server. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import {
  type Age,
  ages,
  insert,
  pymessFixture,
} from "../packages/cli/src/pymess/pymess.fixture.ts";
import { call } from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import {
  hasNoTerminals,
  rowsOf,
  runCommand,
  runOnTerminal,
} from "./harness/command.ts";
import { listMessages } from "./harness/ledger.ts";
import { type Postgres, startPostgres } from "./harness/postgres.ts";
import {
  createFolder,
  type TemporaryFolder,
} from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

let folder: TemporaryFolder;
let postgres: Postgres | string;
before(async () => {
  folder = await createFolder();
  postgres = await startPostgres();
});
after(async () => {
  if (typeof postgres !== "string") await postgres[Symbol.asyncDispose]();
  await folder[Symbol.asyncDispose]();
});

/** Rows beside those of the fixture. */
const many = 6000;

test("what PostgreSQL holds is imported as what SQLite holds is", async (t) => {
  if (typeof postgres === "string") {
    t.skip(postgres);
    return;
  }
  await using mine = await startServer("from-postgres");
  await using other = await startServer("from-sqlite");
  for (const age of ages) {
    const { statements } = pymessFixture(age, "postgres");
    const dsn = await postgres.createDatabase(`pymess_${age}`, statements);
    const media = await writeMedia(age);
    const file = await writeSqlite(age);
    const rest = ["--media", media, "--source", age];
    const first = await runImport(mine.data, dsn, ...rest);
    await runImport(other.data, file, ...rest);
    assert.equal(counts(first, "sms").imported, age === "0001" ? 7 : 9);
    assert.equal(counts(first, "emails").imported, 3);
    const again = await runImport(mine.data, dsn, ...rest);
    assert.equal(counts(again, "sms").imported, 0);
    assert.equal(counts(again, "emails").imported, 0);
  }
  const rows = await readAll(mine.server);
  assert.equal(rows.length, 34);
  assert.deepEqual(rows, await readAll(other.server));
});

test("a hostile PostgreSQL is told apart from pymess's", async (t) => {
  if (typeof postgres === "string") {
    t.skip(postgres);
    return;
  }
  const { statements } = pymessFixture("0027", "postgres");
  const dsn = await postgres.createDatabase("hostile", [
    ...statements,
    "CREATE TABLE called (at timestamptz)",
    "CREATE FUNCTION write() RETURNS integer AS 'INSERT INTO called VALUES (now()); SELECT 1' LANGUAGE sql",
    "ALTER TABLE pymess_emailmessage RENAME TO kept",
    "CREATE VIEW pymess_emailmessage AS SELECT *, write() AS w FROM kept",
    // A hundred megabytes in a few kilobytes.
    "UPDATE pymess_outputsmsmessage SET error = repeat('x', 100000000) WHERE id = 4",
  ]);
  await using mine = await startServer("hostile");
  const run = await runCommand(commandOf(mine.data, dsn));
  assert.equal(run.code, 1);
  assert.match(run.stderr, /pymess_emailmessage is no plain table but a view/);
  assert.doesNotMatch(run.stderr, /not-looked-at/);
  const [row] = rowsOf(run);
  assert.match(
    JSON.stringify(row),
    /"id":"4","reason":"it has 100000\d+ bytes, 4194304 is the most/,
  );
});

test("kill -9 of the command or of the server loses nothing and doubles nothing", {
  timeout: 240_000,
}, async () => {
  const file = await writeSqlite("0001", many);
  const data = join(folder.path, "killed");
  let server = await CarillonProcess.start({ data });
  const total = many + 7;
  const isInTheMiddle = async () => {
    const imported = (await listMessages(server).catch(() => [])).length;
    return imported > 0;
  };

  const first = spawn(process.execPath, nodeArguments(data, file), {
    cwd: root,
    stdio: "ignore",
  });
  await until(isInTheMiddle, "some messages are imported", 60_000, 5);
  first.kill("SIGKILL");
  await once(first, "exit");
  const afterFirst = (await listMessages(server)).length;
  assert.ok(afterFirst > 0 && afterFirst < total, String(afterFirst));

  const second = spawn(process.execPath, nodeArguments(data, file), {
    cwd: root,
    stdio: "ignore",
  });
  await until(
    async () => (await listMessages(server)).length > afterFirst,
    "more are imported",
    60_000,
    5,
  );
  await server.kill();
  const [code] = await once(second, "exit");
  assert.equal(code, 1);
  server = await CarillonProcess.start({ data });
  await using _ = server;
  const afterSecond = (await listMessages(server)).length;
  assert.ok(afterSecond < total, String(afterSecond));

  const last = await runImport(data, file);
  const { imported, before: earlier } = counts(last, "sms");
  assert.equal(Number(imported) + Number(earlier), total);
  const messages = await listMessages(server);
  assert.equal(messages.length, total + 3);
  const again = await runImport(data, file);
  assert.equal(counts(again, "sms").imported, 0);
  await server.stop();
  const db = new DatabaseSync(join(data, "carillon.db"), { readOnly: true });
  const [texts] = db
    .prepare("SELECT count(DISTINCT content) AS n FROM messages")
    .all();
  assert.equal(texts?.n, total + 3);
  db.close();
});

test("people see what was imported, and what was not, on 80 columns", {
  skip: hasNoTerminals(),
}, async () => {
  const file = await writeSqlite("0027");
  const db = new DatabaseSync(file);
  db.exec("UPDATE pymess_outputsmsmessage SET state = 42 WHERE id = 4");
  db.close();
  await using mine = await startServer("terminal");
  const media = await writeMedia("0027");
  const words = [...commandOf(mine.data, file), "--media", media];
  const dry = await runOnTerminal([...words, "--dry-run"]);
  assert.equal(dry.code, 0, dry.screen);
  assert.equal((await listMessages(mine.server)).length, 0);
  const { code, screen } = await runOnTerminal(words);
  assert.equal(code, 0, screen);
  const lines = stripVTControlCharacters(screen).split(/\r|\n/);
  assert.ok(
    lines.every((line) => line.length <= 80),
    screen,
  );
  assert.match(screen, /pymess_outputsmsmessage +4 +state: pymess has no 42/);
  assert.match(screen, /pymess_dialermessage: its 1 rows are not imported/);
  assert.match(screen, /sms +9 +8 +1 +0/);
  assert.match(screen, /emails +3 +3 +0 +0/);
  assert.match(screen, /sms templates +2 +2 +0 +0/);
  assert.match(screen, /email templates +1 +1 +0 +0/);
  assert.match(screen, /pymess_smstemplate +odd +body, line 2: the tag price/);
  const { body } = await call(
    mine.server,
    "GET",
    "/api/v2/templates/sms/shipped",
  );
  assert.equal(
    body,
    "Order {{ order.number }} is on its way, {{ name | default: 'friend' }}.",
  );
  const odd = await call(mine.server, "GET", "/api/v2/templates/sms/odd");
  assert.equal(odd.isActive, false);
  const paths = [
    ["templates/sms/shipped/disallowed-objects", "501"],
    ["disallowed-objects/sms", "502"],
  ] as const;
  for (const [path, id] of paths) {
    const { objects } = await call(mine.server, "GET", `/api/v2/${path}`);
    assert.match(
      JSON.stringify(objects),
      new RegExp(`"shop.order","id":"${id}"`),
    );
  }
  const welcome = await call(
    mine.server,
    "GET",
    "/api/v2/templates/email/welcome",
  );
  assert.equal(welcome.isActive, true);
  assert.match(JSON.stringify(welcome.attachments), /terms\.pdf/);
  const again = await runOnTerminal(words);
  assert.match(again.screen, /sms templates +2 +0 +0 +2/);
});

async function startServer(name: string) {
  const data = join(folder.path, name);
  // The template of mails names it: an import is refused what a template is.
  const env = { CARILLON_EMAIL_SENDERS: "shop@example.com" };
  const server = await CarillonProcess.start({ data, env });
  return {
    data,
    server,
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

function commandOf(data: string, dsn: string): string[] {
  return ["import", "pymess", "--dsn", dsn, "--data", data];
}

function nodeArguments(data: string, dsn: string): string[] {
  const main = join(root, "packages/cli/src/main.ts");
  return ["--conditions=source", main, ...commandOf(data, dsn)];
}

/** Answers what it printed. */
async function runImport(data: string, dsn: string, ...rest: string[]) {
  const run = await runCommand([...commandOf(data, dsn), ...rest]);
  assert.equal(run.code, 0, run.stderr);
  return rowsOf(run);
}

function counts(rows: Record<string, unknown>[], kind: string) {
  const found = rows.find((row) => row.kind === kind);
  assert.ok(found, JSON.stringify(rows));
  return found;
}

async function writeSqlite(age: Age, rows = 0): Promise<string> {
  const path = await createFolderIn(`source-${age}-${rows}`);
  const file = join(path, "db.sqlite3");
  const db = new DatabaseSync(file);
  db.exec("PRAGMA synchronous = OFF; BEGIN");
  for (const sql of pymessFixture(age, "sqlite").statements) db.exec(sql);
  for (let n = 0; n < rows; n++) {
    const row = {
      id: 100 + n,
      created_at: "2019-03-04 05:06:07",
      changed_at: "2019-03-04 05:06:07",
      recipient: `+4207770${10_000 + n}`,
      content: `Text ${n}`,
      state: 4,
    };
    db.exec(insert("pymess_outputsmsmessage", row, "sqlite"));
  }
  db.exec("COMMIT");
  db.close();
  return file;
}

let folders = 0;
async function createFolderIn(name: string): Promise<string> {
  const path = join(folder.path, `${name}-${folders++}`);
  await mkdir(path, { recursive: true });
  return path;
}

async function writeMedia(age: Age): Promise<string> {
  const media = await createFolderIn(`media-${age}`);
  for (const [path, text] of Object.entries(
    pymessFixture(age, "sqlite").files,
  )) {
    await mkdir(dirname(join(media, path)), { recursive: true });
    await writeFile(join(media, path), text);
  }
  return media;
}

/** All messages with their deliveries, without what each server makes itself. */
async function readAll(server: CarillonProcess) {
  const rows: Record<string, unknown>[] = [];
  for (const { id } of (await listMessages(server)).reverse()) {
    const path = `/api/v2/messages/${id}`;
    const message = await call(server, "GET", path);
    const { deliveries } = await call(server, "GET", `${path}/deliveries`);
    const text = JSON.stringify({ ...message, deliveries });
    rows.push({
      number: rows.length,
      // Cancelled just now, and with a life from now on.
      text: text
        .replaceAll(id, "ID")
        .replaceAll(/"(at|expiresAt)":"20[2-9][^"]*"/g, '"$1":"now"')
        .replaceAll(/"userId":"[^"]*"/g, '"userId":"u"'),
    });
  }
  return rows;
}
