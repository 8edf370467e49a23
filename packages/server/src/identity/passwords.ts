/**
 * Passwords at rest: Argon2id (RFC 9106) with its parameters beside the hash,
 * so that they can be raised without invalidating what is stored.
 */

import { argon2, randomBytes, timingSafeEqual } from "node:crypto";
import { ConcurrencyLimit } from "@carillon/core";

export interface Argon2Parameters {
  /** KiB of memory. */
  readonly memory: number;
  readonly passes: number;
  /** Lanes that may be computed at once. */
  readonly parallelism: number;
}

/**
 * For passwords that people choose: the least that OWASP's Password Storage
 * Cheat Sheet names for Argon2id, about 60 ms and 19 MiB.
 */
export const chosenPasswordParameters: Argon2Parameters = {
  memory: 19 * 1024,
  passes: 2,
  parallelism: 1,
};

/**
 * For passwords of more than 128 random bits, which nobody guesses however
 * cheap a guess is: a first start need not wait for them.
 */
export const generatedPasswordParameters: Argon2Parameters = {
  memory: 64,
  passes: 1,
  parallelism: 1,
};

const saltBytes = 16;
const hashBytes = 32;

/**
 * Where all passwords of a process are hashed, first come, first served. A hash
 * takes a thread of Node's pool of four for its time: others need some, too.
 */
export function createHashLimit(): ConcurrencyLimit {
  return new ConcurrencyLimit({ max: 2 });
}

/**
 * Answers the hash, once it is its turn, in the form of the Password Hashing Competition:
 * `$argon2id$v=19$m=…,t=…,p=…$salt$hash`, salt and hash in base64 without
 * padding.
 */
export async function hashPassword(
  hashes: ConcurrencyLimit,
  password: string,
  parameters: Argon2Parameters = chosenPasswordParameters,
): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await hashes.run(() => derive(password, salt, parameters));
  const { memory, passes, parallelism } = parameters;
  return `$argon2id$v=19$m=${memory},t=${passes},p=${parallelism}$${toBase64(salt)}$${toBase64(hash)}`;
}

/** Whether a stored hash can be read; if not, no password is right. */
export function isPasswordHash(stored: string): boolean {
  return parseStored(stored) !== undefined;
}

/**
 * Whether the password is the stored one. Takes as long for a wrong password,
 * for one that was made up, for a hash that cannot be read and, `undefined`,
 * for a user that does not exist. To be run within the limit of hashes.
 */
export async function verifyPassword(
  password: string,
  stored: string | undefined,
): Promise<boolean> {
  const known = stored === undefined ? undefined : parseStored(stored);
  const { parameters, salt, hash } = known ?? absent;
  const derived = await derive(password, salt, parameters);
  if (costOf(parameters) < costOf(absent.parameters)) {
    await derive(password, absent.salt, absent.parameters);
  }
  return timingSafeEqual(derived, hash) && known !== undefined;
}

/**
 * Whether the password is the stored one, in the time that its own parameters
 * take: for a password that is here already, not one that a caller tries.
 */
export async function isPasswordOf(
  password: string,
  stored: string,
): Promise<boolean> {
  const known = parseStored(stored);
  if (!known) return false;
  const { parameters, salt, hash } = known;
  return timingSafeEqual(await derive(password, salt, parameters), hash);
}

interface StoredPassword {
  readonly parameters: Argon2Parameters;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const absent: StoredPassword = {
  parameters: chosenPasswordParameters,
  salt: Buffer.alloc(saltBytes),
  hash: Buffer.alloc(hashBytes),
};

const storedPattern =
  /^\$argon2id\$v=19\$m=(\d{1,7}),t=(\d{1,3}),p=(\d{1,2})\$([A-Za-z0-9+/]+)\$([A-Za-z0-9+/]+)$/;

function parseStored(stored: string): StoredPassword | undefined {
  const [, memory, passes, parallelism, salt = "", hash = ""] =
    storedPattern.exec(stored) ?? [];
  const parameters = {
    memory: Number(memory),
    passes: Number(passes),
    parallelism: Number(parallelism),
  };
  const known = {
    parameters,
    salt: Buffer.from(salt, "base64"),
    hash: Buffer.from(hash, "base64"),
  };
  // What RFC 9106 §3.1 demands, and the length that is written here.
  const isUsable =
    parameters.parallelism >= 1 &&
    parameters.memory >= 8 * parameters.parallelism &&
    parameters.passes >= 1 &&
    known.salt.length >= 8 &&
    known.hash.length === hashBytes;
  return isUsable ? known : undefined;
}

function costOf({ memory, passes }: Argon2Parameters): number {
  return memory * passes;
}

function toBase64(bytes: Buffer): string {
  return bytes.toString("base64").replaceAll("=", "");
}

function derive(
  password: string,
  salt: Buffer,
  parameters: Argon2Parameters,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    argon2(
      "argon2id",
      { ...parameters, message: password, nonce: salt, tagLength: hashBytes },
      (error, key) => (error ? reject(error) : resolve(key)),
    );
  });
}
