import assert from "node:assert/strict";
import {
  type Chunk,
  type ClaimedDelivery,
  type DeliveryState,
  isSettled,
  type NewMessage,
  type ProjectId,
  type Store,
  type Topic,
} from "@carillon/core";
import fc from "fast-check";
import type { Cases } from "./cases.ts";
import {
  addSubscriptions,
  addTopic,
  delivered,
  freshId,
  messageTo,
} from "./fixtures.ts";

/**
 * Engines that take work, cut it, finish it, give it back or die, in any order:
 * in the end every recipient has exactly one delivery, and all along the
 * counts are those of the ledger.
 */
export function testLedgerProperties({ test, runs }: Cases): void {
  test("loses nobody and miscounts nothing, whatever engines do", async (store) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.array(step, { maxLength: 30 }),
        async (subscribers, steps) => {
          const projectId = freshId() as ProjectId;
          const topic = await addTopic(store, { projectId });
          const audience = await addSubscriptions(store, topic, subscribers);
          const engines = new Engines(store, topic);
          for (const it of steps) {
            await engines.take(it);
            await engines.checkCounts();
          }
          await engines.finish();
          await engines.checkCounts();
          for (const { seq } of engines.messages) {
            const ledger = await store.listDeliveries(seq, { limit: 1000 });
            assert.deepEqual(
              ledger.map(({ target }) => target),
              audience.map((subscription) => subscription.seq),
            );
            for (const { state } of ledger) assert.ok(isSettled(state), state);
          }
        },
      ),
      { numRuns: runs },
    );
  });
}

interface Step {
  readonly kind:
    | "accept"
    | "claim chunks"
    | "split"
    | "complete"
    | "release"
    | "claim due"
    | "record"
    | "settle"
    | "wait"
    | "restart";
  /** Which of what is at hand. */
  readonly which: number;
  /** How many. */
  readonly size: number;
  readonly billable: boolean;
  /** What comes of attempts, over and over. */
  readonly ends: readonly DeliveryState[];
}

const step: fc.Arbitrary<Step> = fc.record({
  kind: fc.constantFrom(
    "accept",
    "claim chunks",
    "split",
    "complete",
    "complete",
    "release",
    "claim due",
    "claim due",
    "record",
    "record",
    "settle",
    "wait",
    "restart",
  ),
  which: fc.nat(100),
  size: fc.integer({ min: 1, max: 6 }),
  billable: fc.boolean(),
  ends: fc.array(
    fc.constantFrom(
      "delivered",
      "retrying",
      "sent",
      "failed",
      "waiting",
      "sending",
    ),
    { minLength: 1, maxLength: 4 },
  ),
});

const leaseMs = 100;

/** Engines that forget nothing of what they held, so that they try it late. */
class Engines {
  readonly messages: { seq: number; message: NewMessage }[] = [];
  readonly #store: Store;
  readonly #topic: Topic;
  readonly #chunks: Chunk[] = [];
  readonly #claims: ClaimedDelivery[] = [];
  #now = 1_000_000;

  constructor(store: Store, topic: Topic) {
    this.#store = store;
    this.#topic = topic;
  }

  async take(step: Step): Promise<void> {
    const { kind, size } = step;
    switch (kind) {
      case "accept":
        return this.#accept(step);
      case "claim chunks":
        return this.#claimChunks(size);
      case "split":
        return this.#split(step);
      case "complete":
        return this.#complete(step);
      case "release": {
        const chunk = pick(this.#chunks, step.which);
        if (chunk) await this.#store.releaseChunk(chunk);
        return;
      }
      case "claim due":
        return this.#claimDue(size);
      case "record":
        return this.#record(step);
      case "settle":
        await this.#store.settleInterrupted(this.#now);
        return;
      case "wait":
        this.#now += size * 30;
        return;
      case "restart":
        await this.#store.releaseAllLeases(this.#now);
        return;
      default:
        return kind satisfies never;
    }
  }

  /** Works, without further accidents, until nothing is left to do. */
  async finish(): Promise<void> {
    await this.#store.releaseAllLeases(this.#now);
    for (;;) {
      const works = await this.#store.claimChunks(this.#lease(), this.#now, 9);
      if (works.length === 0) break;
      for (const { chunk } of works) await this.#deliver(chunk, ["delivered"]);
    }
    for (;;) {
      const next = await this.#store.nextDueAt();
      if (next === undefined) break;
      this.#now = Math.max(this.#now, next);
      const claims = await this.#store.claimDue(this.#lease(), this.#now, 100);
      await this.#store.recordOutcomes(
        claims.map(({ messageSeq, recipient, fence }) => ({
          ...delivered(messageSeq, recipient.target),
          fence,
        })),
      );
    }
    await this.#store.settleInterrupted(Number.MAX_SAFE_INTEGER);
  }

  async checkCounts(): Promise<void> {
    for (const { seq, message } of this.messages) {
      const report = await this.#store.findMessage(
        message.projectId,
        message.id,
      );
      const ledger = await this.#store.listDeliveries(seq, { limit: 1000 });
      const counts: Partial<Record<DeliveryState, number>> = {};
      for (const { state } of ledger) counts[state] = (counts[state] ?? 0) + 1;
      assert.deepEqual(report?.counts, counts);
    }
  }

  #lease() {
    return { owner: "engine", until: this.#now + leaseMs };
  }

  async #accept({ billable }: Step): Promise<void> {
    const message = messageTo(this.#topic);
    const { seq, chunk } = await this.#store.acceptMessage(
      message,
      billable ? undefined : this.#lease(),
    );
    this.messages.push({ seq, message });
    if (chunk) this.#chunks.push(chunk);
  }

  async #claimChunks(limit: number): Promise<void> {
    const works = await this.#store.claimChunks(
      this.#lease(),
      this.#now,
      limit,
    );
    this.#chunks.push(...works.map(({ chunk }) => chunk));
  }

  async #split({ which, size, billable }: Step): Promise<void> {
    const chunk = pick(this.#chunks, which);
    if (!chunk) return;
    const audience = await this.#store.readAudience(chunk, size);
    const last = audience.at(-1);
    if (!last) return;
    const parts = await this.#store.splitChunk(
      chunk,
      last.target,
      billable ? undefined : this.#lease(),
    );
    if (parts) this.#chunks.push(parts.chunk, parts.rest);
  }

  async #complete({ which, ends, billable }: Step): Promise<void> {
    const chunk = pick(this.#chunks, which);
    if (chunk) await this.#deliver(chunk, ends, billable);
  }

  async #deliver(
    chunk: Chunk,
    ends: readonly DeliveryState[],
    billable = false,
  ): Promise<void> {
    const audience = await this.#store.readAudience(chunk, 1000);
    await this.#store.completeChunk(
      chunk,
      audience.map(({ target }, n) => ({
        ...delivered(chunk.messageSeq, target),
        ...this.#end(ends, n),
        billable,
      })),
    );
  }

  async #claimDue(limit: number): Promise<void> {
    this.#claims.push(
      ...(await this.#store.claimDue(this.#lease(), this.#now, limit)),
    );
  }

  async #record({ which, size, ends }: Step): Promise<void> {
    const claims = this.#claims.slice(which % (this.#claims.length + 1));
    await this.#store.recordOutcomes(
      claims.slice(0, size).map((claim, n) => ({
        ...delivered(claim.messageSeq, claim.recipient.target),
        ...this.#end(ends, n),
        attempts: claim.attempts + 1,
        fence: claim.fence,
      })),
    );
  }

  #end(ends: readonly DeliveryState[], n: number) {
    const state = ends[n % ends.length] ?? "delivered";
    return isSettled(state)
      ? { state }
      : { state, nextAttemptAt: this.#now + (n % 3) * 40 };
  }
}

function pick<Item>(items: readonly Item[], which: number): Item | undefined {
  return items[which % items.length];
}
