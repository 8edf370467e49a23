/**
 * Files of the secret key: 32 random bytes that secrets in the store are
 * encrypted under. It lies beside the database, not in it, so that a copy of the
 * database alone shows no secrets; or elsewhere, where several nodes read it.
 * Whether it is the store's is `secret-key.ts`'s affair.
 */

import { randomBytes } from "node:crypto";
import { link, open, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { CarillonError, type Logger } from "@carillon/core";

/** In the data folder. */
export const keyFileName = "secret.key";

const keyBytes = 32;

/**
 * The key of a data folder; `undefined` when it has none.
 *
 * @throws CarillonError STORAGE_UNUSABLE when the file is no key, or cannot be read
 */
export async function findKeyFile(
  folder: string,
): Promise<Uint8Array | undefined> {
  const path = join(folder, keyFileName);
  try {
    return await readKey(
      path,
      "put the right file back from a backup; secrets in the database cannot be read without it.",
    );
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/**
 * Makes the key of a data folder that has none (mode 0600). When another start
 * was quicker its key is the one.
 */
export async function makeKeyFile(folder: string): Promise<Uint8Array> {
  const path = join(folder, keyFileName);
  // Written whole under another name first: a crash leaves no half key.
  const temporary = `${path}.${randomBytes(4).toString("hex")}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(randomBytes(keyBytes));
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    // Unlike a rename, a link never replaces a key that is there.
    await link(temporary, path);
  } catch (error) {
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return await readFile(path);
}

/**
 * Reads the key file that the configuration names. It may be another's, and
 * mounted read-only: it is never made or written here.
 *
 * @throws CarillonError STORAGE_UNUSABLE when it is not there, is no key, or
 * cannot be read
 */
export async function readSharedKeyFile(
  path: string,
  logger: Logger,
): Promise<Uint8Array> {
  let key: Uint8Array;
  try {
    key = await readKey(
      path,
      "name the right file; Carillon does not change this one.",
    );
  } catch (error) {
    if (!isAbsent(error)) throw error;
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      `There is no secret key file ${path}: put the one of your other nodes there, or for a new store make one with "openssl rand -out ${path} ${keyBytes}" and "chmod 600 ${path}". Nothing was changed.`,
      { cause: error },
    );
  }
  const { mode } = await stat(path);
  if (mode & 0o007) {
    logger.warn("secret_key_open_to_others", {
      file: path,
      mode: (mode & 0o777).toString(8).padStart(4, "0"),
    });
  }
  return key;
}

/** @param advice ends the sentence on what is wrong with its content */
async function readKey(path: string, advice: string): Promise<Uint8Array> {
  const wrong = (problem: string, cause?: unknown) =>
    new CarillonError("STORAGE_UNUSABLE", `${path} ${problem}`, { cause });
  let bytes: Uint8Array;
  try {
    const found = await stat(path);
    // A device may have no end.
    if (!found.isFile()) {
      throw wrong(`is no file that could hold a key: ${advice}`);
    }
    if (found.size === 0) throw wrong(`is empty: ${advice}`);
    if (found.size !== keyBytes) {
      throw wrong(
        `holds ${found.size} bytes instead of a key of ${keyBytes}, which are kept as they are, without encoding or line end: ${advice}`,
      );
    }
    bytes = await readFile(path);
  } catch (error) {
    if (error instanceof CarillonError || isAbsent(error)) throw error;
    const code = error instanceof Error && "code" in error ? error.code : error;
    throw wrong(
      `cannot be read (${code}): let the user that runs Carillon read it.`,
      error,
    );
  }
  if (bytes.every((byte) => byte === bytes[0])) {
    throw wrong(
      `holds the same byte ${keyBytes} times, which is no key: ${advice}`,
    );
  }
  return bytes;
}

function isAbsent(error: unknown): boolean {
  return hasCode(error, "ENOENT") || hasCode(error, "ENOTDIR");
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
