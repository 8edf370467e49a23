/**
 * A line for each log-in that was refused, bounded: those of one user from one
 * address are counted after a few. Names are shown of users that there are;
 * what was typed in place of one may be a password.
 */

import { type Clock, type Logger, maskMailAddress } from "@carillon/core";
import type { LoginRefusal } from "../identity/login.ts";
import { LineLimit } from "./line-limit.ts";

export interface RefusedAttempt {
  readonly requestId: string;
  readonly address: string;
  /** `throttled`: there were too many, and it was not checked. */
  readonly reason: LoginRefusal | "throttled";
  /** Of a user that there is. */
  readonly userId?: string | undefined;
  readonly userName?: string | undefined;
}

export interface LoginLog extends Disposable {
  noteRefused(attempt: RefusedAttempt): void;
}

const limits = { ofOneKind: 5, inAll: 50, kinds: 20, intervalMs: 60_000 };

export function createLoginLog({
  logger,
  clock,
}: {
  readonly logger: Logger;
  readonly clock: Clock;
}): LoginLog {
  const lines = new LineLimit<RefusedAttempt>(
    clock,
    limits,
    ({ userName, ...attempt }, omitted) =>
      logger.warn("login_refused", {
        ...attempt,
        ...(userName !== undefined && { userName: maskName(userName) }),
        ...(omitted > 0 && { omitted }),
      }),
  );
  return {
    noteRefused(attempt) {
      const { userId, address, reason } = attempt;
      lines.add(JSON.stringify([userId, address, reason]), attempt);
    },
    [Symbol.dispose]: () => lines[Symbol.dispose](),
  };
}

/** Some are mail addresses. */
function maskName(name: string): string {
  return name.includes("@") ? maskMailAddress(name) : name;
}
