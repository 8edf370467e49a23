/**
 * Says what became out of date, for whoever keeps copies of what is stored: in
 * this process and, on a store of several nodes, in each of theirs. What
 * happened to deliveries and subscribers is told by `ChangeFeed`, not here.
 */

import type { ProjectEndpoint } from "./failing-endpoint-store.ts";

/** Kinds of records that decide who may do what. */
export type AccessRecord =
  | "token"
  | "access_key"
  | "user"
  | "project"
  | "domain";

/** What may be otherwise than it was read before. */
export type StoreChange =
  | { readonly kind: "setting"; readonly name: string }
  /**
   * `id`: as the store finds it; of a token its hash. With a token go those that
   * were got with it, with a user or project what belongs to it. A new token is
   * not told: nobody has read it before.
   */
  | { readonly kind: "access"; readonly of: AccessRecord; readonly id: string }
  /** Made, altered or deleted, or what is bound to it. */
  | { readonly kind: "topic"; readonly topicSeq: number }
  /** Of a topic: who receives its messages, and how. */
  | { readonly kind: "subscriptions"; readonly topicSeq: number }
  /** Altered or deleted, by whoever owns it. */
  | { readonly kind: "mailbox"; readonly mailbox: number }
  /** A whole message was cancelled, by an operator or a job. */
  | { readonly kind: "message_cancelled"; readonly messageSeq: number }
  /** It fails, or does not any more. */
  | ({ readonly kind: "endpoint" } & ProjectEndpoint)
  /** Anything: notices may have been lost, or were too many. */
  | { readonly kind: "all" };

/** The one that stands for any other. */
export const anyChange: StoreChange = { kind: "all" };

export interface StoreChanges {
  /**
   * Calls `listener` after a change was committed, until the answered function is
   * called. What is read from then on has the change: a notice never comes
   * earlier. It may come late, twice, or as part of `all`; of what is deleted it
   * may also come when there was nothing. Whoever cannot bear to learn it late
   * bounds the age of its copies besides. The listener never throws.
   */
  changes(listener: (change: StoreChange) => void): () => void;
}
