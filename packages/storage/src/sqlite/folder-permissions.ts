/**
 * Who else may read the data folder: nobody. The umask, or a folder that was
 * there before, would have it otherwise, and messages, numbers and links that
 * act stand in it in the clear.
 */

import {
  chmodSync,
  closeSync,
  fchmodSync,
  lstatSync,
  openSync,
  readdirSync,
} from "node:fs";
import { join } from "node:path";

/** A file or folder that others than its owner have rights to. */
export interface OpenToOthers {
  readonly path: string;
  /** Octal, such as `0644`. */
  readonly mode: string;
}

const fileMode = 0o600;
const folderMode = 0o700;
/** Of the group and of all others. */
const othersMode = 0o077;
/** Set-user-id, set-group-id, sticky: of a folder with a meaning for others. */
const specialMode = 0o7000;

/** The folder, and what there is in it of ours, as far as others may use it. */
export function findOpenToOthers(folder: string): readonly OpenToOthers[] {
  // There modes do not say who may read.
  if (process.platform === "win32") return [];
  return [folder, ...listOurs(folder)]
    .map(modeOf)
    .filter((entry) => entry !== undefined)
    .filter(({ mode }) => (mode & othersMode) !== 0)
    .map(({ path, mode }) => ({ path, mode: toOctal(mode) }));
}

/** What was open to others, by whether it still is. */
export interface ClosedToOthers {
  /** With the modes of before. */
  readonly closed: readonly OpenToOthers[];
  readonly open: readonly OpenToOthers[];
}

/**
 * Takes the rights of others away. What stays open to them is what belongs to
 * another user, and a folder that holds more than our files, such as a home
 * folder, from which they may need something else.
 */
export function closeToOthers(folder: string): ClosedToOthers {
  const isOurs = holdsOnlyOurs(folder);
  const before = findOpenToOthers(folder);
  for (const { path } of before) {
    if (path === folder && !isOurs) continue;
    try {
      chmodSync(path, lstatSync(path).isDirectory() ? folderMode : fileMode);
    } catch {
      // It belongs to another user: it is among the answers.
    }
  }
  const open = findOpenToOthers(folder);
  const isOpen = new Set(open.map(({ path }) => path));
  return { closed: before.filter(({ path }) => !isOpen.has(path)), open };
}

/**
 * Makes an empty file for the owner alone, whatever the umask; one that is
 * there stays as it is, and is not opened: closing it would end the locks that
 * this process has on it.
 */
export function makePrivateFile(path: string): void {
  let file: number;
  try {
    file = openSync(path, "wx", fileMode);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return;
    throw error;
  }
  try {
    fchmodSync(file, fileMode);
  } finally {
    closeSync(file);
  }
}

const logFolder = "logs";

/**
 * The database with what SQLite puts beside it, the lock, keys and logs, and
 * the folders of a restore.
 */
const ourNames =
  /^(carillon\.(db|db-wal|db-shm|db-journal|pid)|lock\.db(-journal)?|secret\.key(\.[0-9a-f]+)?|credentials\.json(\.[0-9a-f]+)?|logs|restore\.(partial|moving)|before-restore-[0-9TZ.-]+)$/;
const logNames = /\.jsonl$/;

/** Full paths; without the folder itself. */
function listOurs(folder: string): string[] {
  const ours = namesIn(folder).filter((name) => ourNames.test(name));
  const logs = join(folder, logFolder);
  const logFiles = ours.includes(logFolder)
    ? namesIn(logs).filter((name) => logNames.test(name))
    : [];
  return [
    ...ours.map((name) => join(folder, name)),
    ...logFiles.map((name) => join(logs, name)),
  ];
}

function holdsOnlyOurs(folder: string): boolean {
  const entry = modeOf(folder);
  return (
    entry !== undefined &&
    (entry.mode & specialMode) === 0 &&
    namesIn(folder).every((name) => ourNames.test(name))
  );
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // It is not there, or it is no folder: opening it says so.
    return [];
  }
}

/** `undefined` for links: the rights to them are those to what they name. */
function modeOf(
  path: string,
): { readonly path: string; readonly mode: number } | undefined {
  const stat = lstatSync(path, { throwIfNoEntry: false });
  return stat && !stat.isSymbolicLink()
    ? { path, mode: stat.mode & 0o7777 }
    : undefined;
}

function toOctal(mode: number): string {
  return mode.toString(8).padStart(4, "0");
}
