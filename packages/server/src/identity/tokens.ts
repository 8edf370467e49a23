/**
 * Tokens: 256 random bits, known to their holder only. The store keeps the
 * SHA-256 of a token, and so does the cache: a lookup then takes a time that
 * says nothing about any token that exists.
 */

import { hash, randomBytes } from "node:crypto";
import {
  addMs,
  type Clock,
  type EpochMs,
  type IdentityStore,
  type Logger,
  type ProjectId,
  type TokenRecord,
} from "@carillon/core";
import { CredentialCache } from "./credential-cache.ts";
import type { Directory } from "./directory.ts";
import type { Principal } from "./principal.ts";

/** How long a token is good, in milliseconds (24 h). */
export const tokenLifetimeMs = 24 * 3_600_000;

export interface NewToken {
  readonly userId: string;
  /** Without either: unscoped. */
  readonly projectId?: ProjectId | undefined;
  readonly domainId?: string | undefined;
  readonly methods: readonly string[];
  /** What it was got with, if it was a token: it expires and ends with that. */
  readonly from?: TokenSession | undefined;
}

/** What a valid token stands for. */
export interface TokenSession {
  readonly principal: Principal;
  readonly methods: readonly string[];
  readonly issuedAt: EpochMs;
  readonly expiresAt: EpochMs;
  /** Of the token that a password got: this one, or the one it goes back to. */
  readonly firstHash: string;
}

export interface Tokens {
  issue(token: NewToken): Promise<string>;
  /** At once when it is cached; `undefined` when it is not valid. */
  find(
    token: string,
  ): TokenSession | undefined | Promise<TokenSession | undefined>;
  /** Whether the store has the token now, whatever is cached. */
  isStored(token: string): Promise<boolean>;
  /**
   * With those that were got with it, if a password got it; one of these ends
   * alone. Unknown tokens are fine.
   */
  revoke(token: string): Promise<void>;
  /** Asks the store anew from now on. */
  invalidate(): void;
  /** The same for a token, by its hash, and those that were got with it. */
  invalidateToken(hash: string): void;
}

/** Of those got with one token the oldest give way. */
const maxOfFirst = 1000;

const pruneIntervalMs = 3_600_000;

export function createTokens(ports: {
  readonly store: Pick<
    IdentityStore,
    "putToken" | "findToken" | "deleteToken" | "deleteExpiredTokens"
  >;
  readonly directory: Directory;
  readonly clock: Clock;
  readonly logger: Logger;
}): Tokens {
  const { store, directory, clock, logger } = ports;
  const sessions = new CredentialCache<TokenSession>({
    clock,
    maxEntries: 10_000,
    maxAgeMs: 60_000,
  });
  let prunedAt = 0;

  /** Removes expired tokens now and then, while others are issued. */
  function prune(now: EpochMs): void {
    if (now - prunedAt < pruneIntervalMs) return;
    prunedAt = now;
    store.deleteExpiredTokens(now).then(
      (count) => logger.debug("tokens_pruned", { count }),
      (error) => logger.warn("tokens_not_pruned", { error }),
    );
  }

  async function load(
    key: string,
    now: EpochMs,
  ): Promise<TokenSession | undefined> {
    const record = await store.findToken(key);
    if (!record || record.expiresAt <= now) return undefined;
    const principal = await directory.toPrincipal(record.userId, record);
    if (!principal) return undefined;
    return {
      principal,
      methods: record.methods,
      issuedAt: record.issuedAt,
      expiresAt: record.expiresAt,
      firstHash: record.firstHash ?? key,
    };
  }

  function invalidateToken(hash: string): void {
    sessions.invalidateWhere(
      (known, { firstHash }) => known === hash || firstHash === hash,
    );
  }

  return {
    async issue({ userId, projectId, domainId, methods, from }) {
      const now = clock.now();
      prune(now);
      const token = randomBytes(32).toString("base64url");
      const record: TokenRecord = {
        hash: hashToken(token),
        userId,
        ...(projectId !== undefined && { projectId }),
        ...(domainId !== undefined && { domainId }),
        methods,
        issuedAt: now,
        expiresAt: from?.expiresAt ?? addMs(now, tokenLifetimeMs),
        ...(from && { firstHash: from.firstHash }),
      };
      await store.putToken(record, maxOfFirst);
      return token;
    },
    find(token) {
      if (!isTokenShaped(token)) return undefined;
      const key = hashToken(token);
      const now = clock.now();
      const session = sessions.find(key, () => load(key, now));
      if (session === undefined || session instanceof Promise) return session;
      return session.expiresAt > now ? session : undefined;
    },
    isStored: async (token) =>
      (await store.findToken(hashToken(token))) !== undefined,
    async revoke(token) {
      const key = hashToken(token);
      try {
        await store.deleteToken(key);
      } finally {
        // Also after a failure: it may have been deleted all the same.
        invalidateToken(key);
      }
    },
    invalidate: () => sessions.invalidate(),
    invalidateToken,
  };
}

/** Spares the store a look-up of what cannot be a token. */
function isTokenShaped(token: string): boolean {
  return token.length === 43;
}

function hashToken(token: string): string {
  return hash("sha256", token, "hex");
}
