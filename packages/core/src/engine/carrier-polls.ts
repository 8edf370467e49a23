/**
 * Asks carriers what became of the texts they took, or may have taken, where that
 * is due: in batches, one provider's apart from another's. What they answer goes
 * the way of the receipts that they push. Crash between a claim and the end of its work:
 * the claim's lease ends and the carrier is asked again, which changes nothing
 * there.
 */

import { isPermanent } from "../errors.ts";
import type { CarrierPolls } from "../ports/channel.ts";
import type {
  ClaimedPoll,
  DeliveryStore,
  NextPoll,
} from "../ports/delivery-store.ts";
import type { EpochMs } from "../time.ts";
import { Backoff } from "./backoff.ts";
import {
  CarrierQuestions,
  type Failure,
  type Findings,
  type Questions,
  toQuestions,
} from "./carrier-questions.ts";
import { type PersistPorts, persist } from "./persist.ts";
import { nextPollAt, type PollSchedule } from "./poll-schedule.ts";
import { WorkLoop } from "./work-loop.ts";

export interface CarrierPollerPorts extends PersistPorts {
  readonly store: Pick<
    DeliveryStore,
    "listDuePolls" | "claimPolls" | "schedulePolls" | "recordReceipt"
  >;
  /** Those of the channels that have any. */
  readonly sources: readonly CarrierPolls[];
  /** A receipt led to an attempt that is due then. */
  readonly onDeferred: (at: EpochMs) => void;
}

export interface CarrierPollerOptions {
  readonly schedule: PollSchedule;
  /** A question without an answer for so long failed, in milliseconds. */
  readonly timeoutMs: number;
  /** A receiver's wish for a longer wait counts for this much, in milliseconds. */
  readonly maxRetryAfterMs: number;
}

/** Ids that a carrier was asked about. */
export interface PollCount {
  readonly provider: string;
  /**
   * `final`: no more is asked. `open`: it is on its way still. `missing`: the
   * carrier said nothing of it. `failed`: it did not answer.
   */
  readonly outcome: PollOutcome;
  readonly count: number;
}

type PollOutcome = "final" | "open" | "missing" | "failed";

/** Questions to one provider at once, while it answers. */
const maxOpen = 2;

/** After a question that had room for more, so that the next one is fuller. */
const gatherMs = 5000;

/** Covers a question and a few more, should it have to be cut. */
const leaseMs = 180_000;

/** How long a provider that failed is left alone: from, to; milliseconds. */
const restMs = { firstMs: 60_000, maxMs: 1_800_000 };

/** One whose credentials were refused, at least. */
const credentialsRestMs = 900_000;

/** Between two complaints about the credentials of one provider. */
const complaintMs = 3_600_000;

/** What is known of a provider while this engine lives. */
interface EntryState {
  readonly backoff: Backoff;
  open: number;
  hasFailed: boolean;
  /** Monotonic; it is asked nothing before. */
  restsUntil: number;
  /** Monotonic; what falls due before is asked about then. */
  gathersUntil: number;
  /** Monotonic; when its credentials were last complained about. */
  complainedAt: number;
  readonly counts: Record<PollOutcome, number>;
}

export class CarrierPoller {
  readonly #ports: CarrierPollerPorts;
  readonly #options: CarrierPollerOptions;
  readonly #loop: WorkLoop;
  readonly #questions: CarrierQuestions;
  /** By name; as many as were ever configured. */
  readonly #entries = new Map<string, EntryState>();
  readonly #works = new Set<Promise<void>>();
  readonly #stopping = new AbortController();
  /** Texts whose carriers were asked about them, each time counted. */
  #asked = 0;

  constructor(ports: CarrierPollerPorts, options: CarrierPollerOptions) {
    this.#ports = ports;
    this.#options = options;
    this.#questions = new CarrierQuestions(
      { ...ports, stopping: this.#stopping.signal },
      options.timeoutMs,
    );
    this.#loop = new WorkLoop(ports, {
      name: "polls",
      hasRoom: () => true,
      claim: () => this.#claim(),
    });
  }

  /** Something may be due. */
  wake(): void {
    this.#loop.wake();
  }

  /**
   * Asks about all that is due, also of providers of which more was to be gathered;
   * those that rest are left alone. Resolves once nothing is under way any more, or
   * after `withinMs`, with how many texts were asked about until then.
   */
  async askNow(withinMs: number): Promise<number> {
    const before = this.#asked;
    for (const state of this.#entries.values()) state.gathersUntil = 0;
    this.#loop.wake();
    const isOver = Promise.withResolvers<void>();
    const timer = this.#ports.clock.setTimer(withinMs, isOver.resolve);
    await Promise.race([this.#untilIdle(), isOver.promise]);
    timer.cancel();
    return this.#asked - before;
  }

  async #untilIdle(): Promise<void> {
    do {
      await this.#ports.clock.nextTurn();
      await Promise.all(this.#works);
    } while (
      !this.#stopping.signal.aborted &&
      (this.#loop.isBusy || this.#works.size > 0)
    );
  }

  counts(): readonly PollCount[] {
    return [...this.#entries].flatMap(([provider, { counts }]) =>
      // The keys are those of the record's type.
      (Object.keys(counts) as PollOutcome[]).map((outcome) => ({
        provider,
        outcome,
        count: counts[outcome],
      })),
    );
  }

  /** Asks no more; resolves once what was answered is written. */
  async drain(): Promise<void> {
    this.#stopping.abort();
    await this.#loop.stop();
    await Promise.all(this.#works);
  }

  /** Claims of each provider that can be asked; whether there may be more. */
  async #claim(): Promise<boolean> {
    const { store, clock } = this.#ports;
    let mayHaveMore = false;
    for (const { entry, dueInMs } of await store.listDuePolls()) {
      const state = this.#stateOf(entry);
      const now = clock.monotonic();
      const { restsUntil, gathersUntil } = state;
      const waitMs = Math.max(dueInMs, restsUntil - now, gathersUntil - now);
      if (waitMs > 0) {
        this.#loop.wakeIn(waitMs);
        continue;
      }
      // Its work looks again when it ends.
      if (state.open >= (state.hasFailed ? 1 : maxOpen)) continue;
      const limit = this.#questions.batchSizeOf(entry);
      const claimed = await store.claimPolls(entry, leaseMs, limit);
      if (claimed.polls.length > 0) this.#begin(entry, state, claimed.polls);
      if (claimed.mayHaveMore) mayHaveMore = true;
      else state.gathersUntil = now + gatherMs;
    }
    return mayHaveMore;
  }

  #begin(
    entry: string,
    state: EntryState,
    polls: readonly ClaimedPoll[],
  ): void {
    state.open++;
    const work = this.#work(entry, state, polls)
      .catch((error: unknown) => {
        // They are due again once their lease ends.
        if (isPermanent(error)) {
          this.#ports.logger.error("polls_failed", { provider: entry, error });
        }
      })
      .finally(() => {
        state.open--;
        this.#works.delete(work);
        this.#loop.wake();
      });
    this.#works.add(work);
  }

  async #work(
    entry: string,
    state: EntryState,
    polls: readonly ClaimedPoll[],
  ): Promise<void> {
    const questions = toQuestions(polls);
    // Crash here, or before the writes: asked again once the lease ends.
    const findings = await this.#questions.ask(questions);
    this.#count(questions, findings);
    if (wasAsked(findings.failure)) this.#asked += polls.length;
    const floorMs = this.#conclude(entry, state, findings.failure);
    await this.#record(findings);
    // Crash here: the same; what is final by now is not asked about again.
    await this.#schedule(entry, polls, findings.failure, floorMs);
  }

  /** Lets a provider that failed rest; answers for how long, in milliseconds. */
  #conclude(
    entry: string,
    state: EntryState,
    failure: Failure | undefined,
  ): number {
    if (failure === undefined) {
      state.backoff.reset();
      state.hasFailed = false;
      return 0;
    }
    const { reason, error, retryAfterMs = 0 } = failure;
    // Its deliveries are put off as if it knew nothing of them.
    if (reason === "not_set_up" || reason === "interrupted") return 0;
    const { clock, logger } = this.#ports;
    const now = clock.monotonic();
    const wishMs = Math.min(retryAfterMs, this.#options.maxRetryAfterMs);
    const isResting = state.restsUntil > now;
    const floorMs = reason === "credentials" ? credentialsRestMs : 0;
    // Of questions that fail together, one counts.
    const ownMs = isResting
      ? state.restsUntil - now
      : Math.max(state.backoff.next(), floorMs);
    const waitMs = Math.ceil(Math.max(ownMs, wishMs));
    state.hasFailed = true;
    state.restsUntil = now + waitMs;
    if (reason === "credentials") {
      if (now - state.complainedAt >= complaintMs) {
        state.complainedAt = now;
        logger.error("poll_credentials_refused", { provider: entry, error });
      }
    } else if (!isResting) {
      logger.warn("poll_failed", { provider: entry, error, waitMs });
    }
    return waitMs;
  }

  async #record({ receipts }: Findings): Promise<void> {
    const { store, clock, onDeferred } = this.#ports;
    const at = clock.now();
    // Asked at once, they share a transaction, and one that the store does not
    // take costs itself alone.
    await Promise.all(
      receipts.map(async (it) => {
        const receipt = { ...it, at };
        try {
          const nextAttemptAt = await persist(this.#ports, "receipt", () =>
            store.recordReceipt(receipt, "polled"),
          );
          if (nextAttemptAt !== undefined) onDeferred(nextAttemptAt);
        } catch (error) {
          if (!isPermanent(error)) throw error;
          const { entry: provider, externalId } = it;
          const fields = { provider, externalId, error };
          this.#ports.logger.error("polled_receipt_not_kept", fields);
        }
      }),
    );
  }

  async #schedule(
    entry: string,
    polls: readonly ClaimedPoll[],
    failure: Failure | undefined,
    floorMs: number,
  ): Promise<void> {
    const { store, clock, random, logger } = this.#ports;
    const { schedule } = this.#options;
    const now = clock.now();
    const next = polls.map((poll): NextPoll => {
      const { messageSeq, target, attempts, sentAt } = poll;
      const key = { messageSeq, target, attempts };
      if (failure?.reason === "interrupted") return { ...key, pollAt: now };
      // Without an id that may change, an answer would say nothing.
      if (!poll.parts.some(({ state }) => state === "sent")) {
        return { ...key, pollAt: undefined };
      }
      const times = { sentAt, now };
      return { ...key, pollAt: nextPollAt(schedule, times, random, floorMs) };
    });
    await persist(this.#ports, "polls", () => store.schedulePolls(next));
    const ended = next.filter(({ pollAt }) => pollAt === undefined).length;
    if (ended > 0) {
      logger.info("polls_ended", { provider: entry, deliveries: ended });
    }
  }

  #count(questions: Questions, { receipts, failure }: Findings): void {
    for (const [entry, ids] of questions) {
      const { counts } = this.#stateOf(entry);
      const found = receipts.filter((it) => it.entry === entry);
      const known = new Set(found.map(({ externalId }) => externalId));
      const final = new Set<string>();
      for (const { event, externalId } of found) {
        if (event !== "accept") final.add(externalId);
      }
      counts.final += final.size;
      counts.open += known.size - final.size;
      const rest = ids.length - known.size;
      if (failure === undefined) counts.missing += rest;
      else if (
        failure.reason === "deferred" ||
        failure.reason === "credentials"
      )
        counts.failed += rest;
    }
  }

  #stateOf(entry: string): EntryState {
    const known = this.#entries.get(entry);
    if (known !== undefined) return known;
    const state: EntryState = {
      backoff: new Backoff(this.#ports.random, restMs),
      open: 0,
      hasFailed: false,
      restsUntil: Number.NEGATIVE_INFINITY,
      gathersUntil: Number.NEGATIVE_INFINITY,
      complainedAt: Number.NEGATIVE_INFINITY,
      counts: { final: 0, open: 0, missing: 0, failed: 0 },
    };
    this.#entries.set(entry, state);
    return state;
  }
}

/** Whether the carrier was there to be asked, whatever it answered. */
function wasAsked(failure: Failure | undefined): boolean {
  switch (failure?.reason) {
    case "not_set_up":
    case "interrupted":
      return false;
    default:
      return true;
  }
}
