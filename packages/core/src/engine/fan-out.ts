/**
 * Second step: walk a topic's subscribers in ranges. The outcome of each
 * delivery is written once, together with hundreds of others, in the
 * transaction that ends the range (the fast path). What did not answer soon or
 * must wait is deferred in the same transaction as a row of its own.
 *
 * A claim cuts a range that is too long, and the rest is free: it is offered to
 * the next engine, so that a big topic is worked by all of them.
 *
 * Crash while a range is worked: its outcomes are not written, its lease lapses,
 * and whoever claims it next tries its recipients again; at most what was in
 * flight arrives twice. Crash after the range's commit: nothing is left to do.
 * Crash before a rest is claimed: it is a range on disk, and the sweeper of any
 * engine finds it.
 */

import { isTransient } from "../errors.ts";
import type { MessageId } from "../ids.ts";
import { refusedOutcome } from "../messages/merge-outcome.ts";
import type { Message } from "../messages/message.ts";
import { toTopic } from "../messages/message-topics.ts";
import { hasDelivery } from "../messages/subscriber-once.ts";
import type { BindingStore } from "../ports/binding-store.ts";
import type { ChannelKind, Recipient } from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type { WrittenDelivery } from "../ports/delivery-listener.ts";
import type { RangeLease } from "../ports/delivery-store.ts";
import type { WorkHint } from "../ports/dispatcher.ts";
import type {
  AudienceRange,
  ClaimedRange,
  FinishedRange,
  FinishReport,
  UnqueuedDelivery,
  WorkStore,
} from "../ports/work-store.ts";
import type { EpochMs } from "../time.ts";
import type { EngineLeases } from "./engine-leases.ts";
import { Escalation } from "./escalation.ts";
import { type OutcomeLedger, reasonOf } from "./ledger.ts";
import { MessageFilter } from "./message-filter.ts";
import {
  type OutcomeRules,
  outcomeOfUnreadable,
  outcomeWithoutAttempt,
  type SendItem,
} from "./outcome.ts";
import { type PersistPorts, persist } from "./persist.ts";
import type { RangeIntake } from "./publish.ts";
import { RangeOutcomes, type RangeOutcomesContext } from "./range-outcomes.ts";
import { RangeRetries } from "./range-retries.ts";
import type { Sender } from "./sender.ts";
import { WorkLoop } from "./work-loop.ts";

export interface FanOutPorts extends PersistPorts {
  readonly store: Pick<
    WorkStore,
    "claim" | "readAudience" | "finish" | "release" | "nextDue"
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
  /** A range of the message is finished, and on disk. */
  readonly onFinished: (id: MessageId) => void;
  /** There is work that is free for any engine. */
  readonly offer: (hint: WorkHint) => void;
}

export interface FanOutOptions {
  /** Recipients of one range. */
  readonly rangeSize: number;
  /** Ranges in work at once. */
  readonly maxRanges: number;
  /** How long a deferred recipient whose lane was full waits; milliseconds. */
  readonly laneRetryMs: number;
}

/** Ranges claimed with one call: those of small messages come by the dozen. */
const maxClaim = 64;

/** Offers for one message; engines that it does not reach are offered the rest. */
const maxOffers = 16;

export class FanOut implements RangeIntake {
  readonly #ports: FanOutPorts;
  readonly #options: FanOutOptions;
  readonly #loop: WorkLoop;
  readonly #retries: RangeRetries;
  readonly #lease: RangeLease;
  readonly #context: RangeOutcomesContext;
  readonly #filter = new MessageFilter();
  /** Ranges this engine holds and has not begun. */
  readonly #ready: ClaimedRange[] = [];
  #isOpen = true;
  #ranges = 0;
  /** Recipients of ranges in work that the sender does not have yet. */
  #unsent = 0;
  #idle: (() => void)[] = [];

  constructor(ports: FanOutPorts, options: FanOutOptions) {
    this.#ports = ports;
    this.#options = options;
    const { rangeSize } = options;
    this.#lease = { ...ports.leases.lease, rangeSize };
    this.#context = { ...ports, laneRetryMs: options.laneRetryMs };
    this.#loop = new WorkLoop(ports, {
      name: "ranges",
      hasRoom: () => this.hasRoom,
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

  /**
   * Whether ranges could be claimed and begun now. For many at once: a claim
   * whenever one range ends would take as much of the store as the range itself.
   */
  get hasRoom(): boolean {
    const { maxRanges } = this.#options;
    return this.#hasRoomForOne() && maxRanges - this.#ranges >= maxClaim;
  }

  /** A publisher's range goes straight to work when nobody is before it. */
  reserve(): RangeLease | undefined {
    const isFirst = !this.#loop.mayHaveWork;
    if (!this.#isOpen || !isFirst || !this.#hasRoomForOne()) return undefined;
    this.#ranges++;
    return this.#lease;
  }

  take(work: ClaimedRange | undefined): void {
    if (work === undefined) this.#leave();
    else void this.#work(work);
  }

  /**
   * As many offers as there are ranges: each wakes another engine, as long as
   * there are engines.
   */
  offer(messageSeq: number, unclaimed: number, dueInMs: number): void {
    const ranges = Math.ceil(unclaimed / this.#options.rangeSize);
    for (let n = 0; n < Math.min(ranges, maxOffers); n++) {
      this.#ports.offer({ kind: "range", dueInMs, messageSeq });
    }
  }

  /** There is work in the store in `ms` milliseconds. */
  wakeIn(ms: number): void {
    this.#loop.wakeIn(ms);
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

  #hasRoomForOne(): boolean {
    return this.#ready.length === 0 && this.#hasRoom();
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
    const { rangeSize } = this.#options;
    const { store, leases, sender, offer } = this.#ports;
    const { ranges, mayHaveMore } = await store.claim(leases.lease, {
      kinds: ["range"],
      limit: maxClaim,
      rangeSize,
      // Long ones only as far as they can be begun: the others are for engines
      // that have room.
      maxCutRanges: Math.max(
        1,
        Math.floor((sender.room - this.#unsent) / rangeSize),
      ),
    });
    const last = ranges.at(-1)?.range;
    if (last && mayHaveMore) {
      offer({ kind: "range", dueInMs: 0, messageSeq: last.messageSeq });
    }
    this.#ready.push(...ranges);
    this.#beginReady();
    if (mayHaveMore) return true;
    // What is not due yet wakes this loop when it is.
    const { range } = await store.nextDue();
    if (range !== undefined) this.wakeIn(range);
    return false;
  }

  /** Works one range to its end; counted in `#ranges` by the caller. */
  async #work(work: ClaimedRange): Promise<void> {
    const { range } = work;
    if (work.isCancelled) this.#ports.sender.withdraw(range.messageSeq);
    // The range's recipients are subscribers of this one.
    const message = toTopic(work.message, range.topicSeq);
    try {
      const { rangeSize } = this.#options;
      const { store } = this.#ports;
      const audience = await store.readAudience(range, rangeSize + 1);
      // It was cut to size when it was claimed; some were confirmed since.
      const isLong = audience.length > rangeSize;
      const mine = isLong ? audience.slice(0, rangeSize) : audience;
      this.#unsent += mine.length;
      await this.#deliver(
        range,
        message,
        mine,
        isLong ? mine.at(-1)?.target : undefined,
      );
      if (range.uptoTarget === undefined && !isLong) {
        this.#ports.sender.release(message);
      }
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

  /** `uptoTarget`: where it was worked to, if there is a rest behind it. */
  async #deliver(
    range: AudienceRange,
    message: Message,
    audience: readonly Recipient[],
    uptoTarget: number | undefined,
  ): Promise<void> {
    const { ledger, offer } = this.#ports;
    const outcomes = await this.#attempt(message, audience);
    const report = await this.#finish({
      range,
      outcomes: outcomes.all,
      ...(uptoTarget !== undefined && { uptoTarget }),
    });
    if (report === undefined) return;
    if (!report.kept) {
      this.#ports.logger.warn("lease_lost", { messageId: message.id });
      return;
    }
    this.#ports.onFinished(message.id);
    if (uptoTarget !== undefined) {
      offer({ kind: "range", dueInMs: 0, messageSeq: message.seq });
    }
    if (report.unclaimed) this.offer(message.seq, report.unclaimed, 0);
    const { refused, unqueued = [] } = report;
    ledger.reportRefused(refused);
    ledger.count(outcomes.all, [...refused, ...unqueued]);
    const untaken = this.#toWritten(message, audience, unqueued);
    ledger.notify([...outcomes.final, ...untaken], refused);
    if (outcomes.deferredUntil !== undefined) {
      this.#ports.onDeferred(outcomes.deferredUntil);
    }
    for (const slow of outcomes.slowAttempts) {
      ledger.recordLate(slow, fenceOfRanges);
    }
  }

  /** What the store wrote of deliveries that their mailboxes did not take. */
  #toWritten(
    message: Message,
    audience: readonly Recipient[],
    unqueued: readonly UnqueuedDelivery[],
  ): WrittenDelivery[] {
    if (unqueued.length === 0) return [];
    const reasons = new Map(unqueued.map((it) => [it.target, it.reason]));
    return audience.flatMap((recipient) => {
      const error = reasons.get(recipient.target);
      if (error === undefined) return [];
      const item = {
        message,
        recipient,
        state: "waiting",
        attempts: 0,
      } as const;
      const why = { errorClass: "mailbox", error } as const;
      const now = this.#ports.clock.now();
      const outcome = outcomeWithoutAttempt(item, "fail", why, now);
      return [{ item, outcome }];
    });
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
    const outcomes = new RangeOutcomes(this.#context, message, escalation);
    const opening = this.#open(message);
    // Mostly at once.
    const opened = opening instanceof Promise ? await opening : opening;
    // What filter policies look at is sealed, too.
    const reasonToFilter = this.#filter.of(opened ?? message);
    const items = outcomes.sort(
      message.topics ? listOnce(audience, reasonToFilter) : audience,
      reasonToFilter,
    );
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
  async #finish(work: FinishedRange): Promise<FinishReport | undefined> {
    const { store, logger, clock } = this.#ports;
    try {
      return await persist(this.#ports, "range", () => store.finish(work));
    } catch (error) {
      const { messageSeq } = work.range;
      logger.error("range_refused", { messageSeq, error });
      const reason = reasonOf(error);
      const outcomes = work.outcomes.map((it) =>
        refusedOutcome(it, reason, clock.now()),
      );
      return persist(this.#ports, "range", () =>
        store.finish({ ...work, outcomes }),
      );
    }
  }

  /** `undefined` when it is sealed with a key that is not there. */
  #open(message: Message): Message | undefined | Promise<Message | undefined> {
    const onFailure = (error: unknown): undefined => {
      // Of a store that may be back: the range is worked again then.
      if (isTransient(error)) throw error;
      const { id: messageId } = message;
      this.#ports.logger.error("message_sealed", { messageId, error });
    };
    try {
      const opened = this.#ports.seal.open(message);
      return opened instanceof Promise ? opened.catch(onFailure) : opened;
    } catch (error) {
      return onFailure(error);
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
    const { store, offer, logger } = this.#ports;
    const { messageSeq } = range;
    try {
      await persist(this.#ports, "release", () => store.release([{ range }]));
      offer({ kind: "range", dueInMs: 0, messageSeq });
    } catch (error) {
      // A defect: it stays with this engine until the process ends.
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

/** Those through whom their subscribers get a message to several topics. */
function listOnce(
  audience: readonly Recipient[],
  reasonToFilter: ReturnType<MessageFilter["of"]>,
): readonly Recipient[] {
  return audience.filter((recipient) => {
    const { others, cancelled } = recipient;
    if (others === undefined) return true;
    const passes = !cancelled && reasonToFilter(recipient) === undefined;
    return hasDelivery(
      passes,
      others,
      ({ filterPolicies }) =>
        // The same but for its policies.
        reasonToFilter({ ...recipient, filterPolicies }) === undefined,
    );
  });
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
