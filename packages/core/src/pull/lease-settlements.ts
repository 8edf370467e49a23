/**
 * How leases end other than by time: their consumers settle or extend them, or
 * they are given back for consumers who never had the messages. Streams of the
 * mailbox are told, whoever did it.
 */

import type { Clock } from "../ports/clock.ts";
import type { Logger } from "../ports/logger.ts";
import type {
  LeaseKey,
  MessageQueueStore,
} from "../ports/message-queue-store.ts";
import { addMs, type EpochMs } from "../time.ts";
import { toLeaseId } from "./lease-id.ts";
import type { PullSettings, SettledLeases } from "./mailboxes.ts";
import type { OpenStream } from "./open-stream.ts";
import type { QueueEvent } from "./queue-event.ts";

export interface LeaseSettlementsPorts {
  readonly store: Pick<
    MessageQueueStore,
    | "ackLeases"
    | "nackLeases"
    | "extendLeases"
    | "returnLeases"
    | "confirmMessages"
  >;
  readonly clock: Pick<Clock, "now">;
  readonly logger: Logger;
  readonly settings: () => Pick<PullSettings, "maxDeliveries">;
  readonly streamsAt: (mailbox: number) => Iterable<OpenStream>;
  readonly count: (
    event: Extract<QueueEvent, "nacked">,
    messages: number,
  ) => void;
  /** A lease, or a delay, ends then. */
  readonly onUntil: (until: EpochMs) => void;
}

export class LeaseSettlements {
  readonly #ports: LeaseSettlementsPorts;
  /** Writes that nobody waits for. */
  readonly #writes = new Set<Promise<void>>();

  constructor(ports: LeaseSettlementsPorts) {
    this.#ports = ports;
  }

  /** See `MessageQueueStore.confirmMessages`. */
  async confirm(
    mailbox: number,
    messageSeqs: readonly number[],
    isSuccess: boolean,
  ): Promise<number> {
    const { store, clock, streamsAt, count } = this.#ports;
    const confirmed = await store.confirmMessages(
      mailbox,
      messageSeqs,
      isSuccess,
      clock.now(),
    );
    if (!isSuccess) count("nacked", confirmed);
    const seqs = new Set(messageSeqs);
    for (const stream of streamsAt(mailbox)) stream.confirmed(seqs);
    return confirmed;
  }

  async ack(
    mailbox: number,
    keys: readonly LeaseKey[],
  ): Promise<SettledLeases> {
    const { store, clock } = this.#ports;
    const distinct = distinctKeys(keys);
    const held = await store.ackLeases(mailbox, distinct, clock.now());
    return this.#settled(mailbox, distinct, held);
  }

  async nack(
    mailbox: number,
    keys: readonly LeaseKey[],
    delayMs: number,
  ): Promise<SettledLeases> {
    const distinct = distinctKeys(keys);
    const held = await this.#nack(mailbox, distinct, delayMs);
    const result = this.#settled(mailbox, distinct, held);
    this.#ports.count("nacked", result.settled.length);
    return result;
  }

  async extend(mailbox: number, keys: readonly LeaseKey[], leaseMs: number) {
    const { store, clock, streamsAt, onUntil } = this.#ports;
    const distinct = distinctKeys(keys);
    const now = clock.now();
    const held = await store.extendLeases(mailbox, distinct, leaseMs, now);
    const { settled, stale } = split(distinct, held);
    const until = addMs(now, leaseMs);
    onUntil(until);
    for (const stream of streamsAt(mailbox)) stream.extended(settled, until);
    return { settled, stale, until };
  }

  /** They were handed out to nobody: they wait again, uncounted. */
  giveBack(mailbox: number, keys: readonly LeaseKey[]): void {
    const { store, clock } = this.#ports;
    this.#write(keys, () => store.returnLeases(mailbox, keys, clock.now()));
  }

  /** They wait again after a while, and the delivery counts. */
  release(mailbox: number, keys: readonly LeaseKey[], delayMs: number): void {
    this.#write(keys, () => this.#nack(mailbox, keys, delayMs));
  }

  /** Resolves once what was given back is written. */
  async idle(): Promise<void> {
    await Promise.all(this.#writes);
  }

  #nack(
    mailbox: number,
    keys: readonly LeaseKey[],
    delayMs: number,
  ): Promise<readonly boolean[]> {
    const { store, clock, settings, onUntil } = this.#ports;
    const { maxDeliveries } = settings();
    const now = clock.now();
    if (delayMs > 0) onUntil(addMs(now, delayMs));
    const options = { delayMs, maxDeliveries };
    return store.nackLeases(mailbox, keys, options, now);
  }

  #settled(
    mailbox: number,
    keys: readonly LeaseKey[],
    held: readonly boolean[],
  ): SettledLeases {
    const { streamsAt } = this.#ports;
    const result = split(keys, held);
    // Of stale ones, too: they are not the consumer's any more.
    for (const stream of streamsAt(mailbox)) stream.settled(keys);
    return result;
  }

  /** If it fails the leases end by themselves. */
  #write(keys: readonly LeaseKey[], run: () => Promise<unknown>): void {
    if (keys.length === 0) return;
    const write = run().then(
      () => {},
      (error: unknown) => {
        const { logger } = this.#ports;
        logger.warn("leases_not_returned", { messages: keys.length, error });
      },
    );
    this.#writes.add(write);
    void write.then(() => this.#writes.delete(write));
  }
}

/** Each once. */
function distinctKeys(keys: readonly LeaseKey[]): LeaseKey[] {
  return [...new Map(keys.map((key) => [toLeaseId(key), key])).values()];
}

function split(
  keys: readonly LeaseKey[],
  held: readonly boolean[],
): SettledLeases {
  return {
    settled: keys.filter((_, n) => held[n]),
    stale: keys.filter((_, n) => !held[n]),
  };
}
