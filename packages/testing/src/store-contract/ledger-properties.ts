import assert from "node:assert/strict";
import {
  type AudienceRange,
  addMs,
  type DeliveryState,
  isSettled,
  type Lease,
  type NewMessage,
  type ProjectId,
  type RangeOutcome,
  type ReclaimedWork,
  type Store,
  type Topic,
} from "@carillon/core";
import fc from "fast-check";
import type { ManualClock } from "../manual-clock.ts";
import type { Cases } from "./cases.ts";
import {
  addSubscriptions,
  addTopic,
  claimDue,
  claimRanges,
  completeRange,
  delivered,
  freshId,
  messageTo,
  noQuota,
  recordOutcomes,
  underWay,
} from "./fixtures.ts";

/**
 * Engines that take work, cut it, finish it, give it back or die, in any order:
 * nobody gets what another holds, in the end every recipient has exactly one
 * delivery, and all along the counts are those of the ledger.
 */
export function testLedgerProperties({ test, runs }: Cases): void {
  test("loses nobody and miscounts nothing, whatever engines do", async (store, clock) => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 12 }),
        fc.array(step, { maxLength: 30 }),
        async (subscribers, steps) => {
          const projectId = freshId<ProjectId>();
          const topic = await addTopic(store, { projectId });
          const audience = await addSubscriptions(store, topic, subscribers);
          const engines = new Engines(store, clock, topic);
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
    | "claim ranges"
    | "accept cut"
    | "complete"
    | "release"
    | "claim due"
    | "record"
    | "renew"
    | "reclaim"
    | "wait"
    | "delete topic"
    | "restart";
  /** Who does it, where that is of importance. */
  readonly owner: string;
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
    "accept",
    "claim ranges",
    "accept cut",
    "complete",
    "complete",
    "release",
    "claim due",
    "claim due",
    "record",
    "record",
    "renew",
    "reclaim",
    "wait",
    "delete topic",
    "restart",
  ),
  owner: fc.constantFrom("a", "b"),
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

/** A claim of a delivery, as far as its outcome needs it. */
interface Claim {
  readonly messageSeq: number;
  readonly target: number;
  readonly attempts: number;
  readonly fence: number;
}

/** What is held, by whom and until when: what the store should know. */
interface Held {
  readonly owner: string;
  readonly fence: number;
  readonly until: number;
}

/** Engines that forget nothing of what they held, so that they try it late. */
class Engines {
  readonly messages: { seq: number; message: NewMessage }[] = [];
  readonly #store: Store;
  readonly #clock: ManualClock;
  readonly #topic: Topic;
  readonly #ranges: AudienceRange[] = [];
  readonly #claims: Claim[] = [];
  readonly #held = new Map<string, Held>();
  #isDeleted = false;

  constructor(store: Store, clock: ManualClock, topic: Topic) {
    this.#store = store;
    this.#clock = clock;
    this.#topic = topic;
  }

  async take(step: Step): Promise<void> {
    const { kind, owner, size, which } = step;
    switch (kind) {
      case "accept":
        return this.#accept(step);
      case "claim ranges":
        return this.#claimRanges(owner, size, which);
      case "accept cut":
        return this.#accept({ ...step, billable: false }, size);
      case "complete": {
        const range = pick(this.#ranges, which);
        if (range) await this.#complete(range, step);
        return;
      }
      case "release": {
        const range = pick(this.#ranges, which);
        if (!range) return;
        await this.#store.release([{ range }]);
        this.#letGo(rangeKey(range), range.fence);
        return;
      }
      case "claim due":
        return this.#claimDue(owner, size);
      case "record":
        return this.#record(step);
      case "renew":
        return this.#renew(owner);
      case "reclaim": {
        const now = this.#clock.monotonic();
        const work = await this.#store.reclaim();
        this.#reclaimed(work, ({ until }) => until <= now);
        return;
      }
      case "wait":
        this.#clock.advance(size * 30);
        return;
      case "delete topic": {
        const { projectId, name } = this.#topic;
        await this.#store.deleteTopic(projectId, name, this.#clock.now());
        this.#isDeleted = true;
        return;
      }
      case "restart": {
        const work = await this.#store.reclaimAll();
        this.#reclaimed(work, () => true);
        return;
      }
      default:
        return kind satisfies never;
    }
  }

  /** Works, without further accidents, until nothing is left to do. */
  async finish(): Promise<void> {
    await this.#store.reclaimAll();
    const lease = this.#lease("last");
    for (;;) {
      const works = await claimRanges(this.#store, lease, 9);
      if (works.length === 0) break;
      for (const { range } of works) {
        const audience = await this.#store.readAudience(range, 1000);
        await completeRange(
          this.#store,
          range,
          audience.map(({ target, cancelled }) =>
            delivered(range.messageSeq, target, {
              state: cancelled ? "cancelled" : "delivered",
            }),
          ),
        );
      }
    }
    for (;;) {
      const { delivery } = await this.#store.nextDue();
      if (delivery === undefined) break;
      this.#clock.advance(Math.max(delivery, 0));
      const claims = await this.#claimNow(lease, 100);
      await recordOutcomes(
        this.#store,
        claims.map(({ messageSeq, recipient, fence }) => ({
          ...delivered(messageSeq, recipient.target),
          fence,
        })),
      );
    }
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

  #lease(owner: string): Lease {
    return { owner, leaseMs };
  }

  async #accept({ owner, billable }: Step, rangeSize = noQuota): Promise<void> {
    if (this.#isDeleted) return;
    const message = messageTo(this.#topic);
    const lease = billable ? undefined : { ...this.#lease(owner), rangeSize };
    const { seq, range } = await this.#store.acceptMessage(message, lease);
    this.messages.push({ seq, message });
    if (range) this.#takeRange(owner, range);
  }

  async #claimRanges(
    owner: string,
    limit: number,
    which: number,
  ): Promise<void> {
    const lease = this.#lease(owner);
    const works = await claimRanges(this.#store, lease, limit, {
      rangeSize: 1 + (which % 5),
      maxCutRanges: 1 + (which % 3),
    });
    for (const { range } of works) this.#takeRange(owner, range);
  }

  async #complete(range: AudienceRange, step: Step): Promise<void> {
    const { messageSeq, fence } = range;
    const audience = await this.#store.readAudience(range, 1000);
    const outcomes = audience.map(({ target, cancelled }, n) =>
      cancelled
        ? delivered(messageSeq, target, { state: "cancelled", attempts: 0 })
        : this.#outcome(messageSeq, target, n, step),
    );
    const { kept } = await completeRange(this.#store, range, outcomes);
    assert.equal(kept, this.#letGo(rangeKey(range), fence));
    if (!kept) return;
    for (const { target, lease } of outcomes) {
      if (!lease) continue;
      this.#takeClaim(lease.owner, {
        messageSeq,
        target,
        attempts: 0,
        fence: 0,
      });
    }
  }

  #outcome(
    messageSeq: number,
    target: number,
    n: number,
    { owner, ends, billable }: Step,
  ): RangeOutcome {
    const end = this.#end(ends, n);
    return end.state === "sending"
      ? { ...underWay(messageSeq, target, this.#lease(owner)), billable }
      : { ...delivered(messageSeq, target), ...end, billable };
  }

  async #claimDue(owner: string, limit: number): Promise<void> {
    const lease = this.#lease(owner);
    const claims = await this.#claimNow(lease, limit);
    for (const { messageSeq, recipient, attempts, fence } of claims) {
      const { target } = recipient;
      this.#takeClaim(owner, { messageSeq, target, attempts, fence });
    }
  }

  #claimNow(lease: Lease, limit: number) {
    const clock = this.#clock;
    return claimDue(this.#store, clock, lease, clock.now(), limit);
  }

  async #record({ which, size, ends }: Step): Promise<void> {
    const from = which % (this.#claims.length + 1);
    const claims = this.#claims.slice(from, from + size);
    const refused = await recordOutcomes(
      this.#store,
      claims.map(({ messageSeq, target, attempts, fence }, n) => ({
        ...delivered(messageSeq, target),
        ...this.#end(
          ends.map((it) => (it === "sending" ? "failed" : it)),
          n,
        ),
        attempts: attempts + 1,
        fence,
      })),
    );
    assert.deepEqual(refused, []);
    for (const claim of claims) this.#letGo(deliveryKey(claim), claim.fence);
  }

  async #renew(owner: string): Promise<void> {
    await this.#store.renew(this.#lease(owner));
    const until = this.#clock.monotonic() + leaseMs;
    for (const [key, held] of this.#held) {
      if (held.owner === owner) this.#held.set(key, { ...held, until });
    }
  }

  #takeRange(owner: string, range: AudienceRange): void {
    this.#ranges.push(range);
    this.#hold(rangeKey(range), owner, range.fence);
  }

  #takeClaim(owner: string, claim: Claim): void {
    this.#claims.push(claim);
    this.#hold(deliveryKey(claim), owner, claim.fence);
  }

  #hold(key: string, owner: string, fence: number): void {
    assert.ok(!this.#held.has(key), `${key} is held already`);
    const until = this.#clock.monotonic() + leaseMs;
    this.#held.set(key, { owner, fence, until });
  }

  /** Whether it was held with that fence. */
  #letGo(key: string, fence: number): boolean {
    return this.#held.get(key)?.fence === fence && this.#held.delete(key);
  }

  #reclaimed(
    { freed, interrupted }: ReclaimedWork,
    isOver: (held: Held) => boolean,
  ): void {
    const over = [...this.#held].filter(([, held]) => isOver(held));
    assert.equal(freed + interrupted, over.length);
    for (const [key] of over) this.#held.delete(key);
  }

  #end(ends: readonly DeliveryState[], n: number) {
    const state = ends[n % ends.length] ?? "delivered";
    return isSettled(state)
      ? { state }
      : { state, nextAttemptAt: addMs(this.#clock.now(), (n % 3) * 40) };
  }
}

function rangeKey({ messageSeq, afterTarget }: AudienceRange): string {
  return `range ${messageSeq}/${afterTarget}`;
}

function deliveryKey({ messageSeq, target }: Claim): string {
  return `delivery ${messageSeq}/${target}`;
}

function pick<Item>(items: readonly Item[], which: number): Item | undefined {
  return items[which % items.length];
}
