import type { EpochMs } from "../time.ts";

/** Who did what: log-ins and changes of what others depend on. */
export interface AuditStore {
  /** Adds an entry; of all but the newest {@link maxAuditEntries} none is kept. */
  addAuditEntry(entry: NewAuditEntry): Promise<void>;
  /** Newest first, starting behind `before`. */
  listAuditEntries(
    filter: AuditFilter,
    page: { readonly limit: number; readonly before?: number | undefined },
  ): Promise<readonly AuditEntry[]>;
}

/** Older entries give way to newer ones. */
export const maxAuditEntries = 100_000;

/** One deed, or several alike within a minute. */
export interface AuditEntry {
  /** The store's own number; grows with time. */
  readonly seq: number;
  /** Of several: the last one. */
  readonly at: EpochMs;
  /** `login`, `login_refused`, or the route that was called. */
  readonly action: string;
  /** How many it stands for. */
  readonly count: number;
  /** Absent when there is no such user. */
  readonly userId?: string;
  /**
   * The user's name; of an unknown user, as the request has it. Absent when the
   * request has an id of no user.
   */
  readonly userName?: string;
  /** The user's domain; of an unknown user, the one the request names. */
  readonly domainId?: string;
  /** The path of the request. */
  readonly target?: string;
  /** The client's IP address. */
  readonly address?: string;
  readonly requestId?: string;
}

/** An entry before the store gave it a number. */
export type NewAuditEntry = Omit<AuditEntry, "seq">;

/** Absent members do not constrain. */
export interface AuditFilter {
  readonly domainId?: string | undefined;
  readonly userId?: string | undefined;
  readonly action?: string | undefined;
}
