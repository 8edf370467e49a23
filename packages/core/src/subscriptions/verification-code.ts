/**
 * Confirming by a short code in place of a link. A code alone is easily
 * guessed: its token names the endpoint too, and few wrong ones are taken.
 */

import type { EpochMs } from "../time.ts";

export const verificationCodePattern = /^\d{6}$/;

/** The token under which a code is kept. */
export function toCodeToken(
  code: string,
  topicSeq: number,
  endpoint: string,
): string {
  return `${code}@${topicSeq}@${endpoint}`;
}

/** The code within a token; `undefined` for the token of a link. */
export function verificationCodeOf(token: string): string | undefined {
  return /^(\d{6})@/.exec(token)?.[1];
}

const maxWrong = 5;
const windowMs = 3_600_000;
/** Endpoints whose wrong codes are counted; beyond it the oldest go. */
const maxEndpoints = 10_000;

/** Counts wrong codes per endpoint. */
export class CodeGuard {
  readonly #wrong = new Map<string, { count: number; since: EpochMs }>();

  /** Whether another code may be tried for the endpoint. */
  isOpen(key: string, now: EpochMs): boolean {
    const known = this.#wrong.get(key);
    if (known === undefined) return true;
    return known.count < maxWrong || now - known.since >= windowMs;
  }

  noteWrong(key: string, now: EpochMs): void {
    const known = this.#wrong.get(key);
    const isOver = known === undefined || now - known.since >= windowMs;
    this.#wrong.delete(key);
    this.#wrong.set(
      key,
      isOver ? { count: 1, since: now } : { ...known, count: known.count + 1 },
    );
    if (this.#wrong.size <= maxEndpoints) return;
    for (const oldest of this.#wrong.keys()) {
      this.#wrong.delete(oldest);
      break;
    }
  }
}
