/**
 * The key that secrets in the store are encrypted under. It lies beside the
 * database, not in it, so that a copy of the database alone shows no secrets.
 */

import { randomBytes } from "node:crypto";
import { link, open, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { CarillonError } from "@carillon/core";

export const keyFileName = "secret.key";

const keyBytes = 32;

/**
 * Reads the key, or makes it at the first start (mode 0600).
 *
 * @throws CarillonError STORAGE_UNUSABLE when the file is no key
 */
export async function readKeyFile(folder: string): Promise<Uint8Array> {
  const path = join(folder, keyFileName);
  try {
    return checkKey(path, await readFile(path));
  } catch (error) {
    if (!hasCode(error, "ENOENT")) throw error;
  }
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
    // Another start was quicker; its key is the one.
    if (!hasCode(error, "EEXIST")) throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  return checkKey(path, await readFile(path));
}

function checkKey(path: string, key: Uint8Array): Uint8Array {
  if (key.length === keyBytes) return key;
  throw new CarillonError(
    "STORAGE_UNUSABLE",
    `${path} holds ${key.length} bytes instead of a key of ${keyBytes}: put the right file back from a backup; secrets in the database cannot be read without it.`,
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && "code" in error && error.code === code;
}
