/** Load on a server, made by a process of its own. */

import { output } from "./processes.ts";

/**
 * In `path` and `body`, `{n}` becomes the number of the request and `{address}`
 * the receiver's address of that number.
 */
export interface LoadRequest {
  readonly port: number;
  /** Default POST. */
  readonly method?: "GET" | "POST";
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly connections: number;
  /** One of the two ends the load. */
  readonly seconds?: number;
  readonly requests?: number;
  /** Number of the first request. Default 0. */
  readonly firstNumber?: number;
  /** After so many the numbers begin again. Default: never. */
  readonly numbers?: number;
  /** From the start of one request to that of the next. Default 0. */
  readonly intervalMs?: number;
  /** Keeps times and message ids, in the order of the answers. */
  readonly record?: boolean;
  /** One request at a time: the next when the sink has what came of it. */
  readonly awaitArrivals?: { readonly port: number };
}

export interface LoadResult {
  readonly answers: number;
  readonly perSecond: number;
  readonly notOk: number;
  readonly firstRefusal: string;
  /** Milliseconds; empty unless recorded. */
  readonly latencies: readonly number[];
  /** Monotonic milliseconds. */
  readonly begunAt: number;
  /**
   * Of each request, just before its first byte was written; monotonic
   * milliseconds. Empty unless recorded, as are the ids.
   */
  readonly sentAt: readonly number[];
  /** Of the messages that were accepted, in the same order. */
  readonly messageIds: readonly string[];
}

/**
 * Runs a load and answers what it measured.
 *
 * @throws Error when an answer is no 2xx, and when none came for long
 */
export async function runLoad(request: LoadRequest): Promise<LoadResult> {
  const text = await output("load-program.ts", request);
  // The program says in its types that it prints this.
  const result = JSON.parse(text) as LoadResult;
  if (result.notOk > 0) {
    throw new Error(
      `${result.notOk} of ${result.answers} answers were no 2xx: ${result.firstRefusal}`,
    );
  }
  return result;
}
