/**
 * The delivery engine: puts its steps together. Reads as the way of a message:
 * publish, fan-out, deferred deliveries, receipts; the sweeper behind them all.
 */

import type { NewId } from "../ids.ts";
import type { BindingStore } from "../ports/binding-store.ts";
import type { Channel } from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import { type ContentSeal, noSeal } from "../ports/content-seal.ts";
import type { DeliveryListener } from "../ports/delivery-listener.ts";
import type { DeliveryStore, Lease, Receipt } from "../ports/delivery-store.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import type { Logger } from "../ports/logger.ts";
import type { TemplateReader } from "../ports/template-store.ts";
import type { Protocol } from "../subscriptions/protocol.ts";
import type { Topics } from "../topics/topics.ts";
import { DueDeliveries } from "./due-deliveries.ts";
import type { EngineStatus } from "./engine-status.ts";
import { FanOut } from "./fan-out.ts";
import { OutcomeLedger } from "./ledger.ts";
import { createPublisher, type Publisher } from "./publish.ts";
import { defaultRetryPolicy, type RetryPolicy } from "./retry-policy.ts";
import { Sender } from "./sender.ts";
import { Sweeper } from "./sweeper.ts";

export interface EnginePorts {
  readonly store: DeliveryStore &
    Pick<TemplateReader, "findTemplateVariants"> &
    Pick<BindingStore, "findBinding"> & {
      readonly exclusive: boolean;
      releaseAllLeases(now: number): Promise<void>;
    };
  readonly topics: Topics;
  readonly dispatcher: Dispatcher;
  readonly channels: readonly Channel[];
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener?: DeliveryListener | undefined;
  /** Default: everything is kept as it is. */
  readonly seal?: ContentSeal | undefined;
  /** Answers a number in [0, 1). */
  readonly random: () => number;
  readonly newId: NewId;
  readonly newMessageId: NewId;
}

/** All have defaults; see {@link defaultEngineOptions}. */
export interface EngineOptions {
  readonly retryPolicy: RetryPolicy;
  /** Recipients of one chunk. */
  readonly chunkSize: number;
  /** Attempts under way at once, slow attempts not counted. */
  readonly maxInFlight: number;
  /** Slow attempts beyond those, at once. */
  readonly maxSlowAttempts: number;
  /** Attempts under way to one endpoint. */
  readonly laneInFlight: number;
  /** An attempt without an answer for so long is deferred, in milliseconds. */
  readonly slowAfterMs: number;
  /** How long a delivery that found its lane full waits, in milliseconds. */
  readonly laneRetryMs: number;
  /** How long a claim lasts unless it is extended, in milliseconds. */
  readonly leaseMs: number;
  readonly sweepIntervalMs: number;
}

export const defaultEngineOptions: EngineOptions = {
  retryPolicy: defaultRetryPolicy,
  chunkSize: 500,
  maxInFlight: 128,
  maxSlowAttempts: 2000,
  laneInFlight: 32,
  slowAfterMs: 250,
  laneRetryMs: 1000,
  leaseMs: 60_000,
  sweepIntervalMs: 5000,
};

export interface Engine {
  readonly publisher: Publisher;
  /**
   * Frees what a former process held. To be called once, before anything is
   * published: it cannot tell old leases from new ones.
   */
  recover(): Promise<void>;
  /** Begins to deliver, also what a former process left. */
  start(): Promise<void>;
  /** Applies a provider's later word on a delivery. */
  receive(receipt: Receipt): Promise<void>;
  status(): EngineStatus;
  /**
   * Accepts nothing more, finishes what is under way, and gives back the rest.
   * After `deadlineMs` it stops waiting: what is still out is tried again by
   * the next engine once its lease ends. Idempotent.
   */
  drain(deadlineMs: number): Promise<void>;
}

export function createEngine(
  ports: EnginePorts,
  tuning: Partial<EngineOptions> = {},
): Engine {
  const options = { ...defaultEngineOptions, ...tuning };
  const { store, clock, logger, dispatcher, random } = ports;
  const owner = ports.newId();
  const seal = ports.seal ?? noSeal;
  let isOpen = true;
  let isAbandoned = false;
  let accepted = 0;

  const channels = new Map<Protocol, Channel>();
  for (const channel of ports.channels) {
    for (const protocol of channel.protocols) channels.set(protocol, channel);
  }
  const newLease = (): Lease => ({
    owner,
    until: clock.now() + options.leaseMs,
  });
  const onDeferred = (at: number) => dispatcher.announce({ kind: "due", at });
  const watch = { clock, logger, isAbandoned: () => isAbandoned };

  const ledger = new OutcomeLedger({
    ...watch,
    store,
    onDeferred,
    listener: ports.listener,
  });
  const sender = new Sender(
    {
      channels,
      clock,
      logger,
      rules: { retryPolicy: options.retryPolicy, random },
    },
    {
      ...options,
      // Enough to keep all places taken; more would only grow old in memory.
      maxOutstanding: Math.max(2 * options.chunkSize, 4 * options.maxInFlight),
    },
  );
  const fanOut = new FanOut(
    { ...watch, store, sender, ledger, seal, channels, newLease, onDeferred },
    {
      chunkSize: options.chunkSize,
      maxChunks: 256,
      laneRetryMs: options.laneRetryMs,
      leaseGraceMs: 10_000,
    },
  );
  const dueDeliveries = new DueDeliveries(
    { store, sender, ledger, seal, clock, logger, random, newLease },
    { batchSize: 200, maxBatches: 8, laneRetryMs: options.laneRetryMs },
  );
  const sweeper = new Sweeper(
    {
      store,
      clock,
      logger,
      newLease,
      holdsChunks: () => fanOut.activeChunks > 0,
      onChunks: () => fanOut.wake(),
      onDue: (at) => dueDeliveries.wakeAt(at),
    },
    options.sweepIntervalMs,
  );
  const publisher = createPublisher({
    store,
    topics: ports.topics,
    dispatcher,
    clock,
    newMessageId: ports.newMessageId,
    seal,
    intake: fanOut,
    isOpen: () => isOpen,
    onAccepted: () => {
      accepted++;
    },
    smsIsBillable: channels.get("sms")?.billable ?? true,
  });
  let stopListening = () => {};

  return {
    publisher,
    async recover() {
      // Where engines share a store, leases of the dead end by themselves.
      if (store.exclusive) await store.releaseAllLeases(clock.now());
    },
    async start() {
      stopListening = dispatcher.listen((hint) => {
        if (hint.kind === "chunks") fanOut.wake();
        else dueDeliveries.wakeAt(hint.at);
      });
      await sweeper.start();
    },
    receive: (receipt) => store.recordReceipt(receipt),
    status: () => ({
      inFlight: sender.inFlight,
      activeChunks: fanOut.activeChunks,
      accepted,
      attempts: sender.attempts,
      outcomes: ledger.counts,
    }),
    async drain(deadlineMs) {
      isOpen = false;
      stopListening();
      await sweeper.stop();
      const done = (async () => {
        await Promise.all([fanOut.drain(), dueDeliveries.drain()]);
        await ledger.drain();
      })();
      const deadline = Promise.withResolvers<void>();
      const timer = clock.setTimer(deadlineMs, () => {
        isAbandoned = true;
        logger.warn("drain_deadline", { inFlight: sender.inFlight });
        deadline.resolve();
      });
      await Promise.race([done, deadline.promise]);
      timer.cancel();
    },
  };
}
