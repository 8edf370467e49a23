/**
 * Reads the change feed once for all listeners of this process. Listeners that
 * resume read what they missed by themselves, in the same loop, and join the
 * others where they meet. Without listeners nothing is read.
 */

import {
  CarillonError,
  type ChangeBatch,
  type ChangeFeed,
  type Clock,
  type EventContext,
  type FeedPosition,
  isPermanent,
  type Logger,
  type Timer,
  WorkLoop,
} from "@carillon/core";
import {
  type EventFilter,
  EventListener,
  type EventListenerPorts,
  type ListenerPosition,
} from "./event-listener.ts";
import { type ToldBatch, toToldBatches } from "./told-batch.ts";

export interface EventTailerPorts extends EventContext {
  readonly store: ChangeFeed;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly random: () => number;
}

/** Streams open at once: of a project, and in all. */
const maxOfProject = 256;
const maxInAll = 1024;
/** Batches read at once. */
const pageSize = 50;
/** The feed is read without a hint so often. */
const pollMs = 1000;

export class EventTailer implements Disposable {
  readonly #ports: EventTailerPorts;
  readonly #loop: WorkLoop;
  /** Those that are told what is read next. */
  readonly #live = new Set<EventListener>();
  /** Those that still read what they missed. */
  readonly #behind = new Set<EventListener>();
  /** Where the live ones stand; `undefined` while nobody listens. */
  #position: FeedPosition | undefined;
  #poll: Timer | undefined;
  #stopWatching = () => {};
  #isEnded = false;
  #dropped = 0;

  constructor(ports: EventTailerPorts) {
    this.#ports = ports;
    this.#loop = new WorkLoop(ports, {
      name: "event-listeners",
      hasRoom: () => this.count > 0,
      claim: () => this.#readOn(),
    });
  }

  /** Streams that are open. */
  get count(): number {
    return this.#live.size + this.#behind.size;
  }

  /** Listeners that were disconnected since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Adds a listener; `after`: where it goes on, else at the present.
   *
   * @throws CarillonError SHUTTING_DOWN, OVERLOADED
   */
  async listen(
    filter: EventFilter,
    after: ListenerPosition | undefined,
    open: () => Pick<EventListenerPorts, "output" | "cut">,
  ): Promise<void> {
    const { store, clock, logger } = this.#ports;
    this.#checkRoom(filter);
    const at = after ?? {
      position: await store.readLatestPosition(),
      offset: 0,
    };
    this.#checkRoom(filter);
    const listener: EventListener = new EventListener(filter, at, {
      clock,
      ...open(),
      onClosed: () => this.#remove(listener),
      onDropped: (durationMs) => {
        this.#dropped++;
        const { projectId } = filter;
        logger.warn("event_listener_dropped", { projectId, durationMs });
      },
    });
    this.#behind.add(listener);
    if (this.count === 1) this.#begin();
    this.#loop.wake();
  }

  /** Ends all streams; none opens any more. */
  endAll(): void {
    this.#isEnded = true;
    for (const listener of [...this.#live, ...this.#behind]) {
      listener.end("stopping");
    }
  }

  [Symbol.dispose](): void {
    this.endAll();
    void this.#loop.stop();
  }

  #checkRoom({ projectId }: EventFilter): void {
    if (this.#isEnded) throw new CarillonError("SHUTTING_DOWN");
    let ofProject = 0;
    for (const listeners of [this.#live, this.#behind]) {
      for (const it of listeners) {
        if (it.filter.projectId === projectId) ofProject++;
      }
    }
    if (ofProject < maxOfProject && this.count < maxInAll) return;
    throw new CarillonError(
      "OVERLOADED",
      `Too many streams of events are open: ${maxOfProject} of a project and ${maxInAll} in all. Close some, and try again.`,
    );
  }

  #begin(): void {
    this.#stopWatching = this.#ports.store.watchFeed(() => this.#loop.wake());
    const poll = () => {
      this.#poll = this.#ports.clock.setTimer(pollMs, poll);
      this.#loop.wake();
    };
    this.#poll?.cancel();
    this.#poll = this.#ports.clock.setTimer(pollMs, poll);
  }

  #remove(listener: EventListener): void {
    this.#live.delete(listener);
    this.#behind.delete(listener);
    if (this.count > 0) return;
    this.#stopWatching();
    this.#poll?.cancel();
    this.#position = undefined;
  }

  /** Answers whether there may be more to read. */
  async #readOn(): Promise<boolean> {
    let isMore = await this.#readLive();
    for (const listener of [...this.#behind]) {
      try {
        if (await this.#catchUp(listener)) isMore = true;
      } catch (error) {
        // The next hint, or the clock, has it read again.
        this.#logFailure(listener, error);
      }
    }
    return isMore;
  }

  /** The same, of those that are told what happens. */
  async #readLive(): Promise<boolean> {
    const { store } = this.#ports;
    const after = this.#position ?? (await store.readLatestPosition());
    // The first listener says where reading begins; the last may have gone.
    if (this.count === 0) return false;
    this.#position = after;
    const page = await store.readChanges(after, pageSize);
    if (page.kind === "gone") {
      const latest = await store.readLatestPosition();
      if (this.#moveOn(after, latest)) {
        for (const listener of this.#live) listener.gap(latest);
      }
      return true;
    }
    const batches = await this.#toTold(after, page.batches);
    for (const batch of batches) {
      for (const listener of [...this.#live]) await this.#tell(listener, batch);
      // Others listen than did before.
      if (!this.#moveOn(batch.before, batch.position)) return true;
      this.#join();
    }
    return batches.length === pageSize;
  }

  /** Answers whether it is to be called again at once. */
  async #catchUp(listener: EventListener): Promise<boolean> {
    const { store } = this.#ports;
    if (this.#join()) return true;
    if (listener.isClosed) return false;
    const { position } = listener.at;
    const page = await store.readChanges(position, pageSize);
    if (page.kind === "gone") {
      listener.gap(await store.readLatestPosition());
      return true;
    }
    if (page.batches.length === 0) {
      // The others are here, or come here with what they read next.
      listener.dropOffset();
      this.#join();
      return false;
    }
    for (const batch of await this.#toTold(position, page.batches)) {
      await this.#tell(listener, batch);
      // It may have failed, so that it has to be read again, later.
      if (listener.at.position !== batch.position) return false;
      if (listener.isClosed || this.#join()) break;
    }
    return true;
  }

  #toTold(
    after: FeedPosition,
    batches: readonly ChangeBatch[],
  ): Promise<ToldBatch[]> {
    return toToldBatches(this.#ports.store, after, batches, this.#ports);
  }

  /** A listener that fails holds up no other: it reads again by itself. */
  async #tell(listener: EventListener, batch: ToldBatch): Promise<void> {
    try {
      await listener.take(batch);
    } catch (error) {
      this.#logFailure(listener, error);
      if (isPermanent(error)) listener.gap(batch.position);
      else if (this.#live.delete(listener)) this.#behind.add(listener);
    }
  }

  /** False: everybody who listened at `from` has gone meanwhile. */
  #moveOn(from: FeedPosition, to: FeedPosition): boolean {
    if (this.#position !== from) return false;
    this.#position = to;
    return true;
  }

  #logFailure(listener: EventListener, error: unknown): void {
    const { projectId } = listener.filter;
    const { position } = listener.at;
    this.#ports.logger.warn("event_not_streamed", {
      projectId,
      position,
      error,
    });
  }

  /** Those that are where the others are, with nothing half told. */
  #join(): boolean {
    let hasJoined = false;
    for (const listener of this.#behind) {
      const { position, offset } = listener.at;
      if (listener.isClosed) this.#behind.delete(listener);
      else if (position === this.#position && offset === 0) {
        this.#behind.delete(listener);
        this.#live.add(listener);
        hasJoined = true;
      }
    }
    return hasJoined;
  }
}
