/**
 * Third step: deliveries that have rows of their own: retries, what waited for
 * its lane, and all that costs money. They are claimed when due; a claim
 * writes the intent to send before the attempt is made.
 *
 * Crash before the claim's commit: still due. Crash after it, before or during
 * the attempt: the lease lapses; a delivery that may be repeated is tried again,
 * one that costs money becomes `unknown`. Crash after the attempt, before its
 * outcome's commit: the same, for nobody can tell the two apart.
 */

import { isTransient } from "../errors.ts";
import type { Message } from "../messages/message.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type {
  ClaimedDelivery,
  DeliveryStore,
  FencedOutcome,
} from "../ports/delivery-store.ts";
import type { Logger } from "../ports/logger.ts";
import { addMs, type EpochMs } from "../time.ts";
import type { EngineLeases } from "./engine-leases.ts";
import { type OutcomeLedger, reasonOf } from "./ledger.ts";
import {
  type OutcomeRules,
  outcomeOfUnreadable,
  type SendItem,
} from "./outcome.ts";
import type { Sender } from "./sender.ts";
import { WorkLoop } from "./work-loop.ts";

export interface DueDeliveriesPorts {
  readonly store: Pick<
    DeliveryStore,
    "claimDue" | "peekWork" | "findMessageBySeq"
  >;
  readonly sender: Sender;
  readonly ledger: OutcomeLedger;
  readonly leases: EngineLeases;
  readonly seal: ContentSeal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rules: OutcomeRules;
}

export interface DueDeliveriesOptions {
  /** Deliveries claimed at once. */
  readonly batchSize: number;
  /** Batches in work at once. */
  readonly maxBatches: number;
  /** How long a delivery whose lane was full waits; milliseconds. */
  readonly laneRetryMs: number;
}

/** A delivery and the claim that allows its attempt. */
interface DueItem extends SendItem {
  readonly claim: ClaimedDelivery;
}

/** How long a claim waits whose message cannot be read now; milliseconds. */
const failedReadRetryMs = 5000;

export class DueDeliveries {
  readonly #ports: DueDeliveriesPorts;
  readonly #options: DueDeliveriesOptions;
  readonly #loop: WorkLoop;
  #isOpen = true;
  #batches = 0;
  #timer: Timer | undefined;
  /** When the timer wakes us; on the clock of people. */
  #timerAt = Number.POSITIVE_INFINITY;
  #idle: (() => void)[] = [];

  constructor(ports: DueDeliveriesPorts, options: DueDeliveriesOptions) {
    this.#ports = ports;
    this.#options = options;
    const { clock, logger, rules } = ports;
    this.#loop = new WorkLoop(
      { clock, logger, random: rules.random },
      {
        name: "due",
        hasRoom: () => this.#batches < options.maxBatches,
        claim: () => this.#claim(),
      },
    );
  }

  /** Whether claims are held whose outcomes are not written. */
  get isActive(): boolean {
    return this.#batches > 0;
  }

  /** Something falls due at this instant. */
  wakeAt(at: EpochMs): void {
    if (!this.#isOpen) return;
    const waitMs = at - this.#ports.clock.now();
    if (waitMs <= 0) {
      // Whatever timer there is: the clock may have been set forward since.
      this.#loop.wake();
      return;
    }
    if (at >= this.#timerAt) return;
    this.#clearTimer();
    this.#timerAt = at;
    this.#timer = this.#ports.clock.setTimer(waitMs, () => {
      this.#clearTimer();
      this.#loop.wake();
    });
  }

  /** Claims no more and resolves when the batches in work are written. */
  async drain(): Promise<void> {
    this.#isOpen = false;
    this.#clearTimer();
    await this.#loop.stop();
    if (this.#batches === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #clearTimer(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#timerAt = Number.POSITIVE_INFINITY;
  }

  /** Claims a batch; answers whether there may be more that is due. */
  async #claim(): Promise<boolean> {
    const { store, leases, clock } = this.#ports;
    const { batchSize } = this.#options;
    const claims = await store.claimDue(leases.lease, clock.now(), batchSize);
    if (claims.length > 0) {
      this.#batches++;
      void this.#work(claims);
    }
    if (claims.length === batchSize) return true;
    // What is not due yet wakes us when it is.
    const { nextDueAt } = await store.peekWork();
    if (nextDueAt !== undefined) this.wakeAt(nextDueAt);
    return false;
  }

  /** Works a batch to its end; counted in `#batches` by the caller. */
  async #work(claims: readonly ClaimedDelivery[]): Promise<void> {
    try {
      await this.#deliver(claims);
    } catch (error) {
      this.#ports.logger.error("batch_failed", { error });
      // A defect before anything was started.
      await this.#ports.ledger.record(
        claims.map((claim) => this.#later(claim, failedReadRetryMs)),
      );
    } finally {
      this.#batches--;
      this.#loop.roomFreed();
      if (this.#batches === 0) {
        for (const resolve of this.#idle.splice(0)) resolve();
      }
    }
  }

  async #deliver(claims: readonly ClaimedDelivery[]): Promise<void> {
    const { sender, ledger } = this.#ports;
    const { items, outcomes } = await this.#read(claims);
    const { finished, slowAttempts, unstarted } = await sender.send(items);
    for (const slow of slowAttempts) {
      const { claim } = slow.item;
      ledger.recordLate(slow, claim.fence, previousOf(claim));
    }
    for (const { item, outcome } of finished) {
      outcomes.push({
        ...outcome,
        ...previousOf(item.claim),
        fence: item.claim.fence,
      });
    }
    for (const { item, factor } of unstarted) {
      const waitMs = this.#options.laneRetryMs * factor;
      outcomes.push(this.#later(item.claim, waitMs));
    }
    await ledger.record(outcomes, finished);
  }

  /** Later by `waitMs` and up to as much again, so that claims spread out. */
  #later(claim: ClaimedDelivery, waitMs: number): FencedOutcome {
    const { clock, rules } = this.#ports;
    return postponed(claim, addMs(clock.now(), waitMs * (1 + rules.random())));
  }

  /** The claims' messages, each read once; those that cannot be are outcomes. */
  async #read(
    claims: readonly ClaimedDelivery[],
  ): Promise<{ items: DueItem[]; outcomes: FencedOutcome[] }> {
    const { clock, rules } = this.#ports;
    const messages = new Map<number, ReadMessage>();
    const items: DueItem[] = [];
    const outcomes: FencedOutcome[] = [];
    for (const claim of claims) {
      const { messageSeq, recipient, state, attempts, fence } = claim;
      let read = messages.get(messageSeq);
      if (read === undefined) {
        read = await this.#readMessage(messageSeq);
        messages.set(messageSeq, read);
      }
      if (read.message === undefined) {
        outcomes.push(
          read.reason === undefined
            ? this.#later(claim, failedReadRetryMs)
            : failed(claim, read.reason, clock.now()),
        );
        continue;
      }
      const { expiresAt } = claim;
      const item = {
        message: read.message,
        recipient,
        state,
        attempts,
        ...(expiresAt !== undefined && { expiresAt }),
        claim,
      };
      if (read.isReadable) items.push(item);
      else {
        const outcome = outcomeOfUnreadable(item, clock.now(), rules);
        outcomes.push({ ...outcome, ...previousOf(claim), fence });
      }
    }
    return { items, outcomes };
  }

  /** A message that fails costs its own deliveries, and no others. */
  async #readMessage(messageSeq: number): Promise<ReadMessage> {
    const { store, logger } = this.#ports;
    try {
      const kept = await store.findMessageBySeq(messageSeq);
      if (kept) return this.#open(kept);
      return {
        message: undefined,
        reason: "The message is not there any more.",
      };
    } catch (error) {
      logger.error("message_unreadable", { messageSeq, error });
      return {
        message: undefined,
        reason: isTransient(error)
          ? undefined
          : `The message cannot be read: ${reasonOf(error)}`,
      };
    }
  }

  #open(kept: Message): ReadMessage {
    try {
      return { message: this.#ports.seal.open(kept), isReadable: true };
    } catch (error) {
      this.#ports.logger.error("message_sealed", { messageId: kept.id, error });
      return { message: kept, isReadable: false };
    }
  }
}

type ReadMessage =
  | {
      readonly message: Message;
      /** False when it is sealed with a key that is not there. */
      readonly isReadable: boolean;
    }
  | {
      readonly message: undefined;
      /** Why there never will be one; `undefined`: it may be read later. */
      readonly reason: string | undefined;
    };

/** Later, and not counted as an attempt. */
function postponed(
  { messageSeq, recipient, attempts, lastAttempt, fence }: ClaimedDelivery,
  nextAttemptAt: EpochMs,
): FencedOutcome {
  return {
    messageSeq,
    target: recipient.target,
    state: attempts === 0 ? "waiting" : "retrying",
    attempts,
    ...(lastAttempt && { lastAttempt }),
    nextAttemptAt,
    fence,
  };
}

function failed(
  claim: ClaimedDelivery,
  error: string,
  now: EpochMs,
): FencedOutcome {
  const { messageSeq, recipient, attempts, fence } = claim;
  return {
    messageSeq,
    target: recipient.target,
    state: "failed",
    attempts,
    lastAttempt: {
      at: now,
      durationMs: 0,
      errorClass: "internal",
      error,
    },
    fence,
  };
}

function previousOf(
  claim: ClaimedDelivery,
): Pick<FencedOutcome, "previousAttempt"> {
  return claim.lastAttempt && claim.attempts > 0
    ? { previousAttempt: claim.lastAttempt }
    : {};
}
