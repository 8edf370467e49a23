/**
 * The audit log: who logged in, and who changed what others depend on. Refused
 * log-ins are counted and written together, so that a flood of wrong passwords
 * is no flood of writes; so is a change that somebody repeats.
 */

import { hash } from "node:crypto";
import {
  type AuditStore,
  type Clock,
  type EpochMs,
  type Logger,
  type NewAuditEntry,
  refusedLoginAction,
  type Timer,
  type User,
} from "@carillon/core";
import type { AuditAction } from "./audit-actions.ts";
import type { Principal } from "./principal.ts";

/** Where a request came from and what it was for. */
export interface AuditedRequest {
  readonly id: string;
  readonly address: string;
}

/**
 * A log-in whose user, password or scope was wrong. One that was throttled is
 * none: its password was not checked.
 */
export interface RefusedLogin {
  /** As {@link NewAuditEntry} has it, and so are the other members. */
  readonly userName?: string | undefined;
  readonly userId?: string | undefined;
  readonly domainId?: string | undefined;
  readonly address: string;
}

export interface AuditedChange {
  readonly action: AuditAction;
  /** The path of the request. */
  readonly target: string;
  /** As an entry has them. */
  readonly details?: Readonly<Record<string, string>> | undefined;
  /** The domain of what was changed. */
  readonly domainId: string;
  /**
   * All that is set, where it may be set again without an effect: those alike
   * in this too are counted together. It is not kept.
   */
  readonly sets?: string | undefined;
}

export interface AuditLog extends AsyncDisposable {
  /** Written once it resolves; a failure is logged and is no failure here. */
  noteLogin(principal: Principal, request: AuditedRequest): Promise<void>;
  /**
   * Written within a minute, with others alike.
   *
   * @param refused may still be looked up; {@link flush} waits for it
   */
  noteRefusedLogin(refused: RefusedLogin | Promise<RefusedLogin>): void;
  /**
   * As {@link noteLogin}; what is repeated is counted from the second time on,
   * and written within a minute.
   */
  noteChange(
    principal: Principal,
    change: AuditedChange,
    request: AuditedRequest,
  ): Promise<void>;
  /** An access key was made in the data folder, by nobody who logged in. */
  noteRecovery(recovery: {
    readonly user: Pick<User, "id" | "name" | "domainId">;
    readonly accessKey: string;
  }): Promise<void>;
  /** Writes what was counted. */
  flush(): Promise<void>;
}

const recoverAction: AuditAction = "operator.recover";
const flushIntervalMs = 60_000;
/** Kinds of refused log-ins of a domain that are told apart in a minute. */
const maxKinds = 20;
/** Changes of a minute whose repetitions are counted. */
const maxRepeatable = 1000;
/** Kept in all; see `surplusAuditEntries` for who gives way. */
const maxEntries = 100_000;

export function createAuditLog(ports: {
  readonly store: Pick<AuditStore, "addAuditEntry">;
  readonly clock: Clock;
  readonly logger: Logger;
}): AuditLog {
  const { store, clock, logger } = ports;
  /** By domain, and in it by what is alike. */
  const refused = new Map<string | undefined, Map<string, NewAuditEntry>>();
  /** By what is alike; `count` is of the repetitions that are not written yet. */
  const repeated = new Map<string, NewAuditEntry>();
  /** Refused log-ins that are being looked up. */
  const lookups = new Set<Promise<void>>();
  let timer: Timer | undefined;

  async function write(entry: NewAuditEntry): Promise<void> {
    try {
      await store.addAuditEntry(entry, maxEntries);
    } catch (error) {
      logger.error("audit_entry_lost", { ...entry, error });
    }
  }

  let flushed = Promise.resolve();

  /** After those under way, so that it ends once all is written. */
  function flush(): Promise<void> {
    flushed = flushed.then(writeCounted);
    return flushed;
  }

  async function writeCounted(): Promise<void> {
    await Promise.all(lookups);
    timer?.cancel();
    timer = undefined;
    const counted = [
      ...[...refused.values()].flatMap((kinds) => [...kinds.values()]),
      ...[...repeated.values()].filter(({ count }) => count > 0),
    ];
    refused.clear();
    repeated.clear();
    for (const entry of counted) await write(entry);
  }

  function flushSoon(): void {
    timer ??= clock.setTimer(flushIntervalMs, () => void flush());
  }

  function countRefused(login: RefusedLogin): void {
    const { userName, userId, domainId, address } = login;
    const kinds = refused.get(domainId) ?? new Map<string, NewAuditEntry>();
    refused.set(domainId, kinds);
    const kind = JSON.stringify([userName, userId, address]);
    const isToldApart = kinds.has(kind) || kinds.size < maxKinds;
    const key = isToldApart ? kind : "others";
    kinds.set(key, {
      ...(isToldApart && {
        ...(userName !== undefined && { userName }),
        ...(userId !== undefined && { userId }),
        address,
      }),
      ...(domainId !== undefined && { domainId }),
      action: refusedLoginAction,
      at: clock.now(),
      count: (kinds.get(key)?.count ?? 0) + 1,
    });
    flushSoon();
  }

  return {
    noteLogin: (principal, request) =>
      write({
        ...describe(principal, request, principal.domainId, clock.now()),
        action: "login",
        count: 1,
      }),
    noteRefusedLogin(login) {
      if (!(login instanceof Promise)) return countRefused(login);
      const lookup = login
        .then(countRefused, (error) =>
          logger.error("audit_entry_lost", {
            action: refusedLoginAction,
            error,
          }),
        )
        .finally(() => lookups.delete(lookup));
      lookups.add(lookup);
    },
    async noteChange(principal, change, request) {
      const { action, target, details, domainId, sets } = change;
      const entry = {
        ...describe(principal, request, domainId, clock.now()),
        action,
        target,
        ...(details && { details }),
      };
      if (sets === undefined) return await write({ ...entry, count: 1 });
      const key = JSON.stringify([
        principal.userId,
        action,
        target,
        request.address,
        digestOf(sets),
      ]);
      const known = repeated.get(key);
      if (known) {
        repeated.set(key, { ...entry, count: known.count + 1 });
        return;
      }
      if (repeated.size < maxRepeatable) {
        repeated.set(key, { ...entry, count: 0 });
        flushSoon();
      }
      await write({ ...entry, count: 1 });
    },
    noteRecovery: ({ user, accessKey }) =>
      write({
        at: clock.now(),
        action: recoverAction,
        count: 1,
        userId: user.id,
        userName: user.name,
        domainId: user.domainId,
        details: { accessKey },
      }),
    flush,
    [Symbol.asyncDispose]: flush,
  };
}

/** Short, however much is set. */
function digestOf(text: string): string {
  return hash("sha256", text, "base64url");
}

function describe(
  { userId, userName }: Principal,
  { id, address }: AuditedRequest,
  domainId: string,
  at: EpochMs,
) {
  return { userId, userName, domainId, address, requestId: id, at };
}
