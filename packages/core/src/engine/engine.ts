/**
 * The delivery engine: puts its steps together. Reads as the way of a message:
 * publish, fan-out, deferred deliveries, receipts; the sweeper behind them all.
 */

import type { MessageId, NewId, ProjectId } from "../ids.ts";
import { defaultLivesOf, type MessageLives } from "../messages/default-life.ts";
import type { Receipt, WaitReason } from "../messages/delivery.ts";
import type { BindingStore } from "../ports/binding-store.ts";
import type { Channel, ChannelKind, PullChannel } from "../ports/channel.ts";
import type { Clock, Timer } from "../ports/clock.ts";
import { type ContentSeal, noSeal } from "../ports/content-seal.ts";
import type { CounterStore } from "../ports/counter-store.ts";
import type { DeliveryListener } from "../ports/delivery-listener.ts";
import type { DeliveryStore } from "../ports/delivery-store.ts";
import type { DetectionStore } from "../ports/detection-store.ts";
import type { Dispatcher, WorkHint } from "../ports/dispatcher.ts";
import type { IdempotencyStore } from "../ports/idempotency-store.ts";
import type { Logger } from "../ports/logger.ts";
import type { MessageQueueStore } from "../ports/message-queue-store.ts";
import type { MessageReader, MessageReport } from "../ports/message-store.ts";
import type { StoreChanges } from "../ports/store-changes.ts";
import type { TemplateReader } from "../ports/template-store.ts";
import type {
  NextDue,
  ReclaimedWork,
  ReleasedDelivery,
  WorkStore,
} from "../ports/work-store.ts";
import { defaultPullSettings } from "../pull/mailboxes.ts";
import type { Protocol, Protocols } from "../subscriptions/protocol.ts";
import type { EpochMs } from "../time.ts";
import type { Topics } from "../topics/topics.ts";
import { CarrierPoller } from "./carrier-polls.ts";
import { createDirectIntake, type DirectIntake } from "./direct-intake.ts";
import { DueDeliveries, type NoticeIntake } from "./due-deliveries.ts";
import { EndedRows } from "./ended-rows.ts";
import { EngineLeases } from "./engine-leases.ts";
import type { EngineStatus } from "./engine-status.ts";
import { FanOut } from "./fan-out.ts";
import { type FanOutWaitOptions, FanOutWaits } from "./fan-out-waits.ts";
import { createLaneOf } from "./lanes.ts";
import { OutcomeLedger } from "./ledger.ts";
import type { OutcomeRules } from "./outcome.ts";
import { defaultPollSchedule, type PollSchedule } from "./poll-schedule.ts";
import { createPublisher, type Publisher } from "./publish.ts";
import {
  createRequestChecks,
  type RequestCheckPorts,
} from "./request-checks.ts";
import { defaultRetryPolicy, type RetryPolicy } from "./retry-policy.ts";
import { Sender, shortestLeaseMs } from "./sender.ts";
import { Sweeper } from "./sweeper.ts";

export interface EnginePorts {
  readonly store: DeliveryStore &
    WorkStore &
    IdempotencyStore &
    Pick<CounterStore, "removeEndedCounters"> &
    Pick<DetectionStore, "removeEndedDetections"> &
    Pick<TemplateReader, "findTemplateVariants"> &
    Pick<BindingStore, "findBinding"> &
    Pick<
      MessageQueueStore,
      "expireMessages" | "cancelWithdrawn" | "forgetDeadMessages"
    > &
    Pick<MessageReader, "findMessage"> &
    Pick<StoreChanges, "changes"> & {
      readonly exclusive: boolean;
      reclaimAll(): Promise<ReclaimedWork>;
    };
  readonly topics: Topics;
  readonly dispatcher: Dispatcher;
  readonly channels: readonly (Channel | PullChannel)[];
  /** Those of the channels. */
  readonly protocols: Protocols;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly listener?: DeliveryListener | undefined;
  /** Default: everything is kept as it is. */
  readonly seal?: ContentSeal | undefined;
  /** Answers a number in [0, 1). */
  readonly random: () => number;
  readonly newId: NewId;
  readonly newMessageId: NewId<MessageId>;
  /** See {@link RequestCheckPorts}. */
  readonly checkStatusUrl?: RequestCheckPorts["checkStatusUrl"];
  readonly smsProviders?: RequestCheckPorts["smsProviders"];
}

/** All have defaults; see {@link defaultEngineOptions}. */
export interface EngineOptions {
  readonly retryPolicy: RetryPolicy;
  /**
   * How long messages live that are given no time to live. Default: what the
   * protocols' definitions say.
   */
  readonly lives?: MessageLives;
  /** Of messages that were stored for batches. Default: they are tried once. */
  readonly batchRetriesOf?: OutcomeRules["batchRetriesOf"];
  /** Of what waits for a report. Default: without end. */
  readonly idleFrom?: OutcomeRules["idleFrom"];
  /** Recipients of one range. */
  readonly rangeSize: number;
  /** Due deliveries claimed at once. */
  readonly dueBatchSize: number;
  /** Batches of them in work at once; one of them is never bulk. */
  readonly maxDueBatches: number;
  /** Attempts under way at once, slow ones not counted. */
  readonly maxInFlight: number;
  /** Slow attempts beyond those, at once; then only who answers is tried. */
  readonly maxSlowAttempts: number;
  /** Attempts under way to one endpoint. */
  readonly laneInFlight: number;
  /**
   * Requests under way to one provider of what costs money: as many as there are
   * connections to it. An eighth of them is kept for urgency 1.
   */
  readonly providerInFlight: number;
  /** An attempt without an answer for so long is deferred, in milliseconds. */
  readonly slowAfterMs: number;
  /** How long a delivery that found its lane full waits, in milliseconds. */
  readonly laneRetryMs: number;
  /**
   * How long a claim lasts unless it is renewed, in milliseconds. Renewals come
   * each third of it, so two thirds must cover each channel's `timeoutMs`.
   */
  readonly leaseMs: number;
  readonly sweepIntervalMs: number;
  /** When carriers are asked for reports. */
  readonly pollSchedule: PollSchedule;
  /** How many days a message stays on a dead-letter list. */
  readonly deadLetterDays: () => number;
  /** A question to a carrier takes at most this long, in milliseconds. */
  readonly pollTimeoutMs: number;
}

const defaultEngineOptions: EngineOptions = {
  retryPolicy: defaultRetryPolicy,
  rangeSize: 500,
  dueBatchSize: 200,
  maxDueBatches: 8,
  maxInFlight: 128,
  maxSlowAttempts: 4000,
  laneInFlight: 32,
  providerInFlight: 64,
  slowAfterMs: 250,
  laneRetryMs: 1000,
  leaseMs: 120_000,
  sweepIntervalMs: 5000,
  pollSchedule: defaultPollSchedule,
  deadLetterDays: () => defaultPullSettings.deadLetterDays,
  pollTimeoutMs: 30_000,
};

export interface Engine {
  readonly publisher: Publisher;
  /** Checks messages for recipients, and takes up those that are kept. */
  readonly direct: DirectIntake;
  /** Takes up messages to one subscription as they are written. */
  readonly notices: NoticeIntake;
  /**
   * Frees what a former process held. To be called once, before anything is
   * published: it cannot tell old leases from new ones.
   */
  recover(): Promise<void>;
  /** Begins to deliver, also what a former process left. */
  start(): Promise<void>;
  /** Deliveries that wait for this reason go on at once, for it ended. */
  makeDue(reason: WaitReason): Promise<void>;
  /**
   * Of the deliveries that wait for this reason, the first go on at once, by
   * urgency, then by age; `limit` at most. Answers which.
   *
   * @throws CarillonError STORAGE_UNAVAILABLE, STORAGE_FULL
   */
  release(
    reason: WaitReason,
    limit: number,
  ): Promise<readonly ReleasedDelivery[]>;
  /**
   * Asks carriers about all that is due; resolves once that is done, or after
   * `withinMs`, with how many deliveries they were asked about.
   */
  askCarriers(withinMs: number): Promise<number>;
  /**
   * Answers a message once it is fanned out, as it is then: pull subscribers have
   * it, attempts at the others may be under way. Earlier, as it stands, when the
   * time is over, the signal is aborted or the engine is drained; at once when it
   * was cancelled or begins later. `undefined`: the project has none of that id,
   * or the store could not be read all the time. Never rejects.
   */
  whenFannedOut(
    projectId: ProjectId,
    id: MessageId,
    options: FanOutWaitOptions,
  ): Promise<MessageReport | undefined>;
  /** Applies a provider's later word on a delivery. */
  receive(receipt: Receipt): Promise<void>;
  status(): EngineStatus;
  /**
   * Accepts nothing more, finishes what is under way, and gives back the rest.
   * Idempotent.
   *
   * An abort of the signal abandons what is under way: attempts are ended by
   * their own signals ({@link AttemptSignals}), none starts any more, and this
   * resolves once the outcomes are written, half a second later at the latest.
   * What is not written by then is tried again by the next engine once its
   * lease ends.
   */
  drain(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** How long an abandoned engine waits for its attempts to end; milliseconds. */
const abandonGraceMs = 500;

/**
 * Puts an engine together; it does nothing before {@link Engine.start}.
 *
 * @throws RangeError when a channel's attempts may take longer than the lease
 * covers
 */
export function createEngine(
  ports: EnginePorts,
  tuning: Partial<EngineOptions> = {},
): Engine {
  const options = { ...defaultEngineOptions, ...tuning };
  const { store, clock, logger, dispatcher, random, protocols } = ports;
  checkLease(options, ports.channels);
  const seal = ports.seal ?? noSeal;
  const abandonment = new AbortController();
  let isOpen = true;
  let accepted = 0;

  const channels = new Map<Protocol, Channel>();
  const kinds = new Map<Protocol, ChannelKind>();
  for (const channel of ports.channels) {
    for (const { name } of channel.protocols) {
      kinds.set(name, channel.kind);
      if (channel.kind !== "pull") channels.set(name, channel);
    }
  }
  const leases = new EngineLeases(clock, {
    owner: ports.newId(),
    leaseMs: options.leaseMs,
  });
  const { retryPolicy, lives = defaultLivesOf(protocols) } = options;
  const { batchRetriesOf, idleFrom } = options;
  const rules = { retryPolicy, lives, random, batchRetriesOf, idleFrom };
  const offer = (hint: WorkHint) => dispatcher.offer(hint);
  const onDeferred = (at: EpochMs) => {
    const dueInMs = Math.max(0, at - clock.now());
    dispatcher.offer({ kind: "delivery", dueInMs });
  };
  const persisting = { clock, logger, random, abandoned: abandonment.signal };

  const ledger = new OutcomeLedger({
    ...persisting,
    store,
    onDeferred,
    listener: ports.listener,
  });
  const sender = new Sender(
    {
      channels,
      laneOf: createLaneOf(protocols),
      clock,
      logger,
      rules,
      leases,
      abandoned: abandonment.signal,
    },
    {
      ...options,
      // Enough to keep all places taken; more would only grow old in memory.
      maxOutstanding: Math.max(2 * options.rangeSize, 4 * options.maxInFlight),
    },
  );
  const working = { store, sender, ledger, leases, seal, clock, logger, rules };
  const fanOutWaits = new FanOutWaits({ store, clock });
  const fanOut = new FanOut(
    {
      ...persisting,
      ...working,
      onFinished: (id) => fanOutWaits.onFinished(id),
      kindOf: (protocol) => kinds.get(protocol),
      onDeferred,
      offer,
    },
    {
      rangeSize: options.rangeSize,
      maxRanges: 256,
      laneRetryMs: options.laneRetryMs,
    },
  );
  const dueDeliveries = new DueDeliveries(
    { ...persisting, ...working },
    {
      batchSize: options.dueBatchSize,
      maxBatches: options.maxDueBatches,
      laneRetryMs: options.laneRetryMs,
    },
  );
  const poller = new CarrierPoller(
    {
      ...persisting,
      store,
      sources: [...new Set(channels.values())].flatMap(
        ({ polls }) => polls ?? [],
      ),
      onDeferred,
    },
    {
      schedule: options.pollSchedule,
      timeoutMs: options.pollTimeoutMs,
      maxRetryAfterMs: retryPolicy.maxRetryAfterMs,
    },
  );
  function wake({ range, delivery }: NextDue): void {
    if (range !== undefined) fanOut.wakeIn(range);
    if (delivery !== undefined) dueDeliveries.wakeIn(delivery);
  }
  const sweeper = new Sweeper(
    {
      store,
      leases,
      clock,
      logger,
      holdsWork: () =>
        fanOut.isActive || dueDeliveries.isActive || ledger.late > 0,
      onNextDue: (next) => {
        wake(next);
        poller.wake();
      },
      onFreed: () => dispatcher.broadcast({ kind: "work_freed" }),
    },
    options.sweepIntervalMs,
  );
  const endedRows = new EndedRows({
    store,
    clock,
    logger,
    deadLetterDays: options.deadLetterDays,
  });
  const onAccepted = () => {
    accepted++;
  };
  const checks = createRequestChecks({
    store,
    clock,
    newMessageId: ports.newMessageId,
    protocols,
    checkStatusUrl: ports.checkStatusUrl,
    smsProviders: ports.smsProviders,
  });
  const direct = createDirectIntake({
    store,
    checks,
    dispatcher,
    clock,
    isOpen: () => isOpen,
    onAccepted,
    isBillable: (protocol) => kinds.get(protocol) === "billable",
    isFetched: (protocol) => kinds.get(protocol) === "pull",
    lives,
  });
  const publisher = createPublisher({
    store,
    topics: ports.topics,
    checks,
    direct,
    seal,
    intake: fanOut,
    onAccepted,
    protocols,
    lives,
  });
  let stopListening = () => {};

  return {
    publisher,
    direct,
    notices: dueDeliveries,
    async recover() {
      // Where engines share a store, leases of the dead lapse by themselves.
      if (!store.exclusive) return;
      const { freed, interrupted } = await store.reclaimAll();
      if (freed + interrupted > 0) {
        logger.info("recovered", { freed, interrupted });
      }
    },
    async start() {
      const stopWatching = store.changes((change) => {
        if (change.kind !== "message_cancelled") return;
        sender.withdraw(change.messageSeq);
      });
      const stopTaking = dispatcher.listen({
        onOffer({ kind, dueInMs }) {
          wake({ [kind]: dueInMs });
          const { hasRoom } = kind === "range" ? fanOut : dueDeliveries;
          return hasRoom || dueInMs > 0;
        },
        onNotice({ kind }) {
          if (kind === "work_freed") wake({ range: 0, delivery: 0 });
        },
      });
      stopListening = () => {
        stopTaking();
        stopWatching();
      };
      await sweeper.start();
      endedRows.start();
    },
    makeDue: (reason) => dueDeliveries.makeDue(reason),
    release: (reason, limit) => dueDeliveries.release(reason, limit),
    askCarriers: (withinMs) => poller.askNow(withinMs),
    whenFannedOut: (...message) => fanOutWaits.until(...message),
    async receive(receipt) {
      const nextAttemptAt = await store.recordReceipt(receipt);
      if (nextAttemptAt !== undefined) onDeferred(nextAttemptAt);
    },
    status: () => ({
      inFlight: sender.inFlight,
      activeRanges: fanOut.activeRanges,
      accepted,
      attempts: sender.attempts,
      outcomes: ledger.counts,
      polls: poller.counts(),
    }),
    async drain({ signal } = {}) {
      isOpen = false;
      stopListening();
      const done = (async () => {
        await Promise.all([
          fanOut.drain(),
          dueDeliveries.drain(),
          poller.drain(),
        ]);
        // Later: what was under way has its counts.
        fanOutWaits.end();
        await ledger.drain();
        await endedRows.stop();
        // Last: what is under way needs its leases.
        await sweeper.stop();
      })();
      const late = Promise.withResolvers<void>();
      let timer: Timer | undefined;
      const abandon = () => {
        logger.warn("drain_abandoned", { inFlight: sender.inFlight });
        timer = clock.setTimer(abandonGraceMs, late.resolve);
        abandonment.abort(signal?.reason);
      };
      if (signal?.aborted) abandon();
      else signal?.addEventListener("abort", abandon, { once: true });
      await Promise.race([done, late.promise]);
      signal?.removeEventListener("abort", abandon);
      timer?.cancel();
      fanOutWaits.end();
      void endedRows.stop();
      void sweeper.stop();
    },
  };
}

function checkLease(
  options: Pick<EngineOptions, "leaseMs" | "slowAfterMs">,
  channels: readonly (Channel | PullChannel)[],
): void {
  const { leaseMs } = options;
  for (const channel of channels) {
    if (channel.kind === "pull") continue;
    const neededMs = shortestLeaseMs(channel, options);
    if (leaseMs < neededMs) {
      throw new RangeError(
        `A lease of ${leaseMs} ms does not cover an attempt of channel ${channel.name}, which may take ${channel.timeoutMs} ms: make the lease ${neededMs} ms or longer, or the attempt's timeout shorter.`,
      );
    }
  }
}
