/**
 * What the engine asks of a store. All writes of one call happen in one
 * transaction that is on disk before the promise resolves; concurrent calls may
 * share it (group commit).
 */

import type { Attempt, DeliveryOutcome } from "../messages/delivery.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { Message, NewMessage } from "../messages/message.ts";
import type { Recipient } from "./channel.ts";

/**
 * A run of a message's audience, walked by one engine at a time: recipients
 * with `afterTarget < target <= uptoTarget`. The last chunk of a message is
 * open (`uptoTarget` undefined) until it is split or found to be the end.
 */
export interface Chunk {
  readonly messageSeq: number;
  readonly afterTarget: number;
  readonly uptoTarget: number | undefined;
  /** Grows with each claim; a writer with an older number is refused. */
  readonly fence: number;
}

export interface Lease {
  /** Names the engine that works on it. */
  readonly owner: string;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

/** A due delivery, claimed: its intent to send is on disk. */
export interface ClaimedDelivery {
  readonly messageSeq: number;
  readonly recipient: Recipient;
  /** As it was before the claim; `sending`: its last claim was lost. */
  readonly state: DeliveryState;
  /** Attempts made before this claim. */
  readonly attempts: number;
  readonly lastAttempt?: Attempt;
  readonly fence: number;
}

/** An outcome that is written only if the claim still holds. */
export interface FencedOutcome extends DeliveryOutcome {
  readonly fence: number;
  /** The attempt before this one, to be kept in the list of attempts. */
  readonly previousAttempt?: Attempt;
}

/** A provider's later word on a delivery. */
export interface Receipt {
  readonly provider: string;
  readonly externalId: string;
  readonly event: "accept" | "deliver" | "expire" | "reject" | "fail";
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly code?: string;
  readonly text?: string;
}

export interface DeliveryStore {
  /**
   * Keeps a message for its topic's audience. With a lease the message's first
   * chunk comes back claimed, so that no second write precedes the first attempt.
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE; then nothing was kept
   */
  acceptMessage(
    message: NewMessage,
    lease: Lease | undefined,
  ): Promise<{ seq: number; chunk: Chunk | undefined }>;
  /** Keeps a message for these recipients; each delivery is due at once. */
  acceptDirectMessage(
    message: NewMessage,
    recipients: readonly Pick<Recipient, "protocol" | "endpoint">[],
    billable: boolean,
  ): Promise<{ seq: number }>;

  /** Claims chunks that nobody holds, oldest message first. */
  claimChunks(
    lease: Lease,
    now: number,
    limit: number,
  ): Promise<readonly { readonly chunk: Chunk; readonly message: Message }[]>;
  /**
   * The next recipients of a chunk, in order of target, at most `limit`;
   * only subscriptions that are confirmed (or need no confirmation).
   */
  readAudience(chunk: Chunk, limit: number): Promise<readonly Recipient[]>;
  /**
   * Cuts an open chunk behind `uptoTarget`; the rest becomes a chunk of its
   * own, held by the same lease when one is given. `undefined`: the lease was
   * lost.
   */
  splitChunk(
    chunk: Chunk,
    uptoTarget: number,
    lease: Lease | undefined,
  ): Promise<{ chunk: Chunk; rest: Chunk } | undefined>;
  /**
   * Writes a chunk's outcomes and removes it, both or neither. False: the
   * lease was lost and nothing was written.
   */
  completeChunk(
    chunk: Chunk,
    outcomes: readonly ChunkOutcome[],
  ): Promise<boolean>;
  /** Gives a claimed chunk back unworked. */
  releaseChunk(chunk: Chunk): Promise<void>;
  /** Keeps all chunks of an owner leased until then. */
  extendLeases(lease: Lease): Promise<void>;

  /**
   * Claims due deliveries, longest due first: each is `sending` on disk before
   * this resolves. Billable deliveries found `sending` (their engine died)
   * are not claimed: see {@link settleInterrupted}.
   */
  claimDue(
    lease: Lease,
    now: number,
    limit: number,
  ): Promise<readonly ClaimedDelivery[]>;
  /**
   * Billable deliveries whose lease ran out while sending become `unknown`;
   * answers how many.
   */
  settleInterrupted(now: number): Promise<number>;
  /** Writes outcomes; those whose fence is stale are left out. */
  recordOutcomes(outcomes: readonly FencedOutcome[]): Promise<void>;
  /**
   * Applies a receipt to its delivery; when no delivery has that id yet the
   * receipt is kept and applied with the outcome that brings the id.
   */
  recordReceipt(receipt: Receipt): Promise<void>;

  findMessageBySeq(seq: number): Promise<Message | undefined>;
  /** When the next delivery falls due (epoch ms); `undefined` if none will. */
  nextDueAt(): Promise<number | undefined>;
  /** Whether chunks wait that nobody holds. */
  hasUnclaimedChunks(now: number): Promise<boolean>;
}

/** An outcome of the fast path, or a delivery that is deferred. */
export interface ChunkOutcome extends DeliveryOutcome {
  /**
   * Its round in an escalation, from 1. One that is due in a later round than
   * the first is cancelled when an earlier round delivered the message.
   */
  readonly round?: number;
  /** True: only a claim may start it, and a lost attempt is unknown. */
  readonly billable?: boolean;
  /** Fence that later outcomes of this delivery carry while it is sending. */
  readonly fence?: number;
}
