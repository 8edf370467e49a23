/** Puts a backup into a data folder that no server uses. */

import { createWriteStream, existsSync } from "node:fs";
import {
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  rmdir,
  stat,
  writeFile,
} from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { pipeline } from "node:stream/promises";
import { isDeepStrictEqual } from "node:util";
import { CarillonError, systemClock } from "@carillon/core";
import {
  DatabaseFile,
  type FolderLock,
  holdDataFolder,
  isDamage,
  isDiskFull,
  locateFiles,
  unfinishedRestoreName,
} from "@carillon/storage";
import { giveToFolderOwner } from "../folder-owner.ts";
import { keyFileName } from "../key-file.ts";
import { BackupError } from "./backup-error.ts";
import {
  type BackupManifest,
  type BackupOptions,
  damaged,
  readBackupFile,
} from "./backup-file.ts";
import { isKeyOf } from "./data-check.ts";
import { codeOf, syncFolder } from "./file-system.ts";

export interface RestoreBackupOptions extends BackupOptions {
  readonly file: string;
  /** The data folder; made when it is not there. */
  readonly folder: string;
  /** Keeps what is in the folder aside. Default: the folder must be empty. */
  readonly force?: boolean;
}

/** A backup that is in its place. */
export interface RestoredBackup extends BackupManifest {
  /** Full path of the data folder. */
  readonly folder: string;
  /** Full path of the folder that what was there before is in, if any was. */
  readonly keptIn?: string;
}

/** Where a backup is unpacked; nothing else is touched until it was checked. */
const stagingName = "restore.partial";

/** What a server made, in the order in which it goes; the database is last. */
const ourNames = [
  "secret.key",
  "credentials.json",
  "logs",
  "carillon.db-shm",
  "carillon.db-wal",
  "carillon.db-journal",
  "carillon.db",
] as const;

/** What an empty folder may have: a file system's own, and ours in passing. */
const passingNames: ReadonlySet<string> = new Set([
  "lost+found",
  "lock.db",
  "lock.db-journal",
  "carillon.pid",
  stagingName,
]);

/**
 * Unpacks a backup inside the data folder, checks all of it, and moves it into
 * place. Until it was checked the folder stays as it was; a crash while files
 * are moved leaves a folder that a server refuses and a further restore mends.
 *
 * @throws BackupError, CarillonError STORAGE_IN_USE; the signal's reason; the
 * folder is as it was then
 */
export async function restoreBackup(
  options: RestoreBackupOptions,
): Promise<RestoredBackup> {
  const file = resolve(options.file);
  const folder = resolve(options.folder);
  const { signal, force = false } = options;
  let claimed: ClaimedFolder | undefined;
  try {
    const { manifest } = await readBackupFile(
      file,
      await sizeOf(file),
      {
        // Only now: a file that is no backup makes no folder.
        async manifest() {
          claimed = await claimFolder(folder, force);
        },
        async file({ name, content }) {
          const path = join(folder, stagingName, name);
          await mkdir(dirname(path), { recursive: true, mode: 0o700 });
          await pipeline(
            content,
            createWriteStream(path, { flags: "wx", mode: 0o600, flush: true }),
          );
        },
      },
      options,
    );
    await checkUnpacked(file, folder, manifest, options);
    signal?.throwIfAborted();
    const keptIn = await moveIntoPlace(folder);
    claimed?.release();
    await giveToFolderOwner(folder);
    return { ...manifest, folder, ...(keptIn !== undefined && { keptIn }) };
  } catch (error) {
    await claimed?.undo();
    // It says what is left to do, whether or not a signal came too.
    if (error instanceof BackupError) throw error;
    signal?.throwIfAborted();
    throw explain(error, file, folder);
  }
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (cause) {
    throw new BackupError(
      "BACKUP_FOREIGN",
      codeOf(cause) === "ENOENT"
        ? `There is no file ${file}.`
        : `${file} cannot be read (${codeOf(cause)}).`,
      { cause },
    );
  }
}

interface ClaimedFolder {
  release(): void;
  /** Takes away what was made, and releases. */
  undo(): Promise<void>;
}

/** Makes the folder, keeps servers out of it, and an empty staging folder. */
async function claimFolder(
  folder: string,
  force: boolean,
): Promise<ClaimedFolder> {
  const firstMade = await mkdir(folder, { recursive: true, mode: 0o700 });
  const { lock: lockFile } = locateFiles(folder);
  const hadLock = existsSync(lockFile);
  const staging = join(folder, stagingName);
  let lock: FolderLock | undefined;
  const claimed = {
    release: () => lock?.release(),
    async undo() {
      if (lock) await rm(staging, { recursive: true, force: true });
      // Still held: whoever opened it meanwhile is refused.
      if (!hadLock) await rm(lockFile, { force: true });
      lock?.release();
      if (firstMade !== undefined) await removeEmpty(folder, firstMade);
    },
  };
  try {
    lock = holdDataFolder(folder, systemClock.now());
    if (!force) await checkEmpty(folder);
    await rm(staging, { recursive: true, force: true });
    await mkdir(staging, { mode: 0o700 });
    return claimed;
  } catch (error) {
    // Whoever has it needs its lock.
    if (!isInUse(error)) await claimed.undo();
    throw error;
  }
}

function isInUse(error: unknown): boolean {
  return error instanceof CarillonError && error.code === "STORAGE_IN_USE";
}

async function checkEmpty(folder: string): Promise<void> {
  const names = await readdir(folder);
  const others = names.filter((name) => !passingNames.has(name));
  if (others.length === 0) return;
  throw new BackupError(
    "TARGET_EXISTS",
    `${folder} is not empty (${others.slice(0, 3).join(", ")}${others.length > 3 ? ", …" : ""}): restore into an empty folder, or keep what is there aside with --force.`,
  );
}

/** From the folder up to the first one that was made. */
async function removeEmpty(folder: string, firstMade: string): Promise<void> {
  for (let path = folder; ; path = dirname(path)) {
    try {
      await rmdir(path);
    } catch {
      // Somebody has put something there.
      return;
    }
    if (path === resolve(firstMade)) return;
  }
}

async function checkUnpacked(
  file: string,
  folder: string,
  manifest: BackupManifest,
  { signal, onProgress }: BackupOptions,
): Promise<void> {
  const staging = join(folder, stagingName);
  const { database: name } = locateFiles(staging);
  if (!existsSync(name)) throw damaged(file, "it has no database");
  const key = await readFile(join(staging, keyFileName)).catch(() => undefined);
  if (!key) throw damaged(file, "it has no key");
  using database = new DatabaseFile(name);
  const [damage] = await database.findDamage("full", {
    signal,
    onProgress: (at) => onProgress?.({ step: "checking", ...at }),
  });
  if (damage !== undefined) throw damaged(file, damage);
  if (database.schemaVersion !== manifest.schemaVersion) {
    throw damaged(file, `its schema is ${database.schemaVersion}`);
  }
  if (!isDeepStrictEqual({ ...database.countRows() }, { ...manifest.rows })) {
    throw damaged(file, "the database has other rows than were counted");
  }
  if (!isKeyOf(database, key)) throw damaged(file, "its key is another's");
}

/**
 * Answers the folder that keeps what was there. While the mark is there no
 * server starts: a crash in here never has half of a backup taken for data.
 */
async function moveIntoPlace(folder: string): Promise<string | undefined> {
  const mark = join(folder, unfinishedRestoreName);
  await writeFile(mark, "", { mode: 0o600, flush: true });
  await syncFolder(folder);
  try {
    return await moveMarked(folder, mark);
  } catch (cause) {
    throw new BackupError(
      "TARGET_UNUSABLE",
      `The restore into ${folder} broke off while files were moved (${codeOf(cause) || cause}): mend that and run it again with --force; what was there before is kept in a folder before-restore-….`,
      { cause },
    );
  }
}

async function moveMarked(
  folder: string,
  mark: string,
): Promise<string | undefined> {
  const keptIn = await moveAside(folder);
  const staging = join(folder, stagingName);
  for (const name of ourNames) {
    if (!existsSync(join(staging, name))) continue;
    await rename(join(staging, name), join(folder, name));
  }
  await rmdir(staging);
  await syncFolder(folder);
  await rm(mark);
  await syncFolder(folder);
  return keptIn;
}

async function moveAside(folder: string): Promise<string | undefined> {
  const names = ourNames.filter((name) => existsSync(join(folder, name)));
  if (names.length === 0) return undefined;
  const time = new Date().toISOString().replaceAll(":", "");
  const aside = join(folder, `before-restore-${time}`);
  await mkdir(aside, { mode: 0o700 });
  // The database first: what is left is never taken for a whole.
  for (const name of names.toReversed()) {
    await rename(join(folder, name), join(aside, name));
  }
  await syncFolder(aside);
  return aside;
}

function explain(error: unknown, file: string, folder: string): unknown {
  if (isDamage(error)) return damaged(file, (error as Error).message, error);
  if (isDiskFull(error)) {
    return new BackupError(
      "DISK_FULL",
      `The disk of ${folder} has no room for ${file}: nothing was changed.`,
      { cause: error },
    );
  }
  const isSystems =
    error instanceof Error && ("syscall" in error || "errcode" in error);
  return isSystems
    ? new BackupError(
        "TARGET_UNUSABLE",
        `${file} was not restored into ${folder} (${codeOf(error)}): see that this user may read the one and write the other.`,
        { cause: error },
      )
    : error;
}
