/**
 * Spreads hints among the engines on one store. A hint may be lost or come
 * twice: the store is the truth, and the sweeper finds work without a hint.
 */

import type { WorkKind } from "./work-store.ts";

/** Work that waits to be claimed. It saves waiting for the sweeper. */
export interface WorkHint {
  readonly kind: WorkKind;
  /** In so many milliseconds; 0: now. */
  readonly dueInMs: number;
  /** Of a range: the message whose audience it is of. */
  readonly messageSeq?: number;
}

/** A change that every engine must know of. */
export interface Notice {
  /** Work of an engine that is gone is free again. */
  readonly kind: "work_freed";
}

/** Is called with what one engine, or each, is to know. Never throws. */
export interface DispatchListener {
  /**
   * Answers whether it takes up the work; `false`: another engine had better.
   * Whoever is the last to be asked does so anyway once it has room.
   */
  onOffer(hint: WorkHint): boolean;
  onNotice(notice: Notice): void;
}

/** Spreads hints, also to the engine that sends them. */
export interface Dispatcher {
  /**
   * Offers work to one engine: to each that listens in turn, so that what is
   * offered piece by piece is shared out. Never throws.
   */
  offer(hint: WorkHint): void;
  /** Notifies every engine. Never throws. */
  broadcast(notice: Notice): void;
  /** Calls `listener` until the answered function is called. */
  listen(listener: DispatchListener): () => void;
  close(): Promise<void>;
}
