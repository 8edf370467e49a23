/**
 * Makes attempts: within the bounds of all attempts under way, through the lane
 * of each endpoint (or of what several endpoints share, or of the provider of
 * what costs money). What answers soon is reported as finished; what does not is a slow attempt and no longer holds up
 * anybody; what found its lane full all that time was never started.
 *
 *     send ─ slot ─► queued ─ place in the lane ─► running ─ answer ─► finished
 *                      │                             │
 *                      │ the lane is slow            │ slowAfterMs
 *                      ▼                             ▼
 *                   unstarted                      slow ─ answer, or the
 *                (tried again later)                      channel's time is
 *                                                         up ─► its outcome
 *
 * The item was claimed before it came here, and its claim lasts on:
 *
 *     claimed ── renewed each third of the lease ──► outcome written: claim ends
 *        │
 *        │ the engine died, or could not renew for a whole lease
 *        ▼
 *     lapsed ── reclaimed ──► due again, with a higher fence (billable: unknown)
 *
 * No attempt starts that could outlast the leases. A crash here loses nothing:
 * the claims are on disk, and they lapse.
 */

import { ConcurrencyLimit } from "../concurrency-limit.ts";
import type { DeliveryOutcome } from "../messages/delivery.ts";
import type { Message } from "../messages/message.ts";
import {
  defaultUrgency,
  noticeUrgency,
  urgencyOf,
} from "../messages/urgency.ts";
import {
  type AttemptResult,
  type Channel,
  type NoRoute,
  noChannelText,
  type PreparedMessage,
  type Recipient,
  type RouteChoice,
  type TriedAttempt,
} from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import { checkResult } from "./attempt-result.ts";
import { ChannelRooms } from "./channel-rooms.ts";
import { DeadlineQueue, deadlineSlackMs } from "./deadline-queue.ts";
import { EndpointRecord } from "./endpoint-record.ts";
import type { EngineLeases } from "./engine-leases.ts";
import { type LanePlace, Lanes } from "./lanes.ts";
import {
  expiredOutcome,
  expiryOf,
  type OutcomeRules,
  outcomeOfAttempt,
  outcomeWithoutAttempt,
  type SendItem,
} from "./outcome.ts";
import { PreparedMessages } from "./prepared.ts";
import {
  type AttemptOwner,
  deliver,
  PreparationError,
  SendAttempt,
} from "./send-attempt.ts";
import { SendBatch, type SendReport } from "./send-batch.ts";

export interface SenderPorts {
  readonly channels: ReadonlyMap<Protocol, Channel>;
  /** See {@link createLaneOf}. */
  readonly laneOf: (recipient: Recipient) => string;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rules: OutcomeRules;
  readonly leases: Pick<EngineLeases, "cover">;
  /** An abort ends all attempts under way, and none starts any more. */
  readonly abandoned: AbortSignal;
}

export interface SenderOptions {
  /** Attempts under way at once, slow ones not counted. */
  readonly maxInFlight: number;
  /** Slow attempts at once; beyond it only endpoints that answer are tried. */
  readonly maxSlowAttempts: number;
  /** Attempts under way to one endpoint, or what several share. */
  readonly laneInFlight: number;
  /** Requests under way to one provider of what costs money. */
  readonly providerInFlight: number;
  /** How long an attempt may take before it is slow, in milliseconds. */
  readonly slowAfterMs: number;
  /** Items given to `send` and not settled, about; see {@link Sender.room}. */
  readonly maxOutstanding: number;
}

/** Of the slots, how many endpoints may hold that were silent before. */
const silentShare = 0.25;

/** Of a provider's places, the part that is kept for urgency 1. */
const urgentShare = 1 / 8;

/** Cancelled messages that are remembered: those of what is held now. */
const maxWithdrawn = 10_000;

/** How many times longer than usual they stay away when these are taken. */
const silentFactor = 10;

/** Times `slowAfterMs` that an attempt waits for its lane at most. */
const maxWaits = 8;

/**
 * A channel keeps its own deadline; one that does not answer so long after it,
 * in milliseconds, never will.
 */
export const answerGraceMs = 2000;

/**
 * How long before the end of a lease an attempt through a channel may start: it
 * has ended after so many milliseconds, whatever the channel does.
 */
function leaseNeededMs(
  { timeoutMs }: Pick<Channel, "timeoutMs">,
  { slowAfterMs }: Pick<SenderOptions, "slowAfterMs">,
): number {
  const slackMs = 2 * deadlineSlackMs;
  return Math.max(timeoutMs + answerGraceMs, slowAfterMs) + slackMs;
}

/**
 * The shortest lease with which attempts through a channel can be made, in
 * milliseconds: renewed in time, two thirds of it are left.
 */
export function shortestLeaseMs(
  channel: Pick<Channel, "timeoutMs">,
  options: Pick<SenderOptions, "slowAfterMs">,
): number {
  return Math.ceil((leaseNeededMs(channel, options) * 3) / 2);
}

export class Sender implements AttemptOwner {
  readonly #ports: SenderPorts;
  readonly #options: SenderOptions;
  readonly #slots: ConcurrencyLimit;
  readonly #lanes = new Lanes<SendAttempt>();
  readonly #rooms = new ChannelRooms();
  readonly #prepared = new PreparedMessages();
  /** Attempts that are queued or running, and not slow yet. */
  readonly #young: DeadlineQueue<SendAttempt>;
  /** Slow ones, until their channel's time is up. */
  readonly #slow = new Map<Channel, DeadlineQueue<SendAttempt>>();
  readonly #record = new EndpointRecord();
  /** The newest last. */
  readonly #withdrawn = new Set<number>();
  #slowAttempts = 0;
  /** Slots that are held by attempts to endpoints that were silent before. */
  #silentInSlots = 0;
  #attempts = 0;
  #outstanding = 0;
  /** Called when there is room again; set by whoever feeds the sender. */
  onRoom: () => void = () => {};

  constructor(ports: SenderPorts, options: SenderOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#slots = new ConcurrencyLimit({ max: options.maxInFlight });
    this.#young = new DeadlineQueue(ports.clock, options.slowAfterMs);
    ports.abandoned.addEventListener("abort", () => this.#abandon(), {
      once: true,
    });
  }

  get abandoned(): AbortSignal {
    return this.#ports.abandoned;
  }

  /** Attempts under way. */
  get inFlight(): number {
    return this.#slots.running + this.#slowAttempts;
  }

  /**
   * How many more items may be brought, about; not positive when there are
   * enough. Slow attempts do not count: a range that waits for one slow receiver
   * holds up nobody.
   */
  get room(): number {
    return this.#options.maxOutstanding - this.#outstanding;
  }

  /** Attempts made since start. */
  get attempts(): number {
    return this.#attempts;
  }

  /**
   * Makes one attempt for each item. Resolves when each is finished, slow, or
   * known not to start; never rejects.
   */
  async send<Item extends SendItem>(
    items: readonly Item[],
  ): Promise<SendReport<Item>> {
    const batch = new SendBatch(
      items.length,
      this.#ports.clock.monotonic(),
      () => this.#settleOne(),
    );
    this.#outstanding += items.length;
    for (const item of items) {
      const channel = this.#ports.channels.get(item.recipient.protocol);
      if (channel === undefined || channel.isSetUp?.() === false) {
        batch.finish(item, this.#withoutChannel(item));
        continue;
      }
      if (!this.#slots.tryAcquire()) await this.#slots.acquire();
      const now = this.#ports.clock.now();
      if (now >= expiryOf(item, this.#ports.rules)) {
        this.#slots.release();
        batch.finish(item, expiredOutcome(item, now, this.#ports.rules));
      } else if (this.#withdrawn.has(item.message.seq)) {
        this.#slots.release();
        batch.leave(item, 1);
      } else if (!this.#mayStart(item, channel)) {
        this.#slots.release();
        this.#turnAway(item, batch);
      } else if (!this.#rooms.tryEnter(channel)) {
        this.#slots.release();
        const instant = this.#ports.clock.monotonic();
        batch.leave(item, this.#rooms.turnAway(channel, instant));
      } else {
        const attempt = new SendAttempt(
          item,
          batch,
          channel,
          this,
          this.#placeOf(item),
        );
        attempt.wasSilent = this.#record.wasSilent(item.recipient.endpoint);
        this.#begin(attempt);
      }
    }
    await batch.settled;
    // A batch reports just the items it was given.
    return batch as unknown as SendReport<Item>;
  }

  lifeLeftMs(item: SendItem): number {
    const { clock, rules } = this.#ports;
    return Math.max(0, expiryOf(item, rules) - clock.now());
  }

  /** Whether an attempt for it costs money. */
  isBillable({ recipient }: SendItem): boolean {
    const channel = this.#ports.channels.get(recipient.protocol);
    return channel?.kind === "billable";
  }

  /**
   * The provider of the next attempt; `undefined` where the channel has one way
   * only, or the message cannot be prepared: the attempt says so then.
   */
  async chooseRoute(
    { message, recipient }: SendItem,
    tried: readonly TriedAttempt[],
  ): Promise<RouteChoice | NoRoute | undefined> {
    const channel = this.#ports.channels.get(recipient.protocol);
    if (channel === undefined || channel.isSetUp?.() === false)
      return undefined;
    let prepared: PreparedMessage;
    try {
      prepared = await this.#prepared.get(message, channel);
    } catch {
      return undefined;
    }
    return prepared.chooseRoute?.(recipient, tried);
  }

  /**
   * Begins no more attempts of a message that was cancelled: what of it is here
   * goes back unstarted. What is claimed later its store has cancelled by then.
   */
  withdraw(messageSeq: number): void {
    this.#withdrawn.add(messageSeq);
    if (this.#withdrawn.size <= maxWithdrawn) return;
    const [oldest = 0] = this.#withdrawn;
    this.#withdrawn.delete(oldest);
  }

  /** Nothing more is expected to be sent of the message soon. */
  release(message: Message): void {
    this.#prepared.release(message);
  }

  /**
   * What costs money is bounded by its provider: a slow carrier is given no more
   * at once than it has connections, and the other providers go on beside it.
   */
  #placeOf({ message, recipient, route }: SendItem): LanePlace {
    const { laneInFlight, providerInFlight } = this.#options;
    if (route === undefined) {
      const lane = this.#ports.laneOf(recipient);
      return { lane, max: laneInFlight, urgency: defaultUrgency };
    }
    const urgency =
      message.audience === "subscription" ? noticeUrgency : urgencyOf(message);
    const all = providerInFlight * (route.perRequest ?? 1);
    const kept = urgency === 1 ? 0 : Math.floor(all * urgentShare);
    const lane = `${recipient.protocol} provider ${route.provider}`;
    return { lane, max: all - kept, urgency };
  }

  /**
   * An attempt must end within the leases. While many endpoints are silent, it
   * is those that answer who go on: a silent one gets a share of the slots only,
   * one that is slow at the moment none of the last places of slow attempts, and
   * when these are all taken only those start that are known to answer.
   */
  #mayStart({ recipient, route }: SendItem, channel: Channel): boolean {
    const { endpoint } = recipient;
    if (!this.#isCovered(channel)) return false;
    const { maxSlowAttempts, maxInFlight } = this.#options;
    if (this.#record.wasSilent(endpoint)) {
      return (
        this.#slowAttempts < maxSlowAttempts / 2 &&
        this.#silentInSlots < Math.ceil(maxInFlight * silentShare)
      );
    }
    if (this.#slowAttempts < maxSlowAttempts / 2) return true;
    // A carrier that takes its time has a bound of its own.
    const isBounded = route !== undefined;
    if (!isBounded && this.#lanes.isSlow(this.#ports.laneOf(recipient))) {
      return false;
    }
    return (
      this.#slowAttempts < maxSlowAttempts || this.#record.hasAnswered(endpoint)
    );
  }

  #isCovered(channel: Channel): boolean {
    const { abandoned, leases } = this.#ports;
    return (
      !abandoned.aborted && leases.cover(leaseNeededMs(channel, this.#options))
    );
  }

  /** Starts an attempt that has a slot, or lets it wait for its lane. */
  #begin(attempt: SendAttempt): void {
    if (this.#lanes.tryEnter(attempt.place)) {
      this.#start(attempt);
      return;
    }
    // The slot is for those who can go now.
    this.#slots.release();
    attempt.holdsSlot = false;
    if (this.#lanes.wait(attempt.place, attempt)) this.#young.add(attempt);
    else this.#withdraw(attempt);
  }

  /** Of an attempt that has a place in its lane, as soon as there is a slot. */
  async #startWithSlot(attempt: SendAttempt): Promise<void> {
    if (!this.#slots.tryAcquire()) await this.#slots.acquire();
    if (attempt.phase !== "queued") {
      // Withdrawn while it waited for the slot; its place was given back then.
      this.#slots.release();
      return;
    }
    attempt.holdsSlot = true;
    if (!this.#startLate(attempt)) this.#giveBack(attempt);
  }

  /**
   * Of an attempt that waited for its lane and has place and slot now. False: it
   * is over without a start, and both are to be given back.
   */
  #startLate(attempt: SendAttempt): boolean {
    // It is slow by its own time, not by that of those before it.
    this.#young.remove(attempt);
    const { item, batch, channel } = attempt;
    const now = this.#ports.clock.now();
    const isExpired = now >= expiryOf(item, this.#ports.rules);
    const isWithdrawn = this.#withdrawn.has(item.message.seq);
    if (!isExpired && !isWithdrawn && this.#isCovered(channel)) {
      this.#start(attempt);
      return true;
    }
    attempt.phase = "done";
    this.#rooms.leave(channel);
    if (isExpired)
      batch.finish(item, expiredOutcome(item, now, this.#ports.rules));
    else if (isWithdrawn) batch.leave(item, 1);
    else this.#turnAway(item, batch);
    return false;
  }

  /**
   * Of an attempt that is over: its place, and its slot with it. A loop, for
   * those who are next may be many and all be over.
   */
  #giveBack(attempt: SendAttempt): void {
    const { holdsSlot } = attempt;
    for (;;) {
      const next = this.#lanes.leave(attempt.place.lane);
      if (next === undefined) {
        if (holdsSlot) this.#slots.release();
        return;
      }
      next.hasPlace = true;
      if (!holdsSlot) {
        void this.#startWithSlot(next);
        return;
      }
      // With a place in the lane the slot is of use at once.
      next.holdsSlot = true;
      if (this.#startLate(next)) return;
    }
  }

  /** Of an attempt that has a place in its lane. */
  #start(attempt: SendAttempt): void {
    this.#young.add(attempt);
    if (attempt.wasSilent) this.#silentInSlots++;
    attempt.phase = "running";
    attempt.startedAt = this.#ports.clock.now();
    attempt.startedMonotonic = this.#ports.clock.monotonic();
    this.#attempts++;
    deliver(this.#prepared, attempt).then(
      (result) => this.#answered(attempt, result),
      (error: unknown) => this.#threw(attempt, error),
    );
  }

  #answered(attempt: SendAttempt, answer: unknown): void {
    if (attempt.phase === "done") {
      this.#ports.logger.warn("answer_too_late", this.#describe(attempt));
      return;
    }
    const { result, defects } = checkResult(answer);
    if (defects.length > 0) {
      const fields = { ...this.#describe(attempt), defects };
      this.#ports.logger.error("channel_defect", fields);
    }
    this.#end(attempt, result);
  }

  /**
   * A channel answers with results; an exception is its defect. Before the
   * message was prepared nothing can have gone out; after that, it may have.
   */
  #threw(attempt: SendAttempt, error: unknown): void {
    if (attempt.phase === "done") return;
    const fields = { ...this.#describe(attempt), error };
    this.#ports.logger.error("channel_threw", fields);
    this.#end(
      attempt,
      error instanceof PreparationError
        ? {
            outcome: "deferred",
            errorClass: "internal",
            error: "The message could not be prepared; the log says why.",
          }
        : {
            outcome: "unknown",
            errorClass: "internal",
            error: "The channel failed; the log says why.",
          },
    );
  }

  #end(attempt: SendAttempt, result: AttemptResult): void {
    const { item, channel } = attempt;
    const { clock, rules } = this.#ports;
    const queuedMs = Math.round(
      attempt.startedMonotonic - attempt.batch.createdAt,
    );
    const outcome = outcomeOfAttempt(
      item,
      result,
      channel.kind === "billable",
      {
        at: attempt.startedAt,
        durationMs: Math.round(clock.monotonic() - attempt.startedMonotonic),
        ...(queuedMs > 0 && { queuedMs }),
      },
      clock.now(),
      rules,
    );
    const { endpoint } = item.recipient;
    const wasSlow = attempt.phase === "slow";
    attempt.phase = "done";
    this.#rooms.leave(channel);
    const isScarce = this.#slowAttempts > this.#options.maxSlowAttempts / 4;
    const isSilent = "errorClass" in result && result.errorClass === "timeout";
    // An answer that took long is neither: most endpoints are slow at times.
    if (isSilent) this.#record.note(endpoint, false);
    else if (isScarce && !wasSlow) this.#record.note(endpoint, true);
    else this.#record.forget(endpoint);
    if (wasSlow) {
      this.#slow.get(channel)?.remove(attempt);
      this.#lanes.countSlow(attempt.place.lane, -1);
      this.#slowAttempts--;
    } else {
      this.#young.remove(attempt);
      if (attempt.wasSilent) this.#silentInSlots--;
    }
    this.#giveBack(attempt);
    if (wasSlow) attempt.late?.resolve(outcome);
    else attempt.batch.finish(item, outcome);
  }

  #settleOne(): void {
    this.#outstanding--;
    if (this.#outstanding === this.#options.maxOutstanding - 1) this.onRoom();
  }

  /** Of an attempt whose time in its queue of deadlines is up. */
  expire(attempt: SendAttempt): void {
    switch (attempt.phase) {
      case "queued":
        this.#waitOnOrWithdraw(attempt);
        break;
      case "running":
        this.#detach(attempt);
        break;
      case "slow":
        this.#giveUp(attempt);
        break;
      case "done":
        break;
      default:
        attempt.phase satisfies never;
    }
  }

  /** Ends what is under way; what waits for its lane is never started. */
  #abandon(): void {
    const attempts = this.#young.list();
    for (const slow of this.#slow.values()) attempts.push(...slow.list());
    for (const attempt of attempts) {
      if (attempt.phase === "queued") {
        this.#young.remove(attempt);
        this.#leaveLane(attempt);
      } else attempt.giveUp(this.abandoned.reason);
    }
  }

  /** Of a slow attempt whose channel keeps silent beyond its own deadline. */
  #giveUp(attempt: SendAttempt): void {
    const { item, channel, isHandedOver } = attempt;
    this.#ports.logger.error("channel_silent", this.#describe(attempt));
    if (!isHandedOver) this.#prepared.forget(item.message, channel);
    attempt.giveUp();
    this.#end(attempt, {
      outcome: isHandedOver ? "unknown" : "deferred",
      errorClass: "timeout",
      error: isHandedOver
        ? `The channel did not answer within ${channel.timeoutMs} ms.`
        : "The message was not prepared in time; nothing was sent.",
    });
  }

  /**
   * A lane that moves is worth the wait: a row of its own would cost two writes,
   * and a second or two. What is urgent is next in any lane.
   */
  #waitOnOrWithdraw(attempt: SendAttempt): void {
    attempt.waits++;
    const { lane, urgency } = attempt.place;
    const isWorthIt = urgency === 1 || !this.#lanes.isSlow(lane);
    if (attempt.waits < maxWaits && isWorthIt) {
      this.#young.add(attempt);
      return;
    }
    this.#leaveLane(attempt);
  }

  #leaveLane(attempt: SendAttempt): void {
    // Whoever waits for a slot has its place in the lane already.
    if (attempt.hasPlace) this.#giveBack(attempt);
    else this.#lanes.withdraw(attempt.place, attempt);
    this.#withdraw(attempt);
  }

  #withdraw(attempt: SendAttempt): void {
    attempt.phase = "done";
    this.#rooms.leave(attempt.channel);
    this.#turnAway(attempt.item, attempt.batch);
  }

  #turnAway(item: SendItem, batch: SendBatch): void {
    const { endpoint } = item.recipient;
    const now = this.#ports.clock.monotonic();
    const factor = this.#lanes.turnAway(this.#placeOf(item), now);
    batch.leave(
      item,
      this.#record.wasSilent(endpoint)
        ? Math.max(factor, silentFactor)
        : factor,
    );
  }

  #detach(attempt: SendAttempt): void {
    const { channel, item } = attempt;
    attempt.phase = "slow";
    attempt.late = Promise.withResolvers();
    this.#lanes.countSlow(attempt.place.lane, 1);
    this.#slowAttempts++;
    if (attempt.wasSilent) this.#silentInSlots--;
    attempt.holdsSlot = false;
    this.#slots.release();
    this.#deadlinesOf(channel).add(attempt);
    attempt.batch.detach({
      item,
      startedAt: attempt.startedAt,
      outcome: attempt.late.promise,
    });
  }

  #deadlinesOf(channel: Channel): DeadlineQueue<SendAttempt> {
    const known = this.#slow.get(channel);
    if (known !== undefined) return known;
    const deadlines = new DeadlineQueue<SendAttempt>(
      this.#ports.clock,
      // They were young for so long.
      leaseNeededMs(channel, this.#options) - this.#options.slowAfterMs,
    );
    this.#slow.set(channel, deadlines);
    return deadlines;
  }

  #withoutChannel(item: SendItem): DeliveryOutcome {
    return outcomeWithoutAttempt(
      item,
      "fail",
      {
        errorClass: "no_channel",
        error: noChannelText(item.recipient.protocol),
      },
      this.#ports.clock.now(),
    );
  }

  #describe({ item, channel }: SendAttempt) {
    return {
      messageId: item.message.id,
      target: item.recipient.target,
      channel: channel.name,
    };
  }
}
