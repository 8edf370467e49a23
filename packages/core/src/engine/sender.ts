/**
 * Makes attempts: within the bounds of all attempts under way, through the lane of
 * each endpoint. What answers soon is reported as finished; what does not is a
 * slow attempt and no longer holds up anybody; what found its lane full all that
 * time was never started.
 *
 * A crash here loses nothing: the chunk or the claim that the items came from is
 * still on disk, and its lease ends.
 */

import type { DeliveryOutcome } from "../messages/delivery.ts";
import type {
  AttemptResult,
  Channel,
  PreparedMessage,
} from "../ports/channel.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import { Lanes } from "./lanes.ts";
import {
  type OutcomeRules,
  outcomeOfTry,
  outcomeWithoutTry,
  type SendItem,
} from "./outcome.ts";
import { PreparedMessages } from "./prepared.ts";
import { Slots } from "./slots.ts";

export interface SenderPorts {
  readonly channels: ReadonlyMap<Protocol, Channel>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly rules: OutcomeRules;
}

export interface SenderOptions {
  /** Attempts under way at once, those of slow attempts not counted. */
  readonly maxInFlight: number;
  /** Slow attempts at once; beyond it they count as attempts under way. */
  readonly maxSlowAttempts: number;
  /** Attempts under way to one endpoint. */
  readonly laneInFlight: number;
  /** How long an attempt may take before it is a slow attempt, in milliseconds. */
  readonly slowAfterMs: number;
  /** Items given to `send` and not settled, about; see {@link Sender.hasRoom}. */
  readonly maxOutstanding: number;
}

export interface SendReport<Item extends SendItem> {
  readonly finished: readonly Finished<Item>[];
  readonly slowAttempts: readonly SlowAttempt<Item>[];
  /** Their lanes were full. */
  readonly unstarted: readonly Item[];
}

export interface Finished<Item extends SendItem> {
  readonly item: Item;
  readonly outcome: DeliveryOutcome;
}

export interface SlowAttempt<Item extends SendItem> {
  readonly item: Item;
  readonly startedAt: number;
  /** The channel answers by then, in epoch milliseconds. */
  readonly deadlineAt: number;
  readonly outcome: Promise<DeliveryOutcome>;
}

export class Sender {
  readonly #ports: SenderPorts;
  readonly #options: SenderOptions;
  readonly #slots: Slots;
  readonly #lanes: Lanes;
  readonly #prepared = new PreparedMessages();
  /** Attempts that are young and not done, linked from the oldest on. */
  #oldest: SendAttempt | undefined;
  #youngest: SendAttempt | undefined;
  #ageTimer: Timer | undefined;
  #slowAttempts = 0;
  #attempts = 0;
  #outstanding = 0;
  /** Called when there is room again; set by whoever feeds the sender. */
  onRoom: () => void = () => {};

  constructor(ports: SenderPorts, options: SenderOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#slots = new Slots(options.maxInFlight);
    this.#lanes = new Lanes(options.laneInFlight);
  }

  /** Attempts under way. */
  get inFlight(): number {
    return this.#slots.taken + this.#slowAttempts;
  }

  /**
   * Whether more items may be brought. Slow attempts do not count: a chunk that
   * waits for one slow receiver holds up nobody.
   */
  get hasRoom(): boolean {
    return this.#outstanding < this.#options.maxOutstanding;
  }

  /** Attempts made since start. */
  get attempts(): number {
    return this.#attempts;
  }

  /**
   * Makes one attempt for each item. Resolves when each is finished, a slow attempt, or
   * known not to start.
   */
  async send<Item extends SendItem>(
    items: readonly Item[],
  ): Promise<SendReport<Item>> {
    const run = new SendBatch(() => this.#settleOne());
    this.#outstanding += items.length;
    for (const item of items) {
      const { message, recipient } = item;
      const channel = this.#ports.channels.get(recipient.protocol);
      if (channel === undefined) {
        run.finishAtOnce(
          item,
          outcomeWithoutTry(
            item,
            "fail",
            {
              errorClass: "no_channel",
              error: `No channel is set up for protocol ${recipient.protocol}.`,
            },
            this.#ports.clock.now(),
          ),
        );
        continue;
      }
      let prepared: PreparedMessage;
      try {
        const ready = this.#prepared.get(message, channel);
        prepared = ready instanceof Promise ? await ready : ready;
      } catch (error) {
        prepared = failedPreparation(error);
      }
      if (!this.#slots.tryTake()) await this.#slots.take();
      const now = this.#ports.clock.now();
      if (now >= message.expiresAt) {
        this.#slots.free();
        run.finishAtOnce(
          item,
          outcomeWithoutTry(
            item,
            "expire",
            {
              errorClass: "expired",
              error: "The time to live ran out before an attempt was made.",
            },
            now,
          ),
        );
        continue;
      }
      this.#begin(new SendAttempt(item, run, channel, prepared, now));
    }
    // A run reports just the items it was given.
    return (await run.report()) as SendReport<Item>;
  }

  /** Starts an attempt that has a slot, or queues it for its lane. */
  #begin(attempt: SendAttempt): void {
    const { endpoint } = attempt.item.recipient;
    attempt.run.pending++;
    this.#link(attempt);
    this.#watchAge();
    if (this.#lanes.tryEnter(endpoint)) {
      this.#start(attempt);
      return;
    }
    // The slot is for those who can go now.
    this.#slots.free();
    attempt.holdsSlot = false;
    this.#lanes.queue(endpoint, () => {
      if (attempt.phase !== "queued") return false;
      this.#start(attempt);
      return true;
    });
  }

  #start(attempt: SendAttempt): void {
    attempt.phase = "running";
    attempt.startedAt = this.#ports.clock.now();
    this.#attempts++;
    attempt.prepared.deliver(attempt.item.recipient).then(
      (result) => this.#end(attempt, result),
      (error: unknown) => {
        // A channel answers with results; an exception is its defect. The attempt
        // may have gone out.
        this.#ports.logger.error("channel_threw", {
          channel: attempt.channel.name,
          error: String(error),
        });
        this.#end(attempt, {
          outcome: "unknown",
          errorClass: "internal",
          error: "The channel failed; the log says why.",
        });
      },
    );
  }

  #end(attempt: SendAttempt, result: AttemptResult): void {
    const outcome = outcomeOfTry(
      attempt.item,
      result,
      attempt.channel.billable,
      attempt.startedAt,
      this.#ports.clock.now(),
      this.#ports.rules,
    );
    const wasSlow = attempt.phase === "slow";
    if (!wasSlow) this.#unlink(attempt);
    attempt.phase = "done";
    if (attempt.holdsSlot) this.#slots.free();
    else if (wasSlow) this.#slowAttempts--;
    this.#lanes.leave(attempt.item.recipient.endpoint);
    if (wasSlow) attempt.late?.resolve(outcome);
    else {
      attempt.run.finish(attempt.item, outcome);
      attempt.run.settleOne();
    }
  }

  #settleOne(): void {
    this.#outstanding--;
    if (this.#outstanding === this.#options.maxOutstanding - 1) this.onRoom();
  }

  /** Sees to it that the oldest young try is looked at when it is due. */
  #watchAge(): void {
    if (this.#ageTimer !== undefined || this.#oldest === undefined) return;
    const { clock } = this.#ports;
    const dueAt = this.#oldest.begunAt + this.#options.slowAfterMs;
    this.#ageTimer = clock.setTimer(Math.max(1, dueAt - clock.now()), () => {
      this.#ageTimer = undefined;
      this.#age();
      this.#watchAge();
    });
  }

  /** Sorts out the attempts that are not young any more. */
  #age(): void {
    const before = this.#ports.clock.now() - this.#options.slowAfterMs;
    for (;;) {
      const attempt = this.#oldest;
      if (attempt === undefined || attempt.begunAt > before) break;
      this.#unlink(attempt);
      if (attempt.phase === "queued") this.#withdraw(attempt);
      else this.#detach(attempt);
    }
  }

  #link(attempt: SendAttempt): void {
    attempt.older = this.#youngest;
    if (this.#youngest === undefined) this.#oldest = attempt;
    else this.#youngest.younger = attempt;
    this.#youngest = attempt;
  }

  /** An attempt that is done is let go of at once: there are very many of them. */
  #unlink(attempt: SendAttempt): void {
    const { older, younger } = attempt;
    if (older === undefined) this.#oldest = younger;
    else older.younger = younger;
    if (younger === undefined) this.#youngest = older;
    else younger.older = older;
    attempt.older = undefined;
    attempt.younger = undefined;
  }

  #withdraw(attempt: SendAttempt): void {
    attempt.phase = "done";
    attempt.run.unstarted.push(attempt.item);
    attempt.run.settleOne();
  }

  #detach(attempt: SendAttempt): void {
    attempt.phase = "slow";
    attempt.late = Promise.withResolvers();
    if (
      attempt.holdsSlot &&
      this.#slowAttempts < this.#options.maxSlowAttempts
    ) {
      attempt.holdsSlot = false;
      this.#slots.free();
    }
    if (!attempt.holdsSlot) this.#slowAttempts++;
    attempt.run.slowAttempts.push({
      item: attempt.item,
      startedAt: attempt.startedAt,
      deadlineAt: attempt.startedAt + attempt.channel.timeoutMs,
      outcome: attempt.late.promise,
    });
    attempt.run.settleOne();
  }
}

/** One call of `send`. */
class SendBatch {
  readonly finished: Finished<SendItem>[] = [];
  readonly slowAttempts: SlowAttempt<SendItem>[] = [];
  readonly unstarted: SendItem[] = [];
  pending = 0;
  readonly #onSettled: () => void;
  #settled: (() => void) | undefined;

  constructor(onSettled: () => void) {
    this.#onSettled = onSettled;
  }

  finish(item: SendItem, outcome: DeliveryOutcome): void {
    this.finished.push({ item, outcome });
  }

  /** An item was finished that was never begun. */
  finishAtOnce(item: SendItem, outcome: DeliveryOutcome): void {
    this.finish(item, outcome);
    this.#onSettled();
  }

  settleOne(): void {
    this.#onSettled();
    this.pending--;
    if (this.pending === 0) this.#settled?.();
  }

  /** To be called once, after the last item was begun. */
  async report(): Promise<SendReport<SendItem>> {
    if (this.pending > 0) {
      await new Promise<void>((resolve) => {
        this.#settled = resolve;
      });
    }
    return this;
  }
}

class SendAttempt {
  readonly item: SendItem;
  readonly run: SendBatch;
  readonly channel: Channel;
  readonly prepared: PreparedMessage;
  readonly begunAt: number;
  startedAt: number;
  phase: "queued" | "running" | "slow" | "done" = "queued";
  /** Counted in the slots; else, if straggling, among the slow attempts. */
  holdsSlot = true;
  late: PromiseWithResolvers<DeliveryOutcome> | undefined = undefined;
  /** Neighbours among the young attempts. */
  older: SendAttempt | undefined = undefined;
  younger: SendAttempt | undefined = undefined;

  constructor(
    item: SendItem,
    run: SendBatch,
    channel: Channel,
    prepared: PreparedMessage,
    begunAt: number,
  ) {
    this.item = item;
    this.run = run;
    this.channel = channel;
    this.prepared = prepared;
    this.begunAt = begunAt;
    this.startedAt = begunAt;
  }
}

function failedPreparation(error: unknown): PreparedMessage {
  return {
    deliver: async () => ({
      outcome: "deferred",
      errorClass: "internal",
      error: `The message could not be prepared: ${String(error)}`,
    }),
  };
}
