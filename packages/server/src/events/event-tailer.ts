/**
 * Reads the change feed once for all listeners of this process. Listeners that
 * resume read what they missed by themselves, in the same loop, and join the
 * others where they meet. Without listeners nothing is read.
 */

import {
  CarillonError,
  type ChangeFeed,
  type Clock,
  type EventContext,
  type FeedPosition,
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
import { toToldBatches } from "./told-batch.ts";

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
    const { store } = this.#ports;
    let isMore = false;
    // The first listener says where reading begins.
    this.#position ??= await store.readLatestPosition();
    const after = this.#position;
    const page = await store.readChanges(after, pageSize);
    if (page.kind === "gone") {
      this.#position = await store.readLatestPosition();
      for (const listener of this.#live) listener.gap(this.#position);
      return true;
    }
    isMore = page.batches.length === pageSize;
    for (const batch of await toToldBatches(
      store,
      after,
      page.batches,
      this.#ports,
    )) {
      for (const listener of [...this.#live]) await listener.take(batch);
      this.#position = batch.position;
      this.#join();
    }
    for (const listener of [...this.#behind]) {
      if (await this.#catchUp(listener)) isMore = true;
    }
    return isMore;
  }

  /** Answers whether it is to be called again. */
  async #catchUp(listener: EventListener): Promise<boolean> {
    const { store } = this.#ports;
    const { position } = listener.at;
    if (this.#join()) return true;
    const page = await store.readChanges(position, pageSize);
    if (page.kind === "gone") {
      listener.gap(await store.readLatestPosition());
      return true;
    }
    // Nothing behind it: the others come there, too.
    if (page.batches.length === 0) return !this.#join();
    for (const batch of await toToldBatches(
      store,
      position,
      page.batches,
      this.#ports,
    )) {
      await listener.take(batch);
      if (listener.isClosed || this.#join()) break;
    }
    return true;
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
