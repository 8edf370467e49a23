/**
 * Passwords at rest: scrypt (RFC 7914) with its parameters beside the hash,
 * so that they can be raised without invalidating what is stored.
 */

import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";

export interface ScryptParameters {
  /** Cost: a power of two. */
  readonly n: number;
  readonly r: number;
  readonly p: number;
}

/**
 * For passwords that people choose: about 60 ms and 32 MB. Twice as dear as
 * scrypt's own proposal for log-ins, and still quick enough for a start.
 */
export const defaultScryptParameters: ScryptParameters = {
  n: 2 ** 15,
  r: 8,
  p: 1,
};

/**
 * For passwords of more than 128 random bits, which nobody guesses however
 * cheap a guess is: a first start need not wait for them.
 */
export const generatedScryptParameters: ScryptParameters = {
  n: 2 ** 12,
  r: 8,
  p: 1,
};

const saltBytes = 16;
const hashBytes = 32;

/** Answers `scrypt$N$r$p$salt$hash`, salt and hash in base64url. */
export async function hashPassword(
  password: string,
  parameters: ScryptParameters = defaultScryptParameters,
): Promise<string> {
  const salt = randomBytes(saltBytes);
  const hash = await derive(password, salt, parameters);
  const { n, r, p } = parameters;
  return `scrypt$${n}$${r}$${p}$${salt.toString("base64url")}$${hash.toString("base64url")}`;
}

/**
 * Whether the password is the stored one. `undefined`, for a user that does
 * not exist, takes as long as a wrong password.
 */
export async function verifyPassword(
  password: string,
  stored: string | undefined,
): Promise<boolean> {
  const known = stored === undefined ? undefined : parseStored(stored);
  const { parameters, salt, hash } = known ?? absent;
  const derived = await derive(password, salt, parameters);
  return timingSafeEqual(derived, hash) && known !== undefined;
}

interface StoredPassword {
  readonly parameters: ScryptParameters;
  readonly salt: Buffer;
  readonly hash: Buffer;
}

const absent: StoredPassword = {
  parameters: defaultScryptParameters,
  salt: Buffer.alloc(saltBytes),
  hash: Buffer.alloc(hashBytes),
};

function parseStored(stored: string): StoredPassword | undefined {
  const [scheme, n, r, p, salt, hash, ...rest] = stored.split("$");
  if (scheme !== "scrypt" || !salt || !hash || rest.length > 0) {
    return undefined;
  }
  const parameters = { n: Number(n), r: Number(r), p: Number(p) };
  const hashBuffer = Buffer.from(hash, "base64url");
  if (hashBuffer.length !== hashBytes) return undefined;
  return {
    parameters,
    salt: Buffer.from(salt, "base64url"),
    hash: hashBuffer,
  };
}

function derive(
  password: string,
  salt: Buffer,
  { n, r, p }: ScryptParameters,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(
      password,
      salt,
      hashBytes,
      // Node refuses what needs more than 32 MB unless `maxmem` says so.
      { N: n, r, p, maxmem: 128 * r * (n + p + 2) },
      (error, key) => (error ? reject(error) : resolve(key)),
    );
  });
}
