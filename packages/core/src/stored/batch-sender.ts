/**
 * Sends what batch mode has stored: releases the first of a channel's messages to
 * the engine, and waits until each had its attempt.
 *
 * Crash before the release's commit: they wait on. Crash behind it, before an
 * attempt: they are due, and the next engine sends them. Crash during an attempt:
 * as of any other, so that what costs money becomes `unknown` and is not repeated.
 * Several senders at once release different messages, each in one transaction.
 */

import { CarillonError } from "../errors.ts";
import { type DeliveryId, toDeliveryId } from "../ids.ts";
import type { WaitReason } from "../messages/delivery.ts";
import { type DeliveryState, isSettled } from "../messages/delivery-state.ts";
import type { Clock } from "../ports/clock.ts";
import type { DeliveryListener } from "../ports/delivery-listener.ts";
import type { Logger } from "../ports/logger.ts";
import type { ReleasedDelivery, WorkStore } from "../ports/work-store.ts";
import { type BatchMode, batchReasonOf } from "./batch-mode.ts";
import type { StoredChannel } from "./stored-message.ts";

export interface BatchSenderPorts {
  readonly store: Pick<WorkStore, "readReleased">;
  /** Of the engine. */
  readonly release: (
    reason: WaitReason,
    limit: number,
  ) => Promise<readonly ReleasedDelivery[]>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** As it is set now. */
  readonly modeOf: (channel: StoredChannel) => BatchMode;
}

/** What became of the messages of a run, in the order in which they were due. */
export interface BatchRun {
  /** They had an attempt, whatever came of it. */
  readonly sent: readonly DeliveryId[];
  /** They ended without one: their time was over, or something held them. */
  readonly failed: readonly DeliveryId[];
  /** They are due, and had none yet when the run stopped waiting. */
  readonly pending: readonly DeliveryId[];
}

/** Sends what waits for batches; it listens to what the engine writes. */
export interface BatchSender extends DeliveryListener {
  /**
   * Resolves once each has had its attempt, or twenty seconds are over.
   *
   * @param limit messages at most; default: the size that is set
   * @throws CarillonError BATCH_SENDING_OFF, STORAGE_UNAVAILABLE, STORAGE_FULL
   */
  run(
    channel: StoredChannel,
    options?: { readonly limit?: number | undefined },
  ): Promise<BatchRun>;
  /**
   * Releases a run's messages and waits for none. Where batch mode is off, all that
   * waits since it was on: no run would come to it any more.
   *
   * @throws CarillonError STORAGE_UNAVAILABLE, STORAGE_FULL; what was released by
   * then stays so
   */
  release(channel: StoredChannel): Promise<void>;
}

/** A run waits for attempts at most so long, in milliseconds; clients for longer. */
const runMs = 20_000;

/** Messages of one transaction, of those that batch mode left behind. */
const leftBehindSize = 500;

/** Between two looks at what other nodes have attempted, in milliseconds. */
const lookMs = 500;

/** A message of a run. */
interface Awaited extends ReleasedDelivery {
  outcome?: "sent" | "failed";
}

/** Builds the sender of all channels; it starts nothing. */
export function createBatchSender(ports: BatchSenderPorts): BatchSender {
  const { store, clock, logger } = ports;
  const waits = new Set<BatchWait>();

  return {
    onWritten(deliveries) {
      if (waits.size === 0) return;
      for (const { outcome } of deliveries) {
        for (const wait of waits) wait.note(outcome);
      }
    },
    async run(channel, { limit } = {}) {
      const mode = ports.modeOf(channel);
      checkEnabled(channel, mode);
      const released = await ports.release(
        batchReasonOf(channel),
        limit ?? mode.size,
      );
      const wait = new BatchWait(released);
      waits.add(wait);
      try {
        await waitFor(wait);
      } finally {
        waits.delete(wait);
      }
      return await reportOf(wait);
    },
    async release(channel) {
      const { enabled, size } = ports.modeOf(channel);
      if (enabled) await ports.release(batchReasonOf(channel), size);
      else await releaseLeftBehind(channel);
    },
  };

  async function releaseLeftBehind(channel: StoredChannel): Promise<void> {
    let count = 0;
    try {
      // It may be turned on again meanwhile.
      while (!ports.modeOf(channel).enabled) {
        const released = await ports.release(
          batchReasonOf(channel),
          leftBehindSize,
        );
        count += released.length;
        if (released.length < leftBehindSize) break;
        await clock.nextTurn();
      }
    } finally {
      if (count > 0) logger.warn("batch_left_behind", { channel, count });
    }
  }

  async function waitFor(wait: BatchWait): Promise<void> {
    const endsAt = clock.monotonic() + runMs;
    // What was written between the release and this is found here.
    await look(wait);
    while (wait.open > 0 && clock.monotonic() < endsAt) {
      await nextOf(wait);
      // Of this node each is told; another one may have claimed it.
      if (wait.open > 0) await look(wait);
    }
  }

  async function nextOf(wait: BatchWait): Promise<void> {
    const looked = Promise.withResolvers<void>();
    const timer = clock.setTimer(lookMs, looked.resolve);
    await Promise.race([looked.promise, wait.done]);
    timer.cancel();
  }

  async function look(wait: BatchWait): Promise<void> {
    for (const it of await store.readReleased(wait.listOpen())) wait.note(it);
  }

  async function reportOf(wait: BatchWait): Promise<BatchRun> {
    const all = wait.list();
    const ids = new Map<string, DeliveryId>();
    for (const it of await store.readReleased(all)) {
      ids.set(keyOf(it), toDeliveryId(it.messageId, it.target));
    }
    const idsOf = (outcome: Awaited["outcome"]) =>
      all.flatMap((it) =>
        it.outcome === outcome ? (ids.get(keyOf(it)) ?? []) : [],
      );
    return {
      sent: idsOf("sent"),
      failed: idsOf("failed"),
      pending: idsOf(undefined),
    };
  }
}

/** The messages of one run, and which of them have had their attempt. */
class BatchWait {
  readonly #awaited = new Map<string, Awaited>();
  readonly #done = Promise.withResolvers<void>();
  open: number;

  constructor(released: readonly ReleasedDelivery[]) {
    for (const it of released) this.#awaited.set(keyOf(it), { ...it });
    this.open = this.#awaited.size;
  }

  /** Resolves once none is open. */
  get done(): Promise<void> {
    return this.#done.promise;
  }

  list(): readonly Awaited[] {
    return [...this.#awaited.values()];
  }

  listOpen(): readonly Awaited[] {
    return this.list().filter(({ outcome }) => outcome === undefined);
  }

  note(
    it: Pick<ReleasedDelivery, "messageSeq" | "target" | "attempts"> & {
      readonly state: DeliveryState;
    },
  ): void {
    const awaited = this.#awaited.get(keyOf(it));
    if (awaited === undefined || awaited.outcome !== undefined) return;
    if (it.attempts > awaited.attempts) awaited.outcome = "sent";
    else if (isSettled(it.state)) awaited.outcome = "failed";
    else return;
    this.open--;
    if (this.open === 0) this.#done.resolve();
  }
}

function keyOf({
  messageSeq,
  target,
}: Pick<ReleasedDelivery, "messageSeq" | "target">): string {
  return `${messageSeq}/${target}`;
}

function checkEnabled(channel: StoredChannel, { enabled }: BatchMode): void {
  if (enabled) return;
  throw new CarillonError(
    "BATCH_SENDING_OFF",
    `Batch sending is turned off for ${channel}: set ${channel}.batch.enabled.`,
  );
}
