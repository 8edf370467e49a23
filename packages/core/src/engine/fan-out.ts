/**
 * Second step: walk a topic's subscribers in ranges. The outcome of each
 * delivery is written once, together with hundreds of others, in the
 * transaction that ends the range (the fast path). What did not answer soon or
 * must wait is deferred in the same transaction as a row of its own.
 *
 * A range that is too long is cut, and the rest is nobody's: whichever engine
 * has room takes it.
 *
 * Crash while a range is worked: its outcomes are not written, its lease lapses,
 * and whoever claims it next tries its recipients again; at most what was in
 * flight arrives twice. Crash after the range's commit: nothing is left to do.
 * Crash between a split and the rest's claim: the rest is a range on disk.
 */

import { refusedOutcome } from "../messages/merge-outcome.ts";
import type { Message } from "../messages/message.ts";
import type { BindingStore } from "../ports/binding-store.ts";
import type { ChannelKind, Recipient } from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type {
  AudienceRange,
  DeliveryStore,
  Lease,
  RangeEnd,
  RangeOutcome,
} from "../ports/delivery-store.ts";
import type { EpochMs } from "../time.ts";
import type { EngineLeases } from "./engine-leases.ts";
import { Escalation } from "./escalation.ts";
import { type OutcomeLedger, reasonOf } from "./ledger.ts";
import { MessageFilter } from "./message-filter.ts";
import {
  type OutcomeRules,
  outcomeOfUnreadable,
  type SendItem,
} from "./outcome.ts";
import { type PersistPorts, persist } from "./persist.ts";
import type { RangeIntake } from "./publish.ts";
import { RangeOutcomes } from "./range-outcomes.ts";
import { RangeRetries } from "./range-retries.ts";
import type { Sender } from "./sender.ts";
import { WorkLoop } from "./work-loop.ts";

export interface FanOutPorts extends PersistPorts {
  readonly store: Pick<
    DeliveryStore,
    | "claimRanges"
    | "readAudience"
    | "splitRange"
    | "completeRange"
    | "releaseRange"
  > &
    Pick<BindingStore, "findBinding">;
  readonly sender: Sender;
  readonly ledger: OutcomeLedger;
  readonly leases: EngineLeases;
  readonly seal: ContentSeal;
  readonly clock: Clock;
  readonly rules: OutcomeRules;
  /** How messages come to recipients of a protocol; `undefined`: they do not. */
  readonly kindOf: (protocol: Recipient["protocol"]) => ChannelKind | undefined;
  /** A delivery was deferred until then. */
  readonly onDeferred: (at: EpochMs) => void;
  /** A range is free for any engine. */
  readonly onRange: () => void;
}

export interface FanOutOptions {
  /** Recipients of one range. */
  readonly rangeSize: number;
  /** Ranges in work at once. */
  readonly maxRanges: number;
  /** How long a deferred recipient whose lane was full waits; milliseconds. */
  readonly laneRetryMs: number;
}

interface Work {
  readonly range: AudienceRange;
  readonly message: Message;
}

/** Ranges claimed with one call: those of small messages come by the dozen. */
const maxClaim = 64;

export class FanOut implements RangeIntake {
  readonly #ports: FanOutPorts;
  readonly #options: FanOutOptions;
  readonly #loop: WorkLoop;
  readonly #retries: RangeRetries;
  readonly #filter = new MessageFilter();
  /** Ranges this engine holds and has not begun. */
  readonly #ready: Work[] = [];
  #isOpen = true;
  #ranges = 0;
  /** Recipients of ranges in work that the sender does not have yet. */
  #unsent = 0;
  #idle: (() => void)[] = [];

  constructor(ports: FanOutPorts, options: FanOutOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#loop = new WorkLoop(ports, {
      name: "ranges",
      hasRoom: () => this.#ready.length === 0 && this.#hasRoom(),
      claim: () => this.#claim(),
    });
    this.#retries = new RangeRetries(ports, (range) => this.#release(range));
    ports.sender.onRoom = () => this.#beginReady();
  }

  /** Ranges in work. */
  get activeRanges(): number {
    return this.#ranges;
  }

  /** Whether ranges are held, in work or not. */
  get isActive(): boolean {
    return this.#ranges + this.#ready.length + this.#retries.held > 0;
  }

  /** A publisher's range goes straight to work when nobody is before it. */
  reserve(): Lease | undefined {
    const isFirst = this.#ready.length === 0 && !this.#loop.mayHaveWork;
    if (!this.#isOpen || !isFirst || !this.#hasRoom()) return undefined;
    this.#ranges++;
    return this.#ports.leases.lease;
  }

  take(work: Work | undefined): void {
    if (work === undefined) this.#leave();
    else void this.#work(work);
  }

  /** There may be work in the store. */
  wake(): void {
    this.#loop.wake();
  }

  /**
   * Begins no more ranges, gives back those not begun, and resolves when the
   * rest is written.
   */
  async drain(): Promise<void> {
    this.#isOpen = false;
    await this.#loop.stop();
    const unbegun = this.#ready.splice(0).map(({ range }) => range);
    for (const range of [...unbegun, ...this.#retries.drain()]) {
      await this.#release(range);
    }
    if (this.#ranges === 0) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  #hasRoom(): boolean {
    return (
      this.#ranges < this.#options.maxRanges &&
      this.#ports.sender.room > this.#unsent
    );
  }

  #beginReady(): void {
    while (this.#isOpen && this.#hasRoom()) {
      const work = this.#ready.shift();
      if (work === undefined) break;
      this.#ranges++;
      void this.#work(work);
    }
    this.#loop.roomFreed();
  }

  async #claim(): Promise<boolean> {
    const limit = Math.min(maxClaim, this.#options.maxRanges - this.#ranges);
    const { store, leases } = this.#ports;
    const claimed = await store.claimRanges(leases.lease, limit);
    this.#ready.push(...claimed);
    this.#beginReady();
    return claimed.length === limit;
  }

  /** Works one range to its end; counted in `#ranges` by the caller. */
  async #work({ range, message }: Work): Promise<void> {
    try {
      const { rangeSize } = this.#options;
      const { store } = this.#ports;
      const audience = await store.readAudience(range, rangeSize + 1);
      const isLong = audience.length > rangeSize;
      const mine = isLong ? audience.slice(0, rangeSize) : audience;
      // Counted before the rest is free: it is for who has room besides these.
      this.#unsent += mine.length;
      await this.#deliver(
        message,
        mine,
        isLong ? this.#split(range, audience) : Promise.resolve(range),
      );
      if (!isLong) this.#ports.sender.release(message);
      this.#retries.succeeded(range);
    } catch (error) {
      const { id: messageId } = message;
      this.#ports.logger.error("range_failed", { messageId, error });
      if (this.#isOpen) this.#retries.failed(range);
      else await this.#release(range);
    } finally {
      this.#leave();
    }
  }

  /**
   * Cuts the range behind its first `rangeSize` recipients. Runs while those
   * are being tried: should it fail, the range is tried again as it was.
   */
  async #split(
    range: AudienceRange,
    audience: readonly Recipient[],
  ): Promise<AudienceRange | undefined> {
    const last = audience[this.#options.rangeSize - 1];
    if (last === undefined) return range;
    const { store } = this.#ports;
    const cut = await persist(this.#ports, "split", () =>
      store.splitRange(range, last.target),
    );
    if (cut) this.#ports.onRange();
    return cut?.range;
  }

  async #deliver(
    message: Message,
    audience: readonly Recipient[],
    splitting: Promise<AudienceRange | undefined>,
  ): Promise<void> {
    const { ledger } = this.#ports;
    // Awaited only when the attempts are made; until then it may fail.
    splitting.catch(() => {});
    const outcomes = await this.#attempt(message, audience);
    const range = await splitting;
    if (range === undefined) {
      this.#ports.logger.warn("lease_lost", { messageId: message.id });
      return;
    }
    const end = await this.#complete(range, outcomes.all);
    if (end === undefined) return;
    if (!end.kept) {
      this.#ports.logger.warn("lease_lost", { messageId: message.id });
      return;
    }
    ledger.reportRefused(end.refused);
    ledger.count(outcomes.all, end.refused);
    ledger.notify(outcomes.final, end.refused);
    if (outcomes.deferredUntil !== undefined) {
      this.#ports.onDeferred(outcomes.deferredUntil);
    }
    for (const slow of outcomes.slowAttempts) {
      ledger.recordLate(slow, fenceOfRanges);
    }
  }

  /** Makes the attempts that can be made now. */
  async #attempt(
    message: Message,
    audience: readonly Recipient[],
  ): Promise<RangeOutcomes> {
    const { sender, clock, rules } = this.#ports;
    let escalation: Escalation | undefined;
    try {
      escalation = await this.#escalationOf(message);
    } finally {
      this.#unsent -= audience.length;
    }
    const context = { ...this.#ports, ...this.#options };
    const outcomes = new RangeOutcomes(context, message, escalation);
    const items = outcomes.sort(audience, this.#filter.of(message));
    const opened = this.#open(message);
    if (opened === undefined) {
      for (const item of items) {
        outcomes.finish(item, outcomeOfUnreadable(item, clock.now(), rules));
      }
    } else outcomes.add(await sender.send(withMessage(items, opened)));
    return outcomes;
  }

  /**
   * Writes the range's outcomes. Should the store refuse them together, which
   * none of them alone explains, they end as failures: making all attempts
   * again would not help.
   */
  async #complete(
    range: AudienceRange,
    outcomes: readonly RangeOutcome[],
  ): Promise<RangeEnd | undefined> {
    const { store, logger, clock } = this.#ports;
    try {
      return await persist(this.#ports, "range", () =>
        store.completeRange(range, outcomes),
      );
    } catch (error) {
      logger.error("range_refused", { messageSeq: range.messageSeq, error });
      const reason = reasonOf(error);
      return persist(this.#ports, "range", () =>
        store.completeRange(
          range,
          outcomes.map((it) => refusedOutcome(it, reason, clock.now())),
        ),
      );
    }
  }

  /** `undefined` when it is sealed with a key that is not there. */
  #open(message: Message): Message | undefined {
    try {
      return this.#ports.seal.open(message);
    } catch (error) {
      const { id: messageId } = message;
      this.#ports.logger.error("message_sealed", { messageId, error });
      return undefined;
    }
  }

  /** `undefined` for topics without a notify policy. */
  async #escalationOf({
    topic,
    createdAt,
  }: Message): Promise<Escalation | undefined> {
    if (topic === undefined) return undefined;
    const { store } = this.#ports;
    const binding = await store.findBinding(topic.seq, "notifyPolicy");
    return binding && new Escalation(binding.data, createdAt);
  }

  async #release(range: AudienceRange): Promise<void> {
    const { store, onRange, logger } = this.#ports;
    try {
      await persist(this.#ports, "release", () => store.releaseRange(range));
      onRange();
    } catch (error) {
      // A defect: it stays with this engine until the process ends.
      const { messageSeq } = range;
      logger.error("release_failed", { messageSeq, error });
    }
  }

  #leave(): void {
    this.#ranges--;
    this.#beginReady();
    if (this.#ranges > 0) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }
}

/** The items with their message as it was published. */
function withMessage(items: readonly SendItem[], message: Message) {
  const [first] = items;
  return first === undefined || first.message === message
    ? items
    : items.map((item) => ({ ...item, message }));
}

/** Fence of rows that a range wrote: any later claim has a higher one. */
const fenceOfRanges = 0;
