/**
 * Follows a stream of server-sent events over broken connections: it is opened
 * again behind the last event that came, as often as need be, ever less often.
 */

import { sleep } from "./abort.ts";
import {
  ConnectionError,
  RequestTimeoutError,
  ResponseError,
  ServerError,
  ThrottledError,
} from "./errors.ts";
import { parseObject } from "./json.ts";
import { readServerSentEvents } from "./server-sent-events.ts";
import type { RequestOptions } from "./transport.ts";

/** How a connection is kept that may break. */
export interface FollowOptions extends Pick<RequestOptions, "signal"> {
  /**
   * Told that a connection broke or the server is gone, once, and once when
   * there is one again. An end that the server announced to renew the stream is
   * neither.
   */
  readonly onConnection?: ((state: "lost" | "restored") => void) | undefined;
}

export interface FollowedStream {
  /** Opens it behind the event of this id; the signal ends the body, too. */
  readonly open: (
    after: string | undefined,
    signal: AbortSignal,
  ) => Promise<Response>;
  /** Where it begins. Default: where the server has it begin. */
  readonly after?: string | undefined;
  /**
   * Told why the server ends the stream. What it throws ends the following;
   * `afresh`: what came before is not gone on behind.
   */
  readonly onEnd?: ((reason: string | undefined) => EndOfStream) | undefined;
}

/** An event with a name, and the id of the last one that had an id. */
export interface FollowedEvent {
  readonly event: string;
  readonly id: string;
  readonly data: string;
}

/** How it goes on: in a while, at once, or in a while and without a last event. */
export type EndOfStream = "later" | "at-once" | "afresh";

export interface FollowTiming {
  /** The server says something every 15 s. */
  readonly maxSilenceMs: number;
  /** Wait before the first further connection, doubled for each that fails. */
  readonly baseDelayMs: number;
  readonly maxDelayMs: number;
  /** Answers a number from 0 up to but not including 1. */
  readonly random: () => number;
}

export const defaultFollowTiming: FollowTiming = {
  maxSilenceMs: 45_000,
  baseDelayMs: 1000,
  maxDelayMs: 30_000,
  random: Math.random,
};

/**
 * The events that have a name, but for `end`. Rejects with what is wrong with the
 * first request, and with what will not pass; when the signal aborts, with its
 * reason.
 */
export async function* followStream(
  { open, after: start, onEnd }: FollowedStream,
  { signal, onConnection }: FollowOptions,
  timing: FollowTiming = defaultFollowTiming,
): AsyncGenerator<FollowedEvent, void, undefined> {
  let after = start;
  let failures = 0;
  let hasBegun = false;
  /** False: the last connection was renewed, and nothing has come since. */
  let mayRenew = true;
  let isLost = false;
  let callersError: unknown;
  /** What it throws is no broken connection, though it may be a TypeError. */
  const call = <T>(callback: () => T): T => {
    try {
      return callback();
    } catch (error) {
      callersError = error;
      throw error;
    }
  };
  const tell = (state: "lost" | "restored") => {
    isLost = state === "lost";
    call(() => onConnection?.(state));
  };
  for (;;) {
    signal?.throwIfAborted();
    // Ends the connection when the loop is left, or the server is silent.
    const connection = new AbortController();
    const leave = () => connection.abort(signal?.reason);
    signal?.addEventListener("abort", leave, { once: true });
    let next: EndOfStream = "later";
    let askedMs = 0;
    try {
      const response = await open(after, connection.signal);
      hasBegun = true;
      if (isLost) tell("restored");
      const silence = () => connection.abort(silent);
      for await (const { event, id, data } of readServerSentEvents(
        response,
        timing.maxSilenceMs,
        silence,
      )) {
        after = id ?? after;
        if (event === "end") {
          next = call(() => onEnd?.(endReason(data)) ?? "later");
          break;
        }
        failures = 0;
        if (event === undefined) continue;
        mayRenew = true;
        yield { event, id: after ?? "", data };
      }
    } catch (error) {
      signal?.throwIfAborted();
      // The first time it is for the caller to see: a wrong key, no server.
      if (error === callersError || !hasBegun) throw error;
      const isCut = connection.signal.aborted || isBroken(error);
      if (!isCut && !mayPass(error)) throw error;
      askedMs = findRetryAfter(error);
      failures++;
      if (!isLost) tell("lost");
    } finally {
      signal?.removeEventListener("abort", leave);
      connection.abort();
    }
    if (next === "afresh") after = start;
    if (next === "at-once" && mayRenew) {
      mayRenew = false;
      continue;
    }
    await sleep(Math.max(askedMs, backoffMs(failures, timing)), signal);
  }
}

const silent = new Error("The server was silent.");

/** Half of it is by chance: clients cut off together come back one by one. */
export function backoffMs(
  failures: number,
  {
    baseDelayMs,
    maxDelayMs,
    random,
  }: Pick<FollowTiming, "baseDelayMs" | "maxDelayMs" | "random">,
): number {
  const fullMs = Math.min(maxDelayMs, baseDelayMs * 2 ** failures);
  return (fullMs * (1 + random())) / 2;
}

/** Whether the same request may succeed later. */
export function mayPass(error: unknown): boolean {
  if (error instanceof ResponseError) {
    return error instanceof ServerError || error instanceof ThrottledError;
  }
  return (
    error instanceof ConnectionError || error instanceof RequestTimeoutError
  );
}

/** What a body that breaks off in the middle throws in all runtimes. */
function isBroken(error: unknown): boolean {
  return error instanceof TypeError;
}

/** What the service asks to wait, in milliseconds, at most a minute. */
export function findRetryAfter(error: unknown): number {
  const askedMs = error instanceof ResponseError ? error.retryAfterMs : 0;
  return Math.min(askedMs ?? 0, 60_000);
}

function endReason(data: string): string | undefined {
  const reason = parseObject(data)?.reason;
  return typeof reason === "string" ? reason : undefined;
}
