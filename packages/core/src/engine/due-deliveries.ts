/**
 * Third step: deliveries that have rows of their own: retries, what waited for
 * its lane, and all that costs money. They are claimed when due; a claim
 * writes the intent to send before the attempt is made.
 *
 * Crash before the claim's commit: still due. Crash after it, before or during
 * the attempt: the lease lapses; a delivery that may be repeated is tried again,
 * one that costs money becomes `unknown` once its intent was recorded, and is
 * tried again before. If the intent has the id that the text has at its carrier,
 * the carrier is asked about it (see `carrier-polls.ts`). Crash after the attempt,
 * before its outcome's commit: the same as during it, for the two cannot be
 * distinguished.
 *
 * Claims take from each urgency its share (see `messages/urgency.ts`). A claim that
 * found only bulk takes as long as the bulk's provider does: so that what is urgent
 * waits for none of them, one place is not for bulk. It is shared by as many claims
 * as come, as long as they hold one batch together.
 */

import { isTransient } from "../errors.ts";
import { stateBeforeClaim } from "../messages/claim-decision.ts";
import type { DeliveryOutcome, WaitReason } from "../messages/delivery.ts";
import type { Message } from "../messages/message.ts";
import { toTopic } from "../messages/message-topics.ts";
import { urgencies, urgentOnly } from "../messages/urgency.ts";
import type { NoRoute, RouteChoice } from "../ports/channel.ts";
import type { ContentSeal } from "../ports/content-seal.ts";
import type { WrittenDelivery } from "../ports/delivery-listener.ts";
import type { DeliveryStore } from "../ports/delivery-store.ts";
import type {
  AttemptIntent,
  ClaimedDelivery,
  ClaimedNotice,
  FencedOutcome,
  Lease,
  ReleasedDelivery,
  WorkStore,
} from "../ports/work-store.ts";
import { addMs, type EpochMs, toEpochMs } from "../time.ts";
import { mendExternalId } from "./attempt-result.ts";
import type { EngineLeases } from "./engine-leases.ts";
import { type OutcomeLedger, reasonOf } from "./ledger.ts";
import {
  exhaustedOutcome,
  expiryOf,
  type OutcomeRules,
  outcomeOfUnreadable,
  outcomeWithoutAttempt,
  type SendItem,
} from "./outcome.ts";
import { type PersistPorts, persist } from "./persist.ts";
import { retryDelay } from "./retry-policy.ts";
import type { Sender } from "./sender.ts";
import { WorkLoop } from "./work-loop.ts";

export interface DueDeliveriesPorts extends PersistPorts {
  readonly store: Pick<
    WorkStore,
    "claim" | "nextDue" | "release" | "recordIntents" | "makeDue"
  > &
    Pick<DeliveryStore, "findMessageBySeq">;
  readonly sender: Sender;
  readonly ledger: OutcomeLedger;
  readonly leases: EngineLeases;
  readonly seal: ContentSeal;
  readonly rules: OutcomeRules;
}

export interface DueDeliveriesOptions {
  /** Deliveries claimed at once. */
  readonly batchSize: number;
  /** Batches in work at once; one of them without bulk. */
  readonly maxBatches: number;
  /** How long a delivery whose lane was full waits; milliseconds. */
  readonly laneRetryMs: number;
}

/** A delivery and the claim that allows its attempt. */
interface DueItem extends SendItem {
  readonly claim: ClaimedDelivery;
}

/**
 * A claim that ends without an attempt of what a carrier has: it is `sent` as it
 * was, and nothing new is told or counted of it.
 */
interface GivenBack {
  readonly givenBack: ClaimedDelivery;
  /** Until it is looked at again; `Infinity`: no other attempt is made. */
  readonly delayMs: number;
}

/** What becomes of a claim without an attempt. */
type Decision = FencedOutcome | GivenBack;

/** Those of a batch, and the deliveries among them that listeners are told of. */
interface Decided {
  readonly decisions: Decision[];
  readonly written: WrittenDelivery[];
}

/** Where a message to one subscription finds an engine at once. */
export interface NoticeIntake {
  /** A lease for a delivery that will be worked now, if there is room. */
  reserve(): Lease | undefined;
  /** Takes what was claimed with it; `undefined` gives the room back. */
  take(work: ClaimedNotice | undefined): void;
}

/** What ends a delivery that no provider is called for, and how it is classed. */
const noRouteEvents = {
  failed: ["fail", "provider"],
  held: ["suppress", "guard"],
} as const;

/** How long a claim waits whose message cannot be read now; milliseconds. */
const failedReadRetryMs = 5000;

/** Deliveries that are made due in one transaction. */
const makeDueBatch = 1000;

export class DueDeliveries implements NoticeIntake {
  readonly #ports: DueDeliveriesPorts;
  readonly #options: DueDeliveriesOptions;
  readonly #loop: WorkLoop;
  /** In work, in places that are for all that is due. */
  #batches = 0;
  /** Deliveries in work in the place that is not for bulk. */
  #urgent = 0;
  /** Only what is urgent was asked for since somebody spoke of work. */
  #isBulkUnseen = false;
  /** Of notices that are being written. */
  #reservations = 0;
  /** What one commit brought becomes one batch. */
  #taken: ClaimedNotice[] = [];
  #isOpen = true;
  #idle: (() => void)[] = [];
  /** How often what waits was made due. */
  #madeDue = 0;

  constructor(ports: DueDeliveriesPorts, options: DueDeliveriesOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#loop = new WorkLoop(ports, {
      name: "deliveries",
      hasRoom: () => this.hasRoom,
      claim: () => this.#claim(),
    });
  }

  /** Whether claims are held whose outcomes are not written. */
  get isActive(): boolean {
    const held = this.#batches + this.#urgent;
    return held + this.#reservations + this.#taken.length > 0;
  }

  /** Whether anything could be claimed now: of what is urgent, or of all. */
  get hasRoom(): boolean {
    // Not one by one, which would cost a transaction each.
    return this.#hasPlace || this.#urgent <= this.#options.batchSize / 2;
  }

  /** Whether a batch of all that is due could be. */
  get #hasPlace(): boolean {
    return this.#batches < Math.max(1, this.#options.maxBatches - 1);
  }

  /** A notice goes straight to work when nothing is due before it. */
  reserve(): Lease | undefined {
    const isFirst = !this.#loop.mayHaveWork;
    const { batchSize } = this.#options;
    const hasRoom = this.hasRoom && this.#reservations < batchSize;
    if (!this.#isOpen || !isFirst || !hasRoom) return undefined;
    this.#reservations++;
    return this.#ports.leases.lease;
  }

  take(work: ClaimedNotice | undefined): void {
    this.#reservations--;
    if (work === undefined) {
      this.#tellIfIdle();
      return;
    }
    this.#taken.push(work);
    if (this.#taken.length > 1) return;
    queueMicrotask(() => {
      const notices = this.#taken.splice(0);
      const messages = new Map<number, ReadMessage>();
      for (const { message } of notices) {
        messages.set(message.seq, { message, isReadable: true });
      }
      const claims = notices.map(({ delivery }) => delivery);
      this.#begin(claims, this.#hasPlace, messages);
    });
  }

  /**
   * What waits for this reason goes on at once. Also what is being written by
   * now: whoever chose before finds that it was called since.
   */
  async makeDue(reason: WaitReason): Promise<void> {
    this.#madeDue++;
    for (;;) {
      const due = await persist(this.#ports, "make_due", () =>
        this.#ports.store.makeDue(reason, makeDueBatch),
      );
      // Given up: the next engine finds them.
      if (due === undefined) return;
      if (due.length > 0) this.wakeIn(0);
      if (due.length < makeDueBatch) return;
    }
  }

  /** The first `limit` of what waits for this reason go on at once. */
  async release(
    reason: WaitReason,
    limit: number,
  ): Promise<readonly ReleasedDelivery[]> {
    const due = await this.#ports.store.makeDue(reason, limit);
    if (due.length > 0) this.wakeIn(0);
    return due;
  }

  /** Something falls due in `ms` milliseconds. */
  wakeIn(ms: number): void {
    this.#loop.wakeIn(ms);
  }

  /** Claims no more and resolves when the batches in work are written. */
  async drain(): Promise<void> {
    this.#isOpen = false;
    await this.#loop.stop();
    if (!this.isActive) return;
    await new Promise<void>((resolve) => this.#idle.push(resolve));
  }

  /** Claims a batch; answers whether there may be more that is due. */
  async #claim(): Promise<boolean> {
    const { store, leases } = this.#ports;
    const { batchSize } = this.#options;
    const ofAll = this.#hasPlace;
    // Before the question: a place that comes free meanwhile is not missed.
    if (!ofAll) this.#isBulkUnseen = true;
    const { deliveries, mayHaveMore } = await store.claim(leases.lease, {
      kinds: ["delivery"],
      limit: ofAll ? batchSize : batchSize - this.#urgent,
      urgencies: ofAll ? urgencies : urgentOnly,
    });
    if (deliveries.length > 0) this.#begin(deliveries, ofAll);
    if (mayHaveMore) return true;
    // What is not due yet wakes this loop when it is; bulk that waits for a place
    // is due, and must not wake it before there is one.
    const { delivery, urgentDelivery } = await store.nextDue();
    const next = ofAll ? delivery : urgentDelivery;
    if (next !== undefined) this.wakeIn(next);
    return false;
  }

  /**
   * @param hasPlace among the batches of all that is due
   * @param messages those that are known, by number; the others are read
   */
  #begin(
    claims: readonly ClaimedDelivery[],
    hasPlace: boolean,
    messages = new Map<number, ReadMessage>(),
  ): void {
    if (hasPlace) this.#batches++;
    else this.#urgent += claims.length;
    void this.#work(claims, messages).finally(() => {
      if (hasPlace) this.#batches--;
      else this.#urgent -= claims.length;
      this.#roomFreed();
      this.#tellIfIdle();
    });
  }

  #roomFreed(): void {
    if (this.#isBulkUnseen && this.#hasPlace) {
      this.#isBulkUnseen = false;
      this.#loop.wake();
    } else this.#loop.roomFreed();
  }

  /** Works a batch to its end; never rejects. */
  async #work(
    claims: readonly ClaimedDelivery[],
    messages: Map<number, ReadMessage>,
  ): Promise<void> {
    try {
      await this.#deliver(claims, messages);
    } catch (error) {
      this.#ports.logger.error("batch_failed", { error });
      // A defect before anything was started.
      await this.#release(claims);
    }
  }

  #tellIfIdle(): void {
    if (this.isActive) return;
    for (const resolve of this.#idle.splice(0)) resolve();
  }

  async #release(
    claims: readonly ClaimedDelivery[],
    delayMs = failedReadRetryMs * (1 + this.#ports.rules.random()),
  ): Promise<void> {
    const { store, logger } = this.#ports;
    const work = claims.map((delivery) => ({ delivery }));
    try {
      await persist(this.#ports, "release", () =>
        store.release(work, { delayMs }),
      );
      if (delayMs < Number.POSITIVE_INFINITY) this.wakeIn(delayMs);
    } catch (error) {
      // They stay with this engine until the process ends.
      logger.error("release_failed", { deliveries: claims.length, error });
    }
  }

  async #deliver(
    claims: readonly ClaimedDelivery[],
    messages: Map<number, ReadMessage>,
  ): Promise<void> {
    const { sender, ledger } = this.#ports;
    const madeDue = this.#madeDue;
    const decided: Decided = { decisions: [], written: [] };
    const { decisions, written } = decided;
    const items = await this.#read(claims, messages, decided);
    const ready = await this.#route(items, decided);
    const { finished, slowAttempts, unstarted } = await sender.send(ready);
    for (const { item } of [...finished, ...unstarted]) item.route?.release();
    for (const slow of slowAttempts) {
      const { claim, route } = slow.item;
      // Nothing once the attempt was made.
      if (route) void slow.outcome.finally(() => route.release());
      ledger.recordLate(slow, claim.fence, previousOf(claim));
    }
    for (const it of finished) {
      const { item, outcome } = it;
      // No attempt was made of what a carrier has.
      if (item.state === "sent" && outcome.attempts === item.attempts) {
        decisions.push(givenBack(item.claim));
        continue;
      }
      written.push(it);
      decisions.push(claimed(item.claim, outcome));
    }
    for (const { item, factor } of unstarted) {
      const waitMs = this.#options.laneRetryMs * factor;
      decisions.push(this.#later(item.claim, waitMs));
    }
    const outcomes: FencedOutcome[] = [];
    const releases: Promise<void>[] = [];
    for (const it of decisions) {
      if ("fence" in it) outcomes.push(it);
      else releases.push(this.#release([it.givenBack], it.delayMs));
    }
    await Promise.all([ledger.record(outcomes, written), ...releases]);
    if (madeDue === this.#madeDue) return;
    // It was chosen before what it waits for ended, and was not found then.
    if (outcomes.some(({ waitReason }) => waitReason === "paused")) {
      await this.makeDue("paused");
    }
  }

  /**
   * Chooses who carries what costs money, and records it: all that is claimed in
   * one transaction. Answers those to send; the others are outcomes, or belong to
   * somebody else by now. Crash before the commit: free again, nothing was sent.
   */
  async #route(
    items: readonly DueItem[],
    decided: Decided,
  ): Promise<DueItem[]> {
    const { sender, store, clock } = this.#ports;
    const isBillable = (item: DueItem) => sender.isBillable(item);
    const billable = items.filter(isBillable);
    if (billable.length === 0) return [...items];
    const ready = items.filter((item) => !isBillable(item));
    const routed: DueItem[] = [];
    const chosen = await Promise.all(billable.map((it) => this.#choose(it)));
    for (const [n, choice] of chosen.entries()) {
      if ("claim" in choice) routed.push(choice);
      else decide(decided, billable[n], choice);
    }
    const now = clock.now();
    try {
      const kept = await store.recordIntents(
        routed.map((item) => toIntent(item, now)),
      );
      for (const [n, item] of routed.entries()) {
        if (kept[n]) ready.push(item);
        else item.route?.release();
      }
    } catch (error) {
      for (const { route } of routed) route?.release();
      throw error;
    }
    return ready;
  }

  /** The item with its route, or what becomes of it without. */
  async #choose(item: DueItem): Promise<DueItem | Decision> {
    const { sender, clock, rules, logger } = this.#ports;
    const { claim } = item;
    const { lastAttempt, earlierAttempts = [], attempts } = claim;
    const { resentAfter = 0 } = claim;
    const now = clock.now();
    const isSent = item.state === "sent";
    // The sender records that its time is over; a choice would be in vain.
    if (now >= expiryOf(item, rules)) return isSent ? givenBack(claim) : item;
    // What an operator has sent again is open to all providers anew.
    const tried =
      lastAttempt && attempts > resentAfter
        ? [...earlierAttempts, lastAttempt].slice(resentAfter - attempts)
        : [];
    let route: RouteChoice | NoRoute | undefined;
    try {
      route = await sender.chooseRoute(item, tried);
    } catch (error) {
      // A defect of the channel, which costs this delivery alone.
      const { target, protocol } = item.recipient;
      const messageId = item.message.id;
      logger.error("channel_threw", { messageId, target, protocol, error });
      return this.#later(claim, failedReadRetryMs);
    }
    if (route === undefined) return item;
    if ("problem" in route) {
      const { problem, error, waitMs = failedReadRetryMs, waitReason } = route;
      if (problem === "wait") {
        const later = this.#later(claim, waitMs);
        if (waitReason === undefined || "givenBack" in later) return later;
        const { nextAttemptAt = now } = later;
        // Made due when the reason ends; until then nothing is to be done but
        // to say in time that its life is over.
        const lookAt = Math.min(nextAttemptAt, expiryOf(item, rules));
        return { ...later, waitReason, nextAttemptAt: toEpochMs(lookAt) };
      }
      if (isSent) return givenBack(claim);
      const [event, errorClass] = noRouteEvents[problem];
      const reason = { errorClass, error };
      const outcome = outcomeWithoutAttempt(item, event, reason, now);
      return claimed(claim, outcome);
    }
    if (route.passedOver && lastAttempt && route.round > 1) {
      const delayMs = retryDelay(rules.retryPolicy, route.round - 1, () => 0);
      const ended = addMs(lastAttempt.at, lastAttempt.durationMs);
      const waitMs = addMs(ended, delayMs ?? failedReadRetryMs) - now;
      if (waitMs > 0) {
        route.release();
        return this.#later(claim, waitMs);
      }
    }
    return { ...item, route };
  }

  /** Later by `waitMs` and up to as much again, so that claims spread out. */
  #later(claim: ClaimedDelivery, waitMs: number): Decision {
    const { clock, rules } = this.#ports;
    const delayMs = waitMs * (1 + rules.random());
    return stateBeforeClaim(claim) === "sent"
      ? givenBack(claim, delayMs)
      : postponed(claim, addMs(clock.now(), delayMs));
  }

  /** The claims' messages, each read once; those that cannot be are decided. */
  async #read(
    claims: readonly ClaimedDelivery[],
    messages: Map<number, ReadMessage>,
    decided: Decided,
  ): Promise<DueItem[]> {
    const { clock, rules } = this.#ports;
    const items: DueItem[] = [];
    const { decisions } = decided;
    for (const claim of claims) {
      const { messageSeq, recipient, attempts } = claim;
      const state = stateBeforeClaim(claim);
      let read = messages.get(messageSeq);
      if (read === undefined) {
        read = await this.#readMessage(messageSeq);
        messages.set(messageSeq, read);
      }
      if (read.message === undefined) {
        decisions.push(
          read.reason === undefined
            ? this.#later(claim, failedReadRetryMs)
            : failed(claim, read.reason, clock.now()),
        );
        continue;
      }
      const { expiresAt, resentAfter } = claim;
      const item = {
        message: toTopic(read.message, claim.topicSeq),
        recipient,
        state,
        attempts,
        ...(expiresAt !== undefined && { expiresAt }),
        ...(resentAfter !== undefined && { resentAfter }),
        claim,
      };
      const exhausted = exhaustedOutcome(item, rules, claim.lastAttempt);
      if (exhausted) decide(decided, item, claimed(claim, exhausted));
      else if (read.isReadable) items.push(item);
      else if (state === "sent") {
        decisions.push(this.#later(claim, failedReadRetryMs));
      } else {
        const outcome = outcomeOfUnreadable(item, clock.now(), rules);
        decide(decided, item, claimed(claim, outcome));
      }
    }
    return items;
  }

  /** A message that fails costs its own deliveries, and no others. */
  async #readMessage(messageSeq: number): Promise<ReadMessage> {
    const { store, logger } = this.#ports;
    try {
      const kept = await store.findMessageBySeq(messageSeq);
      if (kept) return await this.#open(kept);
      return {
        message: undefined,
        reason: "The message is not there any more.",
      };
    } catch (error) {
      logger.error("message_unreadable", { messageSeq, error });
      return {
        message: undefined,
        reason: isTransient(error)
          ? undefined
          : `The message cannot be read: ${reasonOf(error)}`,
      };
    }
  }

  async #open(kept: Message): Promise<ReadMessage> {
    try {
      const message = await this.#ports.seal.open(kept);
      return { message, isReadable: true };
    } catch (error) {
      // Of a store that may be back: its key may be there.
      if (isTransient(error)) throw error;
      this.#ports.logger.error("message_sealed", { messageId: kept.id, error });
      return { message: kept, isReadable: false };
    }
  }
}

type ReadMessage =
  | {
      readonly message: Message;
      /** False when it is sealed with a key that is not there. */
      readonly isReadable: boolean;
    }
  | {
      readonly message: undefined;
      /** Why there never will be one; `undefined`: it may be read later. */
      readonly reason: string | undefined;
    };

function toIntent(
  { message, recipient, claim, route }: DueItem,
  at: EpochMs,
): AttemptIntent {
  const externalId = mendExternalId(route?.chosenId);
  return {
    messageSeq: message.seq,
    target: recipient.target,
    fence: claim.fence,
    at,
    ...(route && { provider: route.provider }),
    ...(externalId !== undefined && { externalId }),
  };
}

function givenBack(
  claim: ClaimedDelivery,
  delayMs = Number.POSITIVE_INFINITY,
): GivenBack {
  return { givenBack: claim, delayMs };
}

/** What is only put off is told to nobody. */
function decide(
  { decisions, written }: Decided,
  item: DueItem | undefined,
  decision: Decision,
): void {
  decisions.push(decision);
  if (item === undefined || "givenBack" in decision) return;
  const isWithoutAttempt = decision.attempts === item.attempts;
  if (isWithoutAttempt && decision.state === item.state) return;
  written.push({
    item,
    outcome: decision,
    ...(isWithoutAttempt && { isWithoutAttempt }),
  });
}

/** Later, and not counted as an attempt. */
function postponed(
  claim: ClaimedDelivery,
  nextAttemptAt: EpochMs,
): FencedOutcome {
  const { messageSeq, recipient, attempts, lastAttempt, fence } = claim;
  return {
    messageSeq,
    target: recipient.target,
    state: stateBeforeClaim(claim),
    attempts,
    ...(lastAttempt && { lastAttempt }),
    nextAttemptAt,
    fence,
  };
}

function failed(claim: ClaimedDelivery, error: string, now: EpochMs): Decision {
  if (stateBeforeClaim(claim) === "sent") return givenBack(claim);
  const { messageSeq, recipient, attempts, fence } = claim;
  const { target } = recipient;
  return {
    messageSeq,
    target,
    state: "failed",
    attempts,
    lastAttempt: {
      at: now,
      durationMs: 0,
      errorClass: "internal",
      error,
    },
    fence,
  };
}

/** The outcome of a claim; one without an attempt leaves the last one there. */
function claimed(
  claim: ClaimedDelivery,
  outcome: DeliveryOutcome,
): FencedOutcome {
  return {
    ...outcome,
    ...(outcome.lastAttempt && previousOf(claim)),
    fence: claim.fence,
  };
}

function previousOf(
  claim: ClaimedDelivery,
): Pick<FencedOutcome, "previousAttempt"> {
  return claim.lastAttempt && claim.attempts > 0
    ? { previousAttempt: claim.lastAttempt }
    : {};
}
