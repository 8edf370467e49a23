/**
 * Makes tries: within the bounds of all tries under way, through the lane of
 * each endpoint. What answers soon is reported as finished; what does not is a
 * straggler and no longer holds up anybody; what found its lane full all that
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
  /** Tries under way at once, those of stragglers not counted. */
  readonly maxInFlight: number;
  /** Stragglers at once; beyond it they count as tries under way. */
  readonly maxStragglers: number;
  /** Tries under way to one endpoint. */
  readonly laneInFlight: number;
  /** How long a try may take before it is a straggler, in milliseconds. */
  readonly parkAfterMs: number;
  /** Items given to `send` and not settled, about; see {@link Sender.hasRoom}. */
  readonly maxOutstanding: number;
}

export interface SendReport<Item extends SendItem> {
  readonly finished: readonly Finished<Item>[];
  readonly stragglers: readonly Straggler<Item>[];
  /** Their lanes were full. */
  readonly unstarted: readonly Item[];
}

export interface Finished<Item extends SendItem> {
  readonly item: Item;
  readonly outcome: DeliveryOutcome;
}

export interface Straggler<Item extends SendItem> {
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
  /** Tries that are young and not done, linked from the oldest on. */
  #oldest: Try | undefined;
  #youngest: Try | undefined;
  #ageTimer: Timer | undefined;
  #stragglers = 0;
  #tries = 0;
  #outstanding = 0;
  /** Called when there is room again; set by whoever feeds the sender. */
  onRoom: () => void = () => {};

  constructor(ports: SenderPorts, options: SenderOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#slots = new Slots(options.maxInFlight);
    this.#lanes = new Lanes(options.laneInFlight);
  }

  /** Tries under way. */
  get inFlight(): number {
    return this.#slots.taken + this.#stragglers;
  }

  /**
   * Whether more items may be brought. Stragglers do not count: a chunk that
   * waits for one slow receiver holds up nobody.
   */
  get hasRoom(): boolean {
    return this.#outstanding < this.#options.maxOutstanding;
  }

  /** Tries made since start. */
  get tries(): number {
    return this.#tries;
  }

  /**
   * Tries each item once. Resolves when each is finished, a straggler, or
   * known not to start.
   */
  async send<Item extends SendItem>(
    items: readonly Item[],
  ): Promise<SendReport<Item>> {
    const run = new Run(() => this.#settleOne());
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
              error: "The time to live ran out before a try was made.",
            },
            now,
          ),
        );
        continue;
      }
      this.#begin(new Try(item, run, channel, prepared, now));
    }
    // A run reports just the items it was given.
    return (await run.report()) as SendReport<Item>;
  }

  /** Starts a try that has a slot, or queues it for its lane. */
  #begin(attempt: Try): void {
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

  #start(attempt: Try): void {
    attempt.phase = "running";
    attempt.startedAt = this.#ports.clock.now();
    this.#tries++;
    attempt.prepared.deliver(attempt.item.recipient).then(
      (result) => this.#end(attempt, result),
      (error: unknown) => {
        // A channel answers with results; an exception is its defect. The try
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

  #end(attempt: Try, result: AttemptResult): void {
    const outcome = outcomeOfTry(
      attempt.item,
      result,
      attempt.channel.careful,
      attempt.startedAt,
      this.#ports.clock.now(),
      this.#ports.rules,
    );
    const wasStraggler = attempt.phase === "straggling";
    if (!wasStraggler) this.#unlink(attempt);
    attempt.phase = "done";
    if (attempt.holdsSlot) this.#slots.free();
    else if (wasStraggler) this.#stragglers--;
    this.#lanes.leave(attempt.item.recipient.endpoint);
    if (wasStraggler) attempt.late?.resolve(outcome);
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
    const dueAt = this.#oldest.begunAt + this.#options.parkAfterMs;
    this.#ageTimer = clock.setTimer(Math.max(1, dueAt - clock.now()), () => {
      this.#ageTimer = undefined;
      this.#age();
      this.#watchAge();
    });
  }

  /** Sorts out the tries that are not young any more. */
  #age(): void {
    const before = this.#ports.clock.now() - this.#options.parkAfterMs;
    for (;;) {
      const attempt = this.#oldest;
      if (attempt === undefined || attempt.begunAt > before) break;
      this.#unlink(attempt);
      if (attempt.phase === "queued") this.#withdraw(attempt);
      else this.#leaveBehind(attempt);
    }
  }

  #link(attempt: Try): void {
    attempt.older = this.#youngest;
    if (this.#youngest === undefined) this.#oldest = attempt;
    else this.#youngest.younger = attempt;
    this.#youngest = attempt;
  }

  /** A try that is done is let go of at once: there are very many of them. */
  #unlink(attempt: Try): void {
    const { older, younger } = attempt;
    if (older === undefined) this.#oldest = younger;
    else older.younger = younger;
    if (younger === undefined) this.#youngest = older;
    else younger.older = older;
    attempt.older = undefined;
    attempt.younger = undefined;
  }

  #withdraw(attempt: Try): void {
    attempt.phase = "done";
    attempt.run.unstarted.push(attempt.item);
    attempt.run.settleOne();
  }

  #leaveBehind(attempt: Try): void {
    attempt.phase = "straggling";
    attempt.late = Promise.withResolvers();
    if (attempt.holdsSlot && this.#stragglers < this.#options.maxStragglers) {
      attempt.holdsSlot = false;
      this.#slots.free();
    }
    if (!attempt.holdsSlot) this.#stragglers++;
    attempt.run.stragglers.push({
      item: attempt.item,
      startedAt: attempt.startedAt,
      deadlineAt: attempt.startedAt + attempt.channel.timeoutMs,
      outcome: attempt.late.promise,
    });
    attempt.run.settleOne();
  }
}

/** One call of `send`. */
class Run {
  readonly finished: Finished<SendItem>[] = [];
  readonly stragglers: Straggler<SendItem>[] = [];
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

class Try {
  readonly item: SendItem;
  readonly run: Run;
  readonly channel: Channel;
  readonly prepared: PreparedMessage;
  readonly begunAt: number;
  startedAt: number;
  phase: "queued" | "running" | "straggling" | "done" = "queued";
  /** Counted in the slots; else, if straggling, among the stragglers. */
  holdsSlot = true;
  late: PromiseWithResolvers<DeliveryOutcome> | undefined = undefined;
  /** Neighbours among the young tries. */
  older: Try | undefined = undefined;
  younger: Try | undefined = undefined;

  constructor(
    item: SendItem,
    run: Run,
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
