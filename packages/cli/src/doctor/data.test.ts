import assert from "node:assert/strict";
import { cp, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, before, type TestContext, test } from "node:test";
import { loadConfig, serve } from "@carillon/server";
import type { Finding } from "./check.ts";
import { checkData } from "./data.ts";

const day = 24 * 3_600_000;

/** What a server in region `local` has left. */
let data: string;

before(async () => {
  data = await mkdtemp(join(tmpdir(), "carillon-doctor-"));
  const carillon = await serve(loadConfig({ flags: { data, port: 0 } }));
  // The signing key is made in the background; the list waits for it.
  const { accessKey = "", secretKey = "" } = carillon.credentials ?? {};
  const response = await fetch(`${carillon.url}/api/v2/signing-keys`, {
    headers: { authorization: `Basic ${btoa(`${accessKey}:${secretKey}`)}` },
  });
  assert.equal(response.status, 200, await response.text());
  await carillon.close();
});

after(() => rm(data, { recursive: true, force: true }));

test("data that are whole and fit are found so", async () => {
  const findings = await checkData(data, { region: "local" });
  assert.deepEqual(
    findings.map(({ check, result }) => [check, result]),
    [
      ["database", "ok"],
      ["key file", "ok"],
      ["region", "ok"],
      ["signing certificate", "ok"],
    ],
  );
});

test("a folder without data is no failure", async (t) => {
  const folder = await copyOf(t);
  await rm(join(folder, "carillon.db"));
  const [database] = await checkData(folder, { region: "local" });
  assert.equal(database?.result, "skipped");
});

test("a changed region is found", async () => {
  const { region } = await failuresOf(data, { region: "eu-de" });
  assert.match(region?.found ?? "", /eu-de now, and was local/);
  assert.match(region?.advice ?? "", /set region to local/);
});

test("a signing certificate that ends soon, or has ended, is found", async () => {
  const inYears = (years: number) => Date.now() + years * 365 * day;
  const soon = (
    await checkData(data, { region: "local", now: inYears(10) - 10 * day })
  ).find(({ check }) => check === "signing certificate");
  assert.equal(soon?.result, "warning");
  assert.match(soon?.advice ?? "", /certificate rotate/);
  const ended = await failuresOf(data, { now: inYears(11) });
  assert.match(ended["signing certificate"]?.found ?? "", /^it ended on/);
});

test("a database that is damaged, or none, is to be restored", async (t) => {
  const folder = await copyOf(t);
  const path = join(folder, "carillon.db");
  const whole = await readFile(path);
  for (const [from, to] of [
    [0, 100],
    [8192, 20_000],
  ] as const) {
    await writeFile(path, Buffer.from(whole).fill(0xff, from, to));
    const { database } = await failuresOf(folder);
    assert.match(database?.found ?? "", /^damaged: /);
    assert.match(
      database?.advice ?? "",
      new RegExp(`carillon restore FILE --data ${folder} --force$`),
    );
  }
});

test("a database of a newer version is found", async (t) => {
  const folder = await copyOf(t);
  using db = new DatabaseSync(join(folder, "carillon.db"));
  db.exec("INSERT INTO migrations VALUES (9999, 'future', 0)");
  db.close();
  const { database } = await failuresOf(folder);
  assert.match(database?.found ?? "", /newer version wrote it \(schema 9999\)/);
});

test("a key file that is missing, or another database's, is found", async (t) => {
  const folder = await copyOf(t);
  await writeFile(join(folder, "secret.key"), "k".repeat(32));
  const other = await failuresOf(folder);
  assert.match(other["key file"]?.found ?? "", /not the one of this database/);
  await rm(join(folder, "secret.key"));
  const missing = await failuresOf(folder);
  assert.match(missing["key file"]?.found ?? "", /is missing/);
});

test("a key file elsewhere is looked at in place of the folder's", async (t) => {
  const folder = await copyOf(t);
  const secretKeyFile = join(folder, "elsewhere.key");
  const missing = await failuresOf(folder, { secretKeyFile });
  assert.match(missing["key file"]?.found ?? "", /elsewhere\.key is missing/);
  assert.match(missing["key file"]?.advice ?? "", /other nodes/);
  await writeFile(secretKeyFile, "k".repeat(32));
  const other = await failuresOf(folder, { secretKeyFile });
  assert.match(other["key file"]?.found ?? "", /elsewhere\.key is not the one/);
  await writeFile(secretKeyFile, await readFile(join(folder, "secret.key")));
  assert.deepEqual(await failuresOf(folder, { secretKeyFile }), {});
});

test("a restore that broke off is found", async (t) => {
  const folder = await copyOf(t);
  await writeFile(join(folder, "restore.moving"), "");
  const { database } = await failuresOf(folder);
  assert.match(database?.found ?? "", /a restore broke off/);
});

async function failuresOf(
  folder: string,
  options: Partial<Parameters<typeof checkData>[1]> = {},
): Promise<Partial<Record<string, Finding>>> {
  const findings = await checkData(folder, { region: "local", ...options });
  const failed = findings.filter(({ result }) => result === "failed");
  return Object.fromEntries(failed.map((finding) => [finding.check, finding]));
}

async function copyOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-doctor-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await cp(data, folder, { recursive: true });
  return folder;
}
