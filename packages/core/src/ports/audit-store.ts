import type { EpochMs } from "../time.ts";

/** Who did what: log-ins and changes of what others depend on. */
export interface AuditStore {
  /**
   * Adds an entry. About `maxEntries` are kept in all: with every hundredth one
   * those give way that `surplusAuditEntries` names.
   */
  addAuditEntry(entry: NewAuditEntry, maxEntries: number): Promise<void>;
  /** Newest first by `at`, then by `seq`, starting behind `before`. */
  listAuditEntries(
    filter: AuditFilter,
    page: AuditPageRequest,
  ): Promise<AuditPage>;
}

export interface AuditPageRequest {
  readonly limit: number;
  /** `next` of the page before. */
  readonly before?: AuditPosition | undefined;
  /** How many entries are looked at, at most; those of the domain, if named. */
  readonly maxScanned: number;
}

/** Where an entry stands in the order of the list. */
export type AuditPosition = Pick<AuditEntry, "at" | "seq">;

/** May be shorter than asked for, even empty, while there is a next one. */
export interface AuditPage {
  readonly entries: readonly AuditEntry[];
  /** Absent when nothing is left. */
  readonly next?: AuditPosition;
}

/** One deed, or several alike within a minute. */
export interface AuditEntry {
  /** The store's own number; grows with each entry that is added. */
  readonly seq: number;
  /** Of several: the last one. */
  readonly at: EpochMs;
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
  /**
   * The domain that it is about: of what was changed, or of who logged in; of
   * an unknown user, the one the request names.
   */
  readonly domainId?: string;
  /** The path of the request. */
  readonly target?: string;
  /**
   * What was made or set, such as the id and name of a user or its role; no
   * secrets, and no texts of messages.
   */
  readonly details?: Readonly<Record<string, string>>;
  /** The client's IP address. */
  readonly address?: string;
  readonly requestId?: string;
}

/** The action of refused log-ins, which are one source of entries together. */
export const refusedLoginAction = "login_refused";

/** An entry before the store gave it a number. */
export type NewAuditEntry = Omit<AuditEntry, "seq">;

/** Absent members do not constrain. */
export interface AuditFilter {
  readonly domainId?: string | undefined;
  readonly userId?: string | undefined;
  readonly action?: string | undefined;
}
