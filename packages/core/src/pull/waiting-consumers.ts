/**
 * Those who want messages, by mailbox, and the one loop that leases for them all:
 * what many mailboxes want at about the same time costs one transaction. Whoever
 * waits longest at a mailbox is served first.
 *
 * A mailbox is `ready` while there may be something in it. That is cleared before
 * the store is asked, so that a hint that comes meanwhile is not lost.
 */

import { WorkLoop, type WorkLoopPorts } from "../engine/work-loop.ts";
import { isPermanent } from "../errors.ts";
import type {
  LeaseRequest,
  MessageLease,
  MessageQueueStore,
} from "../ports/message-queue-store.ts";
import type { StreamEnd } from "./mailboxes.ts";

export interface WaitingConsumersPorts extends WorkLoopPorts {
  readonly store: Pick<MessageQueueStore, "leaseMessages">;
  readonly maxDeliveries: () => number;
  /** Something was leased. */
  readonly onLeased: (leases: readonly MessageLease[]) => void;
}

/** Somebody who wants messages of one mailbox. None of its methods throws. */
export interface Consumer {
  /** How many it takes now; 0: it only keeps its place. */
  readonly wanted: number;
  readonly leaseMs: number;
  /** Of a stream: the event behind which the next ones are numbered. */
  readonly stream?: number;
  /** Gets what was leased for it, also when it is gone: then it gives it back. */
  take(leases: readonly MessageLease[]): void;
  /** The mailbox has nothing for it now. */
  onNothing(): void;
  /** The store could not be asked. */
  onFailure(error: unknown): void;
  /** It waits no more. */
  end(reason: StreamEnd): void;
}

/** A mailbox at which somebody waits. */
interface Place {
  readonly mailbox: number;
  /** The one that waits longest first. */
  readonly consumers: Set<Consumer>;
  /** There may be something in it. */
  isReady: boolean;
}

/** A part of one call: what a mailbox is asked for, and by whom. */
interface Turn {
  readonly place: Place;
  readonly consumers: readonly Consumer[];
  readonly requests: readonly LeaseRequest[];
}

/**
 * Requests of one call, and of one mailbox in it. No more: the first are answered
 * while the store leases for the next.
 */
const maxRequests = 100;
const maxOfPlace = 16;

/** Calls that the store is given at once, so that it goes from one to the next. */
const maxCalls = 16;

/** Mailboxes at which nobody waits that are known to have more. */
const maxLeft = 10_000;

/** Of several consumers at a mailbox each gets so many at a time, at most. */
const sharedLimit = 16;

export class WaitingConsumers {
  readonly #ports: WaitingConsumersPorts;
  readonly #places = new Map<number, Place>();
  /** Those at which nobody waits and in which there may be something. */
  readonly #left = new Set<number>();
  /** Those that are to be asked next, in order. */
  readonly #queue = new Set<Place>();
  readonly #loop: WorkLoop;

  constructor(ports: WaitingConsumersPorts) {
    this.#ports = ports;
    this.#loop = new WorkLoop(ports, {
      name: "mailboxes",
      hasRoom: () => this.#queue.size > 0,
      claim: () => this.#lease(),
    });
  }

  /** Those at a mailbox, the one that waits longest first. */
  at(mailbox: number): Iterable<Consumer> {
    return this.#places.get(mailbox)?.consumers ?? [];
  }

  countAt(mailbox: number): number {
    return this.#places.get(mailbox)?.consumers.size ?? 0;
  }

  /** All of them, as they are now. */
  list(): Consumer[] {
    return [...this.#places.values()].flatMap(({ consumers }) => [
      ...consumers,
    ]);
  }

  /** Whether there may be something, as far as it is known here. */
  mayHaveMessages(mailbox: number): boolean {
    return this.#places.get(mailbox)?.isReady ?? this.#left.has(mailbox);
  }

  /** From now on it is served, once there is something. */
  add(mailbox: number, consumer: Consumer): void {
    let place = this.#places.get(mailbox);
    if (place === undefined) {
      place = {
        mailbox,
        consumers: new Set(),
        isReady: this.#left.delete(mailbox),
      };
      this.#places.set(mailbox, place);
    }
    place.consumers.add(consumer);
    this.#queueIfReady(place);
  }

  remove(mailbox: number, consumer: Consumer): void {
    const place = this.#places.get(mailbox);
    if (!place?.consumers.delete(consumer) || place.consumers.size > 0) return;
    this.#places.delete(mailbox);
    this.#queue.delete(place);
  }

  /** There may be something in these mailboxes. */
  hint(mailboxes: Iterable<number>): void {
    for (const mailbox of mailboxes) {
      const place = this.#places.get(mailbox);
      if (place) this.#setReady(place);
    }
  }

  /** A consumer at the mailbox takes more than it did. */
  wantsMore(mailbox: number): void {
    const place = this.#places.get(mailbox);
    if (place) this.#queueIfReady(place);
  }

  /** Leases no more; resolves once nothing is being leased. */
  stop(): Promise<void> {
    return this.#loop.stop();
  }

  #setReady(place: Place): void {
    place.isReady = true;
    this.#queueIfReady(place);
  }

  /** Whoever comes there next need not look whether there is something. */
  #leave(mailbox: number): void {
    // A place of somebody who came meanwhile looked by itself.
    if (this.#places.has(mailbox)) return;
    if (this.#left.size >= maxLeft) this.#left.clear();
    this.#left.add(mailbox);
  }

  #queueIfReady(place: Place): void {
    if (!place.isReady) return;
    this.#queue.add(place);
    this.#loop.wake();
  }

  /** Answers whether there are more who may get something. */
  async #lease(): Promise<boolean> {
    // What comes in the same turn of the event loop goes along.
    await this.#ports.clock.nextTurn();
    const calls: Promise<void>[] = [];
    while (this.#queue.size > 0 && calls.length < maxCalls) {
      const turns = this.#takeTurns();
      if (turns.length > 0) calls.push(this.#leaseFor(turns));
    }
    const failed = (await Promise.allSettled(calls)).find(
      (call) => call.status === "rejected",
    );
    if (failed) throw failed.reason;
    return this.#queue.size > 0;
  }

  /** @throws what may not come again */
  async #leaseFor(turns: readonly Turn[]): Promise<void> {
    const { store, clock, maxDeliveries } = this.#ports;
    const requests = turns.flatMap((turn) => turn.requests);
    let answers: readonly (readonly MessageLease[])[];
    try {
      answers = await store.leaseMessages(
        requests,
        clock.now(),
        maxDeliveries(),
      );
    } catch (error) {
      if (isPermanent(error) && turns.length > 1) await this.#leaseEach(turns);
      else this.#fail(turns, error);
      // What may come again is tried again after a while, and logged.
      if (!isPermanent(error)) throw error;
      return;
    }
    let first = 0;
    for (const turn of turns) {
      const next = first + turn.requests.length;
      this.#serve(turn, answers.slice(first, next));
      first = next;
    }
  }

  /** One mailbox that cannot be read costs its own consumers, and no others. */
  async #leaseEach(turns: readonly Turn[]): Promise<void> {
    const { store, clock, maxDeliveries } = this.#ports;
    for (const turn of turns) {
      try {
        const now = clock.now();
        const { requests } = turn;
        const answers = await store.leaseMessages(
          requests,
          now,
          maxDeliveries(),
        );
        this.#serve(turn, answers);
      } catch (error) {
        this.#fail([turn], error);
      }
      await clock.nextTurn();
    }
  }

  #takeTurns(): Turn[] {
    const turns: Turn[] = [];
    let count = 0;
    for (const place of this.#queue) {
      if (count >= maxRequests) break;
      this.#queue.delete(place);
      const turn = takeTurn(place, Math.min(maxOfPlace, maxRequests - count));
      // It stays ready for those who want something later.
      if (turn.requests.length === 0) continue;
      place.isReady = false;
      turns.push(turn);
      count += turn.requests.length;
    }
    return turns;
  }

  #serve(
    { place, consumers, requests }: Turn,
    answers: readonly (readonly MessageLease[])[],
  ): void {
    let mayHaveMore = false;
    for (const [n, consumer] of consumers.entries()) {
      const leases = answers[n] ?? [];
      mayHaveMore = leases.length === requests[n]?.limit;
      if (leases.length === 0) continue;
      // The others come first next time.
      if (place.consumers.delete(consumer)) place.consumers.add(consumer);
      this.#ports.onLeased(leases);
      consumer.take(leases);
    }
    if (place.consumers.size === 0) {
      if (mayHaveMore) this.#leave(place.mailbox);
      return;
    }
    if (mayHaveMore) this.#setReady(place);
    else if (!place.isReady) {
      for (const consumer of [...place.consumers]) consumer.onNothing();
    }
  }

  #fail(turns: readonly Turn[], error: unknown): void {
    for (const { place, consumers } of turns) {
      // What may come again the loop logs, once for all.
      if (isPermanent(error)) {
        const { mailbox } = place;
        this.#ports.logger.error("mailbox_failed", { mailbox, error });
      }
      for (const consumer of consumers) consumer.onFailure(error);
      // Those who are left are served when it works again.
      this.#setReady(place);
    }
  }
}

function takeTurn(place: Place, max: number): Turn {
  const consumers: Consumer[] = [];
  const requests: LeaseRequest[] = [];
  const isShared = place.consumers.size > 1;
  for (const consumer of place.consumers) {
    if (consumers.length >= max) break;
    const { wanted, leaseMs, stream } = consumer;
    if (wanted <= 0) continue;
    const { mailbox } = place;
    const limit =
      isShared && stream !== undefined ? Math.min(wanted, sharedLimit) : wanted;
    consumers.push(consumer);
    requests.push({
      mailbox,
      limit,
      leaseMs,
      ...(stream !== undefined && { stream }),
    });
  }
  return { place, consumers, requests };
}
