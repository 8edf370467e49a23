/** The wish of whoever runs a command that it stop, as one AbortSignal. */

import { constants } from "node:os";
import { CommandFailure } from "./command-failure.ts";

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Those that stop a server: SIGHUP has it read its configuration again. */
export const serverStopSignals = ["SIGINT", "SIGTERM"] as const;

type StopSignal = (typeof signals)[number];

/**
 * Ctrl-C under npm arrives twice: from the terminal, and passed on by each
 * process in between. Signals this close together count as one.
 */
const sameSignalMs = 400;

/** Until {@link stopSignal}: a signal ends the process with one sentence. */
export function endOnSignal(): void {
  for (const signal of signals) listen(signal, endAtOnce);
}

function endAtOnce(signal: NodeJS.Signals): never {
  process.stderr.write("Interrupted.\n");
  process.exit(128 + constants.signals[signal]);
}

/** Why {@link stopSignal} was aborted. */
export class Interruption extends CommandFailure {
  readonly signal: StopSignal;

  constructor(signal: StopSignal) {
    super("Interrupted.", 128 + constants.signals[signal]);
    this.signal = signal;
  }
}

/**
 * Aborted at the first signal, with an {@link Interruption} as its reason; a
 * second one, later than an echo of the first, ends the process at once. From
 * the call on a signal does no more than that: whatever waits takes this one.
 */
export function stopSignal(
  stopping: readonly StopSignal[] = signals,
): AbortSignal {
  const stop = new AbortController();
  let firstAt: number | undefined;
  for (const signal of stopping) {
    listen(signal, () => {
      const interruption = new Interruption(signal);
      const now = performance.now();
      if (firstAt === undefined) {
        firstAt = now;
        stop.abort(interruption);
      } else if (now - firstAt > sameSignalMs) {
        process.exit(interruption.exitCode);
      }
    });
  }
  return stop.signal;
}

/** Calls the listener at each SIGHUP, which then does no more than that. */
export function onHangUp(listener: () => void): void {
  listen("SIGHUP", listener);
}

/** In place of who listened before: the launcher, or {@link endOnSignal}. */
function listen(
  signal: NodeJS.Signals,
  listener: (signal: NodeJS.Signals) => void,
): void {
  const earlier = process.listeners(signal);
  process.on(signal, listener);
  // Afterwards: a signal that comes while nobody listens ends the process.
  for (const each of earlier) process.off(signal, each);
}
