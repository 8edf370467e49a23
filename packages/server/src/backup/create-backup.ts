/** Makes a backup of a data folder, whether or not a server uses it. */

import { createReadStream, createWriteStream } from "node:fs";
import {
  access,
  mkdir,
  readdir,
  readFile,
  realpath,
  rename,
  rm,
  stat,
} from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";
import {
  copyDatabase,
  DatabaseFile,
  isDamage,
  isDiskFull,
  locateFiles,
} from "@carillon/storage";
import { credentialsFileName } from "../credentials-file.ts";
import { keyFileName } from "../key-file.ts";
import { BackupError } from "./backup-error.ts";
import {
  type BackupManifest,
  type BackupOptions,
  createManifest,
  damaged,
  readBackupFile,
  writeBackupFile,
} from "./backup-file.ts";
import { isKeyOf } from "./data-check.ts";
import { codeOf, syncFolder } from "./file-system.ts";
import { copyToLastLine } from "./log-content.ts";
import type { TarEntry } from "./tar.ts";

export interface CreateBackupOptions extends BackupOptions {
  /** The data folder. */
  readonly folder: string;
  /** The secret key; default: the folder's own file. */
  readonly secretKeyFile?: string | undefined;
  /** Where the backup goes. */
  readonly file: string;
  /** Replaces a file that is there. Default false. */
  readonly force?: boolean;
  /** Takes the delivery logs of topics along. Default false. */
  readonly logs?: boolean;
}

/** A backup that was made, and read again. */
export interface CreatedBackup extends BackupManifest {
  /** Full path. */
  readonly file: string;
  /** Size of the file. */
  readonly bytes: number;
}

const logsName = "logs";

/**
 * Writes a backup of the state at the moment of the call: the file appears
 * under its name (mode 0600) once it is complete and was checked. A crash leaves
 * at most a folder `.carillon-backup-{pid}.partial` beside it, which the next
 * backup to that place removes.
 *
 * @throws BackupError; the signal's reason; nothing is left behind then
 */
export async function createBackup(
  options: CreateBackupOptions,
): Promise<CreatedBackup> {
  const folder = resolve(options.folder);
  const file = resolve(options.file);
  const { signal } = options;
  await checkTarget(file, folder, options.force ?? false);
  const { database } = locateFiles(folder);
  await checkSource(folder, database);
  await removeLeftovers(file);
  const work = join(dirname(file), `.carillon-backup-${process.pid}.partial`);
  try {
    await mkdir(work, { mode: 0o700 });
    const now = new Date();
    const copy = join(work, basename(database));
    const archive = join(work, "archive");
    await copyDatabase(database, copy, {
      signal,
      onProgress: (at) => options.onProgress?.({ step: "copying", ...at }),
    });
    const keyFile = resolve(options.secretKeyFile ?? join(folder, keyFileName));
    const key = await readKey(keyFile);
    const parts = { copy, key, keyFile, folder };
    const manifest = await checkCopy(parts, now, options);
    const sums = await writeArchive(archive, manifest, parts, options);
    const { size: bytes } = await stat(archive);
    const read = await readBackupFile(
      archive,
      bytes,
      {},
      {
        ...options,
        step: "verifying",
      },
    );
    for (const [name, sum] of sums) {
      if (read.sums.get(name) !== sum) {
        throw damaged(file, `${name} was not written as it is`);
      }
    }
    signal?.throwIfAborted();
    await rename(archive, file);
    await syncFolder(dirname(file));
    return { ...manifest, file, bytes };
  } catch (error) {
    signal?.throwIfAborted();
    throw explain(error, file, folder);
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function checkTarget(
  file: string,
  folder: string,
  force: boolean,
): Promise<void> {
  const parent = await realpath(dirname(file)).catch(() => undefined);
  if (parent === undefined) {
    throw new BackupError(
      "TARGET_UNUSABLE",
      `The folder ${dirname(file)} is not there: make it, or name another file.`,
    );
  }
  const data = await realpath(folder).catch(() => folder);
  if (!relative(data, parent).startsWith("..")) {
    throw new BackupError(
      "TARGET_UNUSABLE",
      `${file} lies in the data folder, and would be lost with it: name a file elsewhere.`,
    );
  }
  const there = await stat(file).catch(() => undefined);
  if (there && !there.isFile()) {
    throw new BackupError(
      "TARGET_EXISTS",
      `${file} is no plain file: name another.`,
    );
  }
  if (there && !force) {
    throw new BackupError(
      "TARGET_EXISTS",
      `${file} is there already: name another file, or replace it with --force.`,
    );
  }
}

async function checkSource(folder: string, database: string): Promise<void> {
  try {
    await access(database);
  } catch (cause) {
    throw new BackupError(
      "NO_DATA",
      `There is no database in ${folder}: name the server's data folder with --data.`,
      { cause },
    );
  }
}

/** What backups to the same place left when they were killed. */
async function removeLeftovers(file: string): Promise<void> {
  const parent = dirname(file);
  for (const name of await readdir(parent)) {
    const [, pid] = /^\.carillon-backup-(\d+)\.partial$/.exec(name) ?? [];
    if (pid === undefined) continue;
    if (Number(pid) !== process.pid && isAlive(Number(pid))) continue;
    await rm(join(parent, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

async function readKey(path: string): Promise<Uint8Array> {
  try {
    return await readFile(path);
  } catch (cause) {
    throw new BackupError(
      "DATA_DAMAGED",
      `${path} cannot be read (${codeOf(cause)}): a backup without it is of no use; put it back first, or name it with --secret-key-file.`,
      { cause },
    );
  }
}

interface Parts {
  /** Of the database. */
  readonly copy: string;
  readonly key: Uint8Array;
  readonly keyFile: string;
  /** The data folder. */
  readonly folder: string;
}

async function checkCopy(
  { copy, key, keyFile, folder }: Parts,
  now: Date,
  { signal, onProgress }: BackupOptions,
): Promise<BackupManifest> {
  using database = new DatabaseFile(copy);
  const { schemaVersion } = database;
  if (schemaVersion === 0) {
    throw new BackupError(
      "NO_DATA",
      `The database in ${folder} is empty: start the server there first.`,
    );
  }
  const [damage] = await database.findDamage("full", {
    signal,
    onProgress: (at) => onProgress?.({ step: "checking", ...at }),
  });
  if (damage !== undefined) throw damagedData(folder, damage);
  if (!isKeyOf(database, key)) {
    throw new BackupError(
      "DATA_DAMAGED",
      `${keyFile} is not the key of the database in ${folder}: put the right one there first, or name it with --secret-key-file; without it secrets cannot be read.`,
    );
  }
  const rows = database.countRows();
  return createManifest({ schemaVersion, rows }, now);
}

async function writeArchive(
  archive: string,
  manifest: BackupManifest,
  parts: Parts,
  { signal, onProgress, logs = false }: CreateBackupOptions,
) {
  const { size: total } = await stat(parts.copy);
  let done = 0;
  const entries = listEntries(parts, logs, (bytes) => {
    done += bytes;
    onProgress?.({ step: "packing", done: Math.min(done, total), total });
  });
  // Messages, numbers and keys are in it: nobody else reads it, ever.
  const output = createWriteStream(archive, {
    flags: "wx",
    mode: 0o600,
    flush: true,
  });
  return await writeBackupFile(output, manifest, entries, { signal });
}

async function* listEntries(
  { copy, key, folder }: Parts,
  logs: boolean,
  onBytes: (bytes: number) => void,
): AsyncGenerator<TarEntry, void> {
  yield {
    name: basename(copy),
    bytes: (await stat(copy)).size,
    content: counted(
      createReadStream(copy, { highWaterMark: 2 ** 18 }),
      onBytes,
    ),
  };
  yield bytesEntry(keyFileName, key);
  const credentials = await readIfThere(join(folder, credentialsFileName));
  if (credentials) yield bytesEntry(credentialsFileName, credentials);
  if (!logs) return;
  const names = await readdir(join(folder, logsName)).catch(() => []);
  for (const name of names.filter((it) => it.endsWith(".jsonl")).sort()) {
    const log = await copyToLastLine(
      join(folder, logsName, name),
      join(dirname(copy), "log"),
    );
    if (log) yield { name: `${logsName}/${name}`, ...log };
  }
}

async function* counted(
  pieces: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void,
): AsyncGenerator<Uint8Array, void> {
  for await (const piece of pieces) {
    onBytes(piece.length);
    yield piece;
  }
}

function bytesEntry(name: string, content: Uint8Array): TarEntry {
  return {
    name,
    bytes: content.length,
    content: (async function* () {
      yield content;
    })(),
  };
}

/** The owner may have deleted it. */
async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw error;
  }
}

function explain(error: unknown, file: string, folder: string): unknown {
  if (error instanceof BackupError) return error;
  if (isDamage(error))
    return damagedData(folder, (error as Error).message, error);
  const isSystems =
    error instanceof Error && ("syscall" in error || "errcode" in error);
  if (!isSystems) return error;
  return isDiskFull(error)
    ? new BackupError(
        "DISK_FULL",
        `The disk has no room for ${file}: the copy and the packed backup need room at the same time; nothing was left behind.`,
        { cause: error },
      )
    : new BackupError(
        "TARGET_UNUSABLE",
        `The backup of ${folder} was not written to ${file} (${codeOf(error)}): see that both can be used; nothing was left behind.`,
        { cause: error },
      );
}

function damagedData(
  folder: string,
  what: string,
  cause?: unknown,
): BackupError {
  return new BackupError(
    "DATA_DAMAGED",
    `The database in ${folder} is damaged (${what}): restore an older backup; no new one was made.`,
    { cause },
  );
}
