/**
 * `credentials.json` in the data folder: what the first start made up, for
 * the owner and for command-line clients on the same machine. The store is
 * the truth; the file is a copy that may be deleted once it was read.
 */

import { randomBytes } from "node:crypto";
import { open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { CarillonError } from "@carillon/core";
import type { Static } from "typebox";
import { Check } from "typebox/schema";
import { Type } from "./json-schema.ts";

const credentialsSchema = Type.Object({
  /** Where the server answered this machine last; empty: it never listened. */
  url: Type.String(),
  /** Where it is reached from elsewhere, if the configuration says so. */
  publicUrl: Type.Optional(Type.String()),
  region: Type.String(),
  /** Name of the domain of project and user. */
  domain: Type.String(),
  project: Type.Object({ id: Type.String(), name: Type.String() }),
  user: Type.Object({
    name: Type.String(),
    /** Absent when only its hash is known. */
    password: Type.Optional(Type.String()),
  }),
  /** Absent when it was deleted. */
  accessKey: Type.Optional(Type.String()),
  /** Absent while the access key is disabled. */
  secretKey: Type.Optional(Type.String()),
  /** Stands in the path of provider webhooks. */
  receiverSecret: Type.String(),
});

/** The content of `credentials.json`: what a client needs, secrets included. */
export type Credentials = Readonly<Static<typeof credentialsSchema>>;

/** Name of the file in the data folder. */
export const credentialsFileName = "credentials.json";

/**
 * Writes the file, readable by its owner only. A crash leaves the old file or
 * the new one, never a part.
 */
export async function writeCredentialsFile(
  folder: string,
  credentials: Credentials,
): Promise<void> {
  const path = join(folder, credentialsFileName);
  const text = JSON.stringify(credentials, undefined, 2);
  const temporary = `${path}.${randomBytes(4).toString("hex")}`;
  try {
    // The mode is set before there is content: nobody else ever reads it.
    const file = await open(temporary, "wx", 0o600);
    try {
      await file.chmod(0o600);
      await file.writeFile(`${text}\n`);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Reads the file; `undefined` when there is none.
 *
 * @throws CarillonError STORAGE_UNUSABLE when it is there but cannot be used
 */
export async function readCredentialsFile(
  folder: string,
): Promise<Credentials | undefined> {
  const path = join(folder, credentialsFileName);
  let content: unknown;
  try {
    content = JSON.parse(await readFile(path, "utf8"));
  } catch (cause) {
    if (isAbsent(cause)) return undefined;
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      `${path} cannot be read (${cause instanceof Error ? cause.message : cause}): restore it, or delete it.`,
      { cause },
    );
  }
  if (Check(credentialsSchema, content)) return content;
  throw new CarillonError(
    "STORAGE_UNUSABLE",
    `${path} does not hold all credentials: restore it, or delete it.`,
  );
}

function isAbsent(error: unknown): boolean {
  const code = error instanceof Error && "code" in error && error.code;
  return code === "ENOENT" || code === "ENOTDIR";
}
