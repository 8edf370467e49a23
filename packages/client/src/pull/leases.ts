/** Ends and lengthens leases; repeated until the server has answered. */

import { sleep } from "../abort.ts";
import type { Api } from "../api.ts";
import {
  backoffMs,
  type FollowTiming,
  findRetryAfter,
  mayPass,
} from "../followed-stream.ts";
import { findTexts } from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** How leases are ended and lengthened. */
export interface SettleOptions extends RequestOptions {
  /**
   * How long the request is repeated while the server cannot be reached. Default
   * 60,000, as long as a lease by default: behind that it would be stale. 0: once.
   */
  readonly repeatForMs?: number | undefined;
}

/** How messages are given back. */
export interface NackOptions extends SettleOptions {
  /** They come again after so long: at most 12 hours. Default 0. */
  readonly delayMs?: number | undefined;
}

/** What came of an ack, a nack or an extend: ids of leases, as they were given. */
export interface SettledLeases {
  readonly settled: readonly string[];
  /**
   * Their lease had ended, or there was none: what was handled may come again. So
   * answers the server too when it had carried out a nack whose answer was lost; an
   * ack that it had carried out is settled.
   */
  readonly stale: readonly string[];
}

/** A lease by its id, or the message that has it. */
export type LeaseReference = string | { readonly leaseId: string };

/** Settles the leases of one mailbox. */
export interface Leases {
  /** They were handled, and do not come again. */
  ack(
    leases: readonly LeaseReference[],
    options?: SettleOptions,
  ): Promise<SettledLeases>;
  /** They were not handled, and come again. */
  nack(
    leases: readonly LeaseReference[],
    options?: NackOptions,
  ): Promise<SettledLeases>;
  /** The leases end so many seconds from now: 5 to 43,200. */
  extend(
    leases: readonly LeaseReference[],
    seconds: number,
    options?: SettleOptions,
  ): Promise<SettledLeases>;
}

/** Of one request. */
const maxLeaseIds = 1000;

/** Leases run meanwhile. */
const maxDelayMs = 5000;

export function createLeases(
  api: Api,
  /** Of the mailbox, as in `/subscriptions/{mailbox}`. */
  mailbox: string,
  timing: Pick<FollowTiming, "baseDelayMs" | "random">,
): Leases {
  const settle = async (
    action: "ack" | "nack" | "extend",
    leases: readonly LeaseReference[],
    fields: object,
    { repeatForMs = 60_000, ...options }: SettleOptions = {},
  ): Promise<SettledLeases> => {
    const path = ["subscriptions", mailbox, `messages:${action}`];
    const settled: string[] = [];
    const stale: string[] = [];
    for (let at = 0; at < leases.length; at += maxLeaseIds) {
      const leaseIds = leases
        .slice(at, at + maxLeaseIds)
        .map((lease) => (typeof lease === "string" ? lease : lease.leaseId));
      const body = { leaseIds, ...fields };
      const answer = await repeat(
        () => api({ method: "POST", path, body, isIdempotent: true }, options),
        timing,
        { repeatForMs, signal: options.signal },
      );
      const ended = new Set(findTexts(answer.body, "stale"));
      for (const id of leaseIds) (ended.has(id) ? stale : settled).push(id);
    }
    return { settled, stale };
  };
  return {
    ack: (leases, options) => settle("ack", leases, {}, options),
    nack: (leases, { delayMs, ...options } = {}) =>
      settle("nack", leases, { delayMs }, options),
    extend: (leases, seconds, options) =>
      settle("extend", leases, { seconds }, options),
  };
}

/**
 * Beyond the retries of every request, so that a consumer outlives a restart of the
 * server with the messages that it has.
 */
async function repeat<T>(
  run: () => Promise<T>,
  timing: Pick<FollowTiming, "baseDelayMs" | "random">,
  {
    repeatForMs,
    signal,
  }: { repeatForMs: number; signal: AbortSignal | undefined },
): Promise<T> {
  const startedAt = performance.now();
  for (let failures = 0; ; failures++) {
    try {
      return await run();
    } catch (error) {
      const delayMs = Math.max(
        findRetryAfter(error),
        backoffMs(failures, { ...timing, maxDelayMs }),
      );
      const waitedMs = performance.now() - startedAt;
      if (!mayPass(error) || waitedMs + delayMs > repeatForMs) throw error;
      await sleep(delayMs, signal);
    }
  }
}
