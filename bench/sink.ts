/** The webhook receiver of the benchmarks: see `sink-program.ts`. */

import { type Child, startProgram } from "./processes.ts";
import { untilDone } from "./watchdog.ts";

export interface SinkOptions {
  /** Keeps each arrival. */
  readonly record?: boolean;
  /** Notifications at this path are answered after so long. */
  readonly hang?: { readonly path: string; readonly ms: number };
}

export type SinkQuestion =
  | { readonly kind: "reset"; readonly options: SinkOptions }
  | { readonly kind: "state" }
  | { readonly kind: "arrivals" };

/** Counted since the last reset. Instants are monotonic milliseconds. */
export interface SinkState {
  readonly deliveries: number;
  /** Different messages among them. */
  readonly messages: number;
  readonly confirmed: number;
  /** First byte of the last delivery. */
  readonly lastAt: number;
  readonly lastConfirmedAt: number;
}

export interface Arrival {
  readonly messageId: string;
  readonly path: string;
  /** Of its first byte; monotonic milliseconds. */
  readonly at: number;
}

export interface Sink extends Child {
  /** Counts from 0. */
  reset(options?: SinkOptions): Promise<void>;
  state(): Promise<SinkState>;
  arrivals(): Promise<readonly Arrival[]>;
  /**
   * Waits until a count is reached.
   *
   * @throws Error when nothing moved for long
   */
  until(
    count: "deliveries" | "messages" | "confirmed",
    least: number,
  ): Promise<SinkState>;
}

export async function startSink(): Promise<Sink> {
  const program = await startProgram("sink-program.ts");
  const ask = <Answer>(question: SinkQuestion) => program.ask<Answer>(question);
  const state = () => ask<SinkState>({ kind: "state" });
  return {
    ...program,
    async reset(options = {}) {
      await ask({ kind: "reset", options });
    },
    state,
    arrivals: () => ask({ kind: "arrivals" }),
    until: (count, least) =>
      untilDone(
        `${least} ${count}`,
        state,
        (seen) => seen[count] >= least,
        (seen) => seen[count],
      ),
  };
}
