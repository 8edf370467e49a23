/**
 * The durable consumer of the change feed: tells status URLs and event topics
 * what happened. It reads a page, writes its messages, and has the store accept
 * them in the transaction that moves its position: `kill -9` before it leads to
 * the same page being read again, after it to the next one. So each event is
 * accepted once, in the order of the feed.
 *
 * One works at a time over all nodes that share a store: the position is leased.
 */

import { WorkLoop } from "../engine/work-loop.ts";
import { CarillonError, isTransient } from "../errors.ts";
import type {
  ChangeBatch,
  ChangeFeed,
  EventMessage,
  FeedPosition,
} from "../ports/change-feed.ts";
import type { Timer } from "../ports/clock.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Logger } from "../ports/logger.ts";
import { addMs } from "../time.ts";
import {
  createEventMessages,
  type EventMessagePorts,
} from "./event-messages.ts";

export interface EventPublisherPorts extends EventMessagePorts {
  readonly store: EventMessagePorts["store"] & ChangeFeed;
  readonly dispatcher: Pick<Dispatcher, "offer">;
  readonly logger: Logger;
  readonly random: () => number;
  readonly seal: Pick<ContentSeal, "seal">;
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
/** Read without a hint so often; also renews the lease. */
const pollMs = 5000;
/** Read but unwanted batches after which the position is written at once. */
const maxUnwritten = 1000;
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
  ) => Promise<EventMessage[]>;
  /** As the store has it; `undefined`: not ours. */
  #written: FeedPosition | undefined;
  /** What is read; between the two nobody wants anything. */
  #read: FeedPosition | undefined;
  #unwritten = 0;
  #renewAt = 0;
  #writeAt = 0;
  #timers: Timer[] = [];
  #stopWatching = () => {};

  constructor(ports: EventPublisherPorts, options: EventPublisherOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#toMessages = createEventMessages(ports);
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
    const { store, clock, logger } = this.#ports;
    await this.#claim();
    if (this.#written === undefined || this.#read === undefined) return false;
    const page = await store.readChanges(this.#read, pageSize);
    if (page.kind === "gone") {
      // What is not read is kept; so this is another store than it was.
      const latest = await store.readLatestPosition();
      logger.error("events_lost", { position: this.#read, latest });
      await this.#advance(latest, []);
      return true;
    }
    const { batches } = page;
    const last = batches.at(-1);
    if (last) {
      const messages = (await store.findEventConsumer())
        ? await this.#seal(await this.#toMessages(batches))
        : [];
      this.#read = last.position;
      this.#unwritten += batches.length;
      if (messages.length > 0) {
        await this.#advance(last.position, messages);
        return true;
      }
    }
    const isDue =
      this.#unwritten >= maxUnwritten ||
      (this.#unwritten > 0 && clock.monotonic() >= this.#writeAt);
    if (isDue) await this.#advance(this.#read, []);
    return batches.length === pageSize;
  }

  async #claim(): Promise<void> {
    const { store, clock, owner } = this.#ports;
    const now = clock.monotonic();
    if (this.#written !== undefined && now < this.#renewAt) return;
    const before = this.#written;
    this.#written = undefined;
    const held = await store.claimConsumer(consumerName, { owner, leaseMs });
    if (held === undefined) return;
    this.#written = held;
    this.#renewAt = now + leaseMs / 3;
    // Another owner may have moved it meanwhile.
    if (held !== before) {
      this.#read = held;
      this.#unwritten = 0;
    }
  }

  async #advance(
    to: FeedPosition,
    messages: readonly EventMessage[],
  ): Promise<void> {
    const { store, clock, dispatcher, logger, owner } = this.#ports;
    const from = this.#written;
    if (from === undefined) return;
    const move = (events: readonly EventMessage[]) =>
      store.advanceConsumer({ name: consumerName, owner }, from, to, events);
    // Whatever comes of it, it is asked again where it stands unless it moved.
    this.#written = undefined;
    let isMoved: boolean;
    try {
      isMoved = await move(messages);
    } catch (error) {
      // Once more would fail as well, and hold up all that follows.
      if (isTransient(error) || messages.length === 0) throw error;
      logger.error("events_refused", { count: messages.length, error });
      isMoved = await move([]);
    }
    if (!isMoved) return;
    this.#written = to;
    this.#read = to;
    this.#unwritten = 0;
    this.#writeAt = clock.monotonic() + pollMs;
    if (messages.length === 0) return;
    // A lost hint only delays: the sweeper finds the rows.
    dispatcher.offer({ kind: "range", dueInMs: 0 });
    dispatcher.offer({ kind: "delivery", dueInMs: 0 });
  }

  /** As other messages are; what cannot be sealed is left out, and logged. */
  async #seal(events: readonly EventMessage[]): Promise<EventMessage[]> {
    const { seal, logger } = this.#ports;
    const sealed: EventMessage[] = [];
    for (const event of events) {
      // Direct ones belong to no topic whose key it could be.
      if ("recipient" in event) {
        sealed.push(event);
        continue;
      }
      try {
        sealed.push({ message: await seal.seal(event.message) });
      } catch (error) {
        if (!(error instanceof CarillonError && error.code === "KEY_UNUSABLE"))
          throw error;
        logger.warn("event_not_published", {
          projectId: event.message.projectId,
          error,
        });
      }
    }
    return sealed;
  }

  /** Answers whether there may be more to remove. */
  async #forget(): Promise<boolean> {
    const { keepMs, keepBatches } = this.#options;
    const { store, clock } = this.#ports;
    const before = addMs(clock.now(), -keepMs);
    const count = await store.forgetChanges(
      { before, maxBatches: keepBatches },
      forgetLimit,
    );
    return count === forgetLimit;
  }
}
