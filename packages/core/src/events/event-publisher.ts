/**
 * The durable consumer of the change feed: tells status URLs and event topics
 * what happened. It reads a page, writes its messages, and has the store accept
 * them in the transaction that moves its position: `kill -9` before it leads to
 * the same page being read again, after it to the next one. So each event is
 * accepted once, in the order of the feed.
 *
 * One works at a time over all nodes that share a store: the position is leased.
 * The same one removes what is too old.
 *
 * What cannot be read, told or accepted is left out and logged: it holds up
 * neither what follows nor the feed's retention.
 */

import { WorkLoop } from "../engine/work-loop.ts";
import { isPermanent } from "../errors.ts";
import type {
  ChangeBatch,
  ChangeFeed,
  EventMessage,
  FeedPosition,
} from "../ports/change-feed.ts";
import type { Timer } from "../ports/clock.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import { addMs } from "../time.ts";
import type { BatchMessages } from "./event-messages.ts";
import { lateOutcomesMs } from "./late-outcomes.ts";
import {
  createSoundMessages,
  cutByEvents,
  type SoundMessagePorts,
} from "./sound-messages.ts";

export interface EventPublisherPorts extends SoundMessagePorts {
  readonly store: SoundMessagePorts["store"] & ChangeFeed;
  readonly dispatcher: Pick<Dispatcher, "offer">;
  readonly random: () => number;
  /** Names this process to others on the same store. */
  readonly owner: string;
}

export interface EventPublisherOptions {
  /** How long changes are kept, in milliseconds. */
  readonly keepMs: number;
  /** How many transactions' changes are kept at most. */
  readonly keepBatches: number;
}

const consumerName = "events";
const leaseMs = 30_000;
/** Batches of one page. */
const pageSize = 50;
/**
 * Deliveries and other events that one write tells at most, or those of one
 * transaction; twice as many messages, so that others' writes go on meanwhile.
 */
export const maxEventsPerWrite = 500;
/** Read without a hint so often; also renews the lease. */
const pollMs = 5000;
const forgetEveryMs = 60_000;
/** Batches removed in one write. */
const forgetLimit = 500;

export class EventPublisher {
  readonly #ports: EventPublisherPorts;
  readonly #options: EventPublisherOptions;
  readonly #loop: WorkLoop;
  readonly #retention: WorkLoop;
  readonly #toMessages: (
    batches: readonly ChangeBatch[],
  ) => Promise<BatchMessages[]>;
  /** As the store has it; `undefined`: not ours. */
  #written: FeedPosition | undefined;
  /** What is read; between the two nobody wants anything. */
  #read: FeedPosition | undefined;
  #renewAt = 0;
  /** Until then no other owner has the place; monotonic. */
  #leaseEndsAt = 0;
  #writeAt = 0;
  #timers: Timer[] = [];
  #stopWatching = () => {};

  constructor(ports: EventPublisherPorts, options: EventPublisherOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#toMessages = createSoundMessages(ports);
    this.#loop = new WorkLoop(ports, {
      name: "events",
      hasRoom: () => true,
      claim: () => this.#readOn(),
    });
    this.#retention = new WorkLoop(ports, {
      name: "change-retention",
      hasRoom: () => true,
      claim: () => this.#forget(),
    });
  }

  /** Begins to read where the last one stopped. */
  start(): void {
    this.#stopWatching = this.#ports.store.watchFeed(() => this.#loop.wake());
    this.#repeat(0, pollMs, () => this.#loop.wake());
    this.#repeat(1, forgetEveryMs, () => this.#retention.wake());
    this.#loop.wake();
  }

  /** Reads no more; resolves once nothing is being written. */
  async stop(): Promise<void> {
    this.#stopWatching();
    for (const timer of this.#timers) timer.cancel();
    await Promise.all([this.#loop.stop(), this.#retention.stop()]);
  }

  #repeat(place: number, ms: number, run: () => void): void {
    this.#timers[place] = this.#ports.clock.setTimer(ms, () => {
      run();
      this.#repeat(place, ms, run);
    });
  }

  /** Answers whether there may be more to read. */
  async #readOn(): Promise<boolean> {
    const { store, logger } = this.#ports;
    await this.#claim();
    if (this.#written === undefined || this.#read === undefined) return false;
    if (await this.#skipUnwanted()) {
      await this.#writePosition();
      return false;
    }
    const page = await store.readChanges(this.#read, pageSize);
    if (page.kind === "gone") {
      const { next } = page;
      logger.error("events_lost", { position: this.#read, next });
      await this.#advance(next, []);
      return true;
    }
    const { batches } = page;
    for (const { position, unreadable: error } of batches) {
      if (error !== undefined) {
        logger.error("change_unreadable", { position, error });
      }
    }
    if (!(await this.#tell(batches))) return true;
    await this.#writePosition();
    return batches.length === pageSize;
  }

  /**
   * Goes to the end where nobody wants anything, as nearly always: reading all
   * that happens would cost each delivery. The end is read first: what is written
   * behind it meanwhile may be wanted.
   */
  async #skipUnwanted(): Promise<boolean> {
    const { store, clock } = this.#ports;
    const end = await store.readLatestPosition();
    const since = addMs(clock.now(), -lateOutcomesMs);
    if (await store.findEventConsumer(since)) return false;
    this.#read = end;
    return true;
  }

  /** Now and then, where nothing was to be told. */
  async #writePosition(): Promise<void> {
    const read = this.#read;
    if (read === undefined || read === this.#written) return;
    if (this.#ports.clock.monotonic() >= this.#writeAt) {
      await this.#advance(read, []);
    }
  }

  async #claim(): Promise<void> {
    const { store, clock, owner } = this.#ports;
    const now = clock.monotonic();
    if (this.#written !== undefined && now < this.#renewAt) return;
    const before = this.#written;
    this.#written = undefined;
    const held = await store.claimConsumer(consumerName, { owner, leaseMs });
    this.#leaseEndsAt = held === undefined ? now : now + leaseMs;
    if (held === undefined) return;
    this.#written = held;
    this.#renewAt = now + leaseMs / 3;
    // Another owner may have moved it meanwhile.
    if (held !== before) {
      this.#read = held;
    }
  }

  /** Reads past the batches. False: another owner has the place. */
  async #tell(batches: readonly ChangeBatch[]): Promise<boolean> {
    for (const part of cutByEvents(batches, maxEventsPerWrite)) {
      const told = await this.#toMessages(part);
      if (told.some(({ messages }) => messages.length > 0)) {
        if (!(await this.#write(told))) return false;
        continue;
      }
      this.#read = part.at(-1)?.position ?? this.#read;
    }
    return true;
  }

  /** Has the messages accepted. False: another owner has the place. */
  async #write(told: readonly BatchMessages[]): Promise<boolean> {
    const { logger } = this.#ports;
    const position = told.at(-1)?.position;
    if (position === undefined) return true;
    const messages = told.flatMap((batch) => batch.messages);
    try {
      return await this.#advance(position, messages);
    } catch (error) {
      // Once more would fail as well, and hold up all that follows.
      if (!isPermanent(error) || messages.length === 0) throw error;
      if (told.length === 1) {
        const { length: count } = messages;
        logger.error("events_refused", { position, count, error });
        return await this.#advance(position, []);
      }
    }
    for (const batch of told) {
      if (!(await this.#write([batch]))) return false;
    }
    return true;
  }

  /** Answers whether it moved; else another owner has the place. */
  async #advance(
    to: FeedPosition,
    messages: readonly EventMessage[],
  ): Promise<boolean> {
    const { store, clock, dispatcher, owner } = this.#ports;
    const from = this.#written;
    if (from === undefined) return false;
    const consumer = { name: consumerName, owner };
    // Whatever comes of it, it is asked again where it stands unless it moved.
    this.#written = undefined;
    try {
      if (!(await store.advanceConsumer(consumer, from, to, messages))) {
        return false;
      }
    } catch (error) {
      // It was undone. Should it stand elsewhere after all, nothing is accepted.
      if (isPermanent(error)) this.#written = from;
      throw error;
    }
    this.#written = to;
    this.#read = to;
    this.#writeAt = clock.monotonic() + pollMs;
    if (messages.length === 0) return true;
    // A lost hint only delays: the sweeper finds the rows.
    dispatcher.offer({ kind: "range", dueInMs: 0 });
    dispatcher.offer({ kind: "delivery", dueInMs: 0 });
    return true;
  }

  /** Answers whether there may be more to remove. */
  async #forget(): Promise<boolean> {
    const { keepMs, keepBatches } = this.#options;
    const { store, clock } = this.#ports;
    // It is the business of whoever reads for all nodes.
    if (clock.monotonic() >= this.#leaseEndsAt) return false;
    const before = addMs(clock.now(), -keepMs);
    const count = await store.forgetChanges(
      { before, maxBatches: keepBatches },
      forgetLimit,
    );
    return count === forgetLimit;
  }
}
