/**
 * Third step: deliveries that have rows of their own: retries, what waited for
 * its lane, and all that costs money. They are claimed when due; a claim
 * writes the intent to send before the attempt is made.
 *
 * Crash before the claim's commit: still due. Crash after it, before or during
 * the attempt: the lease ends; a delivery that may be repeated is tried again, one
 * that costs money becomes `unknown`. Crash after the attempt, before its
 * outcome's commit: the same, for nobody can tell the two apart.
 */

import type { Message } from "../messages/message.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type {
  ClaimedDelivery,
  DeliveryStore,
  FencedOutcome,
  Lease,
} from "../ports/delivery-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { OutcomeLedger } from "./ledger.ts";
import type { SendItem } from "./outcome.ts";
import type { Sender } from "./sender.ts";

export interface DueDeliveriesPorts {
  readonly store: Pick<
    DeliveryStore,
    "claimDue" | "nextDueAt" | "findMessageBySeq"
  >;
  readonly sender: Sender;
  readonly ledger: OutcomeLedger;
  readonly seal: ContentSeal;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
  readonly newLease: () => Lease;
}

export interface DueDeliveriesOptions {
  /** Deliveries claimed at once. */
  readonly batchSize: number;
  /** Batches in work at once. */
  readonly maxBatches: number;
  /** How long a delivery whose lane was full waits; milliseconds. */
  readonly laneRetryMs: number;
}

interface DueItem extends SendItem {
  readonly claim: ClaimedDelivery;
}

export class DueDeliveries {
  readonly #ports: DueDeliveriesPorts;
  readonly #options: DueDeliveriesOptions;
  #open = true;
  #batches = 0;
  #claiming = false;
  /** Asked to look again while a claim was under way. */
  #again = false;
  #timer: Timer | undefined;
  #timerAt = Number.POSITIVE_INFINITY;
  #idle: (() => void)[] = [];

  constructor(ports: DueDeliveriesPorts, options: DueDeliveriesOptions) {
    this.#ports = ports;
    this.#options = options;
  }

  /** Something falls due at this instant (epoch ms). */
  wakeAt(at: number): void {
    if (!this.#open || at >= this.#timerAt) return;
    this.#timer?.cancel();
    const wait = at - this.#ports.clock.now();
    if (wait <= 0) {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#timer = undefined;
      void this.#claim();
      return;
    }
    this.#timerAt = at;
    this.#timer = this.#ports.clock.setTimer(wait, () => {
      this.#timerAt = Number.POSITIVE_INFINITY;
      this.#timer = undefined;
      void this.#claim();
    });
  }

  /** Claims no more and resolves when the batches in work are written. */
  async drain(): Promise<void> {
    this.#open = false;
    this.#timer?.cancel();
    if (this.#batches === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  async #claim(): Promise<void> {
    if (this.#claiming) {
      this.#again = true;
      return;
    }
    this.#claiming = true;
    try {
      while (this.#open && this.#batches < this.#options.maxBatches) {
        this.#again = false;
        this.#batches++;
        const claims = await this.#claimSome();
        if (claims.length === 0) this.#leave();
        else void this.#work(claims);
        if (claims.length < this.#options.batchSize && !this.#again) break;
      }
      // What is not due yet wakes us when it is.
      const next = await this.#ports.store.nextDueAt();
      if (next !== undefined && this.#batches < this.#options.maxBatches) {
        // Never at once: what is due now and was not claimed (another's
        // lease) must not make this spin.
        this.wakeAt(Math.max(next, this.#ports.clock.now() + 20));
      }
    } catch (error) {
      this.#ports.logger.error("claim_failed", { error: String(error) });
      this.wakeAt(this.#ports.clock.now() + 1000);
    } finally {
      this.#claiming = false;
    }
    if (this.#again) void this.#claim();
  }

  async #claimSome(): Promise<readonly ClaimedDelivery[]> {
    try {
      return await this.#ports.store.claimDue(
        this.#ports.newLease(),
        this.#ports.clock.now(),
        this.#options.batchSize,
      );
    } catch (error) {
      this.#leave();
      throw error;
    }
  }

  async #work(claims: readonly ClaimedDelivery[]): Promise<void> {
    try {
      const { finished, slowAttempts, unstarted } =
        await this.#ports.sender.send(await this.#itemsOf(claims));
      for (const slow of slowAttempts) {
        const { claim } = slow.item;
        this.#ports.ledger.recordLate(slow, claim.fence, previousOf(claim));
      }
      const now = this.#ports.clock.now();
      await this.#ports.ledger.record([
        ...finished.map(({ item, outcome }) => ({
          ...outcome,
          ...previousOf(item.claim),
          fence: item.claim.fence,
        })),
        ...unstarted.map((item) => this.#postponed(item.claim, now)),
      ]);
      this.#ports.ledger.tell(finished);
    } catch (error) {
      // The leases end and the deliveries are claimed again.
      this.#ports.logger.error("batch_failed", { error: String(error) });
    } finally {
      this.#leave();
      void this.#claim();
    }
  }

  async #itemsOf(claims: readonly ClaimedDelivery[]): Promise<DueItem[]> {
    const messages = new Map<number, Message>();
    const items: DueItem[] = [];
    for (const claim of claims) {
      const message =
        messages.get(claim.messageSeq) ??
        (await this.#findMessage(claim.messageSeq));
      if (message === undefined) continue;
      messages.set(claim.messageSeq, message);
      const { recipient, state, attempts } = claim;
      items.push({ message, recipient, state, attempts, claim });
    }
    return items;
  }

  /** `undefined`, too, when it does not open: its lease ends, and it waits. */
  async #findMessage(seq: number): Promise<Message | undefined> {
    const kept = await this.#ports.store.findMessageBySeq(seq);
    try {
      return kept && this.#ports.seal.open(kept);
    } catch (error) {
      this.#ports.logger.error("message_sealed", {
        messageId: kept?.id,
        error: String(error),
      });
      return undefined;
    }
  }

  /** Its lane was full: later, and not counted as an attempt. */
  #postponed(claim: ClaimedDelivery, now: number): FencedOutcome {
    const { laneRetryMs } = this.#options;
    return {
      messageSeq: claim.messageSeq,
      target: claim.recipient.target,
      state: claim.attempts === 0 ? "waiting" : "retrying",
      attempts: claim.attempts,
      ...(claim.lastAttempt && { lastAttempt: claim.lastAttempt }),
      nextAttemptAt: now + laneRetryMs * (1 + this.#ports.random()),
      fence: claim.fence,
    };
  }

  #leave(): void {
    this.#batches--;
    if (this.#batches === 0) for (const tell of this.#idle.splice(0)) tell();
  }
}

function previousOf(
  claim: ClaimedDelivery,
): Pick<FencedOutcome, "previousAttempt"> {
  return claim.lastAttempt && claim.attempts > 0
    ? { previousAttempt: claim.lastAttempt }
    : {};
}
