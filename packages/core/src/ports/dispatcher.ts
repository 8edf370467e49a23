/**
 * Spreads hints that there is work. A hint may be lost or come twice: the
 * store is the truth, and the sweeper finds work without a hint.
 */

import type { EpochMs } from "../time.ts";

/**
 * What kind of work there is. Nothing depends on a hint: it saves waiting for
 * the sweeper.
 */
export type WorkHint =
  /** Ranges of this message wait to be fanned out. */
  | { readonly kind: "ranges" }
  /** A delivery falls due at this instant. */
  | { readonly kind: "due"; readonly at: EpochMs };

/** Spreads hints that there is work, to all engines on the same store. */
export interface Dispatcher {
  /** Sends a hint to every listening engine, this one too. Never throws. */
  announce(hint: WorkHint): void;
  /** Calls `listener` for each hint until the answered function is called. */
  listen(listener: (hint: WorkHint) => void): () => void;
  close(): Promise<void>;
}
