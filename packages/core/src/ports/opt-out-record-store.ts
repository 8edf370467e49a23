import type { EpochMs } from "../time.ts";

/** Who does not want texts, and from whom. Of the gateway, not of a project. */
export interface OptOutRecordStore {
  /** All of a recipient. */
  findOptOuts(recipient: string): Promise<readonly OptOutRecord[]>;
  /** Adds it, or replaces the one of the same recipient and sender. */
  putOptOut(optOut: OptOutRecord): Promise<void>;
  /**
   * Removes the one of a recipient and sender (`undefined`: the one for all
   * senders). False when there was none.
   */
  removeOptOut(recipient: string, sender: string | undefined): Promise<boolean>;
  /** In the order of recipients and senders, starting behind `after`. */
  listOptOuts(page: {
    readonly limit: number;
    readonly after?: OptOutKey;
  }): Promise<readonly OptOutRecord[]>;
}

/** Whose texts are stopped: a recipient's, from one sender or from all. */
export interface OptOutKey {
  /** Digits only. */
  readonly recipient: string;
  /** Digits, or a name in capitals; absent: all senders. */
  readonly sender?: string;
}

/** A recipient who wants no more texts. */
export interface OptOutRecord extends OptOutKey {
  /** The word that was sent, or what else led to it. */
  readonly keyword: string;
  readonly at: EpochMs;
}
