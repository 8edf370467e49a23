/** Polls again and again. */

import { sleep } from "../abort.ts";
import {
  AccountError,
  InvalidCredentialsError,
  InvalidOptionsError,
} from "../errors.ts";
import type { FollowOptions } from "../followed-stream.ts";
import type { Message } from "./message.ts";

/** How often, and for how long. */
export interface PollOptions extends FollowOptions {
  /**
   * From the beginning of one poll to that of the next, or longer where handling
   * takes longer. Default 10,000, which such services ask for.
   */
  readonly pollEveryMs?: number | undefined;
}

/** What is called with each poll's messages. */
export interface CallbackOptions {
  /** The next poll is made when what it answers is settled. */
  readonly callback: (messages: readonly Message[]) => unknown;
}

/** Polling in the background. */
export interface Polling {
  readonly name: string;
  /**
   * No further poll begins. Settles as `ended` does, when the callback that runs
   * is done.
   */
  stop(): Promise<void>;
  /**
   * Resolves once it was stopped; rejects with what ended it otherwise. Nobody need
   * wait for it: the rejection alone does not end the program.
   */
  readonly ended: Promise<void>;
}

/**
 * The messages of each poll. After the first one, failures that may pass are
 * waited out: no answer, 429 and the 5xx that proxies give. Others end it.
 */
export async function* polls(
  poll: (signal: AbortSignal | undefined) => Promise<readonly Message[]>,
  { pollEveryMs = 10_000, signal, onConnection }: PollOptions,
  { keepsAlive = true }: { readonly keepsAlive?: boolean } = {},
): AsyncGenerator<readonly Message[], never, undefined> {
  if (!(pollEveryMs >= 0 && pollEveryMs <= longestPollEveryMs)) {
    throw new InvalidOptionsError(
      `Expected pollEveryMs to be 0 to ${longestPollEveryMs}, got ${pollEveryMs}.`,
    );
  }
  let hasBegun = false;
  let isLost = false;
  for (;;) {
    signal?.throwIfAborted();
    const startedAt = performance.now();
    let messages: readonly Message[] | undefined;
    try {
      messages = await poll(signal);
    } catch (error) {
      if (!hasBegun || !mayPass(error)) throw error;
    }
    hasBegun = true;
    if (isLost !== (messages === undefined)) {
      isLost = !isLost;
      onConnection?.(isLost ? "lost" : "restored");
    }
    if (messages !== undefined) yield messages;
    const elapsedMs = performance.now() - startedAt;
    // Not less than a turn of the event loop, which may have other things to do.
    await sleep(Math.max(0, pollEveryMs - elapsedMs), signal, { keepsAlive });
  }
}

/** What timers can do. */
const longestPollEveryMs = 2 ** 31 - 1;

const passingStatuses: ReadonlySet<number | undefined> = new Set([
  undefined,
  429,
  502,
  503,
  504,
]);

function mayPass(error: unknown): boolean {
  return (
    error instanceof AccountError &&
    !(error instanceof InvalidCredentialsError) &&
    passingStatuses.has(error.status)
  );
}
