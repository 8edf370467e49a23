/**
 * The audit log: who logged in, and who changed what others depend on. Refused
 * log-ins are counted and written together, so that a flood of wrong passwords
 * is no flood of writes.
 */

import type {
  AuditStore,
  Clock,
  EpochMs,
  Logger,
  NewAuditEntry,
  Timer,
} from "@carillon/core";
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

export interface AuditLog extends AsyncDisposable {
  /** Written once it resolves; a failure is logged and is no failure here. */
  noteLogin(principal: Principal, request: AuditedRequest): Promise<void>;
  /** Written within a minute, with others alike. */
  noteRefusedLogin(refused: RefusedLogin): void;
  /** As {@link noteLogin}. */
  noteChange(
    principal: Principal,
    change: { readonly action: string; readonly target: string },
    request: AuditedRequest,
  ): Promise<void>;
  /** Writes what was counted. */
  flush(): Promise<void>;
}

const flushIntervalMs = 60_000;
/** Kinds of refused log-ins written each time; the rest is one entry. */
const maxKinds = 20;

export function createAuditLog(ports: {
  readonly store: Pick<AuditStore, "addAuditEntry">;
  readonly clock: Clock;
  readonly logger: Logger;
}): AuditLog {
  const { store, clock, logger } = ports;
  const refused = new Map<string, RefusedLogin & Count>();
  let others: Count | undefined;
  let timer: Timer | undefined;

  async function write(entry: NewAuditEntry): Promise<void> {
    try {
      await store.addAuditEntry(entry);
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
    timer?.cancel();
    timer = undefined;
    const counted = [...refused.values(), ...(others ? [others] : [])];
    refused.clear();
    others = undefined;
    for (const entry of counted) {
      await write({ ...entry, action: "login_refused" });
    }
  }

  return {
    noteLogin: (principal, request) =>
      write({
        ...describe(principal, request),
        at: clock.now(),
        action: "login",
        count: 1,
      }),
    noteRefusedLogin({ userName, userId, domainId, address }) {
      const at = clock.now();
      const key = JSON.stringify([userName, userId, domainId, address]);
      const known = refused.get(key);
      if (known || refused.size < maxKinds) {
        refused.set(key, {
          ...(userName !== undefined && { userName }),
          ...(userId !== undefined && { userId }),
          ...(domainId !== undefined && { domainId }),
          address,
          at,
          count: (known?.count ?? 0) + 1,
        });
      } else others = { at, count: (others?.count ?? 0) + 1 };
      timer ??= clock.setTimer(flushIntervalMs, () => void flush());
    },
    noteChange: (principal, { action, target }, request) =>
      write({
        ...describe(principal, request),
        at: clock.now(),
        action,
        count: 1,
        target,
      }),
    flush,
    [Symbol.asyncDispose]: flush,
  };
}

interface Count {
  readonly at: EpochMs;
  readonly count: number;
}

function describe(
  { userId, userName, domainId }: Principal,
  { id, address }: AuditedRequest,
) {
  return { userId, userName, domainId, address, requestId: id };
}
