/**
 * One process per data folder. The lock is a transaction on a file of its own:
 * the operating system frees it however its holder ends, so that no stale lock
 * ever has to be removed by hand.
 */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { EpochMs } from "@carillon/core";
import { CarillonError } from "@carillon/core";
import { type DataFolder, locateFiles, unusableFolder } from "./data-folder.ts";
import { makePrivateFile } from "./folder-permissions.ts";

/** Who uses a folder, as `carillon.pid` has it. */
export interface FolderHolder {
  readonly pid: number;
  readonly command: string;
  /** ISO 8601. */
  readonly startedAt: string;
}

type LockFiles = Pick<DataFolder, "path" | "lock" | "holder">;

/** A data folder that is kept for one user. */
export interface FolderLock {
  /** Idempotent. */
  release(): void;
}

/**
 * Keeps every store out of a folder that is there, without opening one.
 *
 * @throws CarillonError STORAGE_IN_USE, STORAGE_UNUSABLE
 */
export function holdDataFolder(path: string, now: EpochMs): FolderLock {
  const files = locateFiles(path);
  try {
    makePrivateFile(files.lock);
  } catch (cause) {
    throw unusableFolder(files.path, cause);
  }
  return lockFolder(files, now);
}

/** @throws CarillonError STORAGE_IN_USE, STORAGE_UNUSABLE */
export function lockFolder(folder: LockFiles, now: EpochMs): FolderLock {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(folder.lock, { timeout: 0 });
    db.exec("BEGIN EXCLUSIVE");
    const holder: FolderHolder = {
      pid: process.pid,
      command: describeCommand(process.argv),
      startedAt: new Date(now).toISOString(),
    };
    writeFileSync(folder.holder, `${JSON.stringify(holder)}\n`, {
      mode: 0o600,
    });
  } catch (cause) {
    db?.close();
    if (isBusy(cause)) throw inUse(folder);
    // A full disk may have left it empty.
    rmSync(folder.holder, { force: true });
    throw unusableFolder(folder.path, cause);
  }
  const held = db;
  return {
    release() {
      if (!held.isOpen) return;
      // The name goes first: nobody may find it beside a free lock.
      rmSync(folder.holder, { force: true });
      held.close();
    },
  };
}

function inUse(folder: LockFiles): CarillonError {
  const holder = readHolder(folder);
  const name = holder
    ? `process ${holder.pid} (${holder.command}, since ${holder.startedAt})`
    : "another process";
  return new CarillonError(
    "STORAGE_IN_USE",
    `The data folder ${folder.path} is in use by ${name}: stop that process, or choose another folder.`,
  );
}

function readHolder(folder: LockFiles): FolderHolder | undefined {
  try {
    const holder: unknown = JSON.parse(readFileSync(folder.holder, "utf8"));
    return isHolder(holder) ? holder : undefined;
  } catch {
    // The holder has not written its name yet, or is just removing it.
    return undefined;
  }
}

function isHolder(value: unknown): value is FolderHolder {
  const holder = value as Partial<FolderHolder> | null;
  return (
    typeof holder?.pid === "number" &&
    typeof holder.command === "string" &&
    typeof holder.startedAt === "string"
  );
}

/** Program and subcommand only: options may carry secrets. */
function describeCommand([, program = "node", subcommand]: string[]): string {
  const name = basename(program);
  const isWord = subcommand !== undefined && /^[a-z]+$/.test(subcommand);
  return isWord ? `${name} ${subcommand}` : name;
}

/** SQLITE_BUSY, in any of its extended forms. */
function isBusy(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode !== undefined && (errcode & 0xff) === 5;
}
