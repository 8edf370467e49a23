import assert from "node:assert/strict";
import { addMs, type LeaseKey, type Store } from "@carillon/core";
import fc from "fast-check";
import type { Cases } from "./cases.ts";
import { addTopic, after } from "./fixtures.ts";
import {
  cancelWithdrawn,
  type PullSubscription,
  publishTo,
  subscribeMailbox,
} from "./mailbox-fixtures.ts";

const maxDeliveries = 3;
const quota = 6;
const lifeMs = 400;

/** What is done to a mailbox; numbers choose among what there is. */
type Step =
  | { readonly kind: "publish"; readonly key: number }
  | { readonly kind: "lease"; readonly limit: number }
  | { readonly kind: "ack" | "return" | "extend"; readonly of: number }
  | { readonly kind: "nack"; readonly of: number; readonly delayMs: number }
  | { readonly kind: "put"; readonly of: number; readonly isSuccess: boolean }
  | { readonly kind: "wait"; readonly ms: number }
  | { readonly kind: "end" | "expire" | "redrive" };

const of = fc.nat(20);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("publish" as const),
      key: fc.nat(2),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("lease" as const),
      limit: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "ack" as const,
        "return" as const,
        "extend" as const,
      ),
      of,
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("nack" as const),
      of,
      delayMs: fc.constantFrom(0, 30),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("put" as const),
      of,
      isSuccess: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.integer({ min: 1, max: 120 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        "end" as const,
        "expire" as const,
        "redrive" as const,
      ),
    }),
  },
);

/** A message of the model. */
interface ModelMessage {
  readonly seq: number;
  readonly key: number;
  state: "waiting" | "leased" | "delivered" | "dead" | "expired";
  attempts: number;
  expiresAt: number;
  /** End of the lease, or of the delay. */
  until?: number | undefined;
  fence: number;
}

/** One mailbox, as plainly as can be. */
class Model {
  readonly messages: ModelMessage[] = [];
  now = 0;

  get open() {
    return this.messages.filter(
      ({ state }) => state === "waiting" || state === "leased",
    );
  }

  /** What may be leased by now, oldest first. */
  get ready() {
    return this.open.filter(
      (it) =>
        it.state === "waiting" &&
        it.until === undefined &&
        it.expiresAt > this.now &&
        this.isNext(it),
    );
  }

  /** Whether its ordering key lets it be leased. */
  isNext(it: ModelMessage): boolean {
    if (it.key === 0) return true;
    const ofKey = this.open.filter(({ key }) => key === it.key);
    return ofKey[0] === it && ofKey.every(({ until }) => until === undefined);
  }

  giveBack(it: ModelMessage, delayMs = 0): void {
    it.state = it.attempts >= maxDeliveries ? "dead" : "waiting";
    const isDelayed = it.state === "waiting" && delayMs > 0;
    it.until = isDelayed ? this.now + delayMs : undefined;
  }

  /** Answers how many leases and delays were over. */
  end(): number {
    const over = this.open.filter(
      (it) => (it.until ?? Number.POSITIVE_INFINITY) <= this.now,
    );
    for (const it of over) this.giveBack(it);
    return over.length;
  }

  lease(limit: number): number[] {
    this.end();
    const leased: number[] = [];
    while (leased.length < limit) {
      const next = this.ready[0];
      if (next === undefined) break;
      if (next.attempts >= maxDeliveries) next.state = "dead";
      else {
        next.state = "leased";
        next.attempts++;
        next.fence++;
        next.until = this.now + leaseMs;
        leased.push(next.seq);
      }
    }
    return leased;
  }

  isHeld(key: LeaseKey): ModelMessage | undefined {
    return this.messages.find(
      (it) =>
        it.seq === key.messageSeq &&
        it.fence === key.fence &&
        it.state === "leased" &&
        (it.until ?? 0) > this.now,
    );
  }

  isAcked(key: LeaseKey): boolean {
    return this.messages.some(
      (it) =>
        it.seq === key.messageSeq &&
        it.fence === key.fence &&
        it.state === "delivered",
    );
  }
}

const leaseMs = 50;

export function testMessageQueueProperties({ test, runs }: Cases): void {
  test("a mailbox does what a list in memory would do", async (store) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), (steps) =>
        compare(store, steps),
      ),
      { numRuns: Math.min(runs, 30) },
    );
  });
}

async function compare(store: Store, steps: readonly Step[]): Promise<void> {
  const topic = await addTopic(store);
  const subscription = await subscribeMailbox(store, topic, { quota });
  const { mailbox } = subscription;
  const model = new Model();
  /** All keys that were ever handed out. */
  const keys: LeaseKey[] = [];
  const pick = (n: number) => keys[n % Math.max(1, keys.length)];
  for (const it of steps) {
    await take(store, subscription, model, keys, it, pick);
    const { waiting, leased, dead } = await store.countMailboxMessages(mailbox);
    const count = (state: ModelMessage["state"]) =>
      model.messages.filter((message) => message.state === state).length;
    assert.deepEqual(
      { waiting, leased, dead },
      {
        waiting: count("waiting"),
        leased: count("leased"),
        dead: count("dead"),
      },
    );
    const mayHave = await store.mayHaveMessages(mailbox, after(model.now));
    const isOver = model.open.some(
      ({ until = Number.POSITIVE_INFINITY }) => until <= model.now,
    );
    assert.equal(mayHave, isOver || model.ready.length > 0);
  }
  const { projectId, endpoint } = subscription;
  const found = await store.findMailbox(projectId, endpoint);
  const states = await Promise.all(
    model.messages.map(async ({ seq }) => {
      const delivery = await store.findDelivery(seq, subscription.seq);
      return delivery?.state ?? "";
    }),
  );
  const open = states.filter((it) => ["waiting", "sending"].includes(it));
  assert.equal(found?.depth, open.length);
  // Leases of all mailboxes end together.
  await store.deleteMailbox(projectId, endpoint, after(model.now));
  await cancelWithdrawn(store, model.now);
}

async function take(
  store: Store,
  subscription: PullSubscription,
  model: Model,
  keys: LeaseKey[],
  it: Step,
  pick: (n: number) => LeaseKey | undefined,
): Promise<void> {
  const { mailbox } = subscription;
  const now = after(model.now);
  switch (it.kind) {
    case "publish": {
      const published = await publishTo(
        store,
        await topicOf(store, subscription),
        [subscription],
        {
          lifeMs: model.now + lifeMs,
          ...(it.key > 0 && { orderingKey: `key-${it.key}` }),
        },
      );
      const isFull = model.open.length >= quota;
      assert.equal(published.report.unqueued?.length ?? 0, isFull ? 1 : 0);
      model.messages.push({
        seq: published.seq,
        key: it.key,
        state: isFull ? "dead" : "waiting",
        attempts: 0,
        expiresAt: model.now + lifeMs,
        fence: 0,
      });
      return;
    }
    case "lease": {
      const request = { mailbox, limit: it.limit, leaseMs };
      const [leases = []] = await store.leaseMessages(
        [request],
        now,
        maxDeliveries,
      );
      const seqs = leases.map(({ messageSeq }) => messageSeq);
      assert.deepEqual(seqs, model.lease(it.limit));
      for (const { messageSeq, target, fence, deliveryCount } of leases) {
        const known = model.messages.find(({ seq }) => seq === messageSeq);
        assert.equal(fence, known?.fence);
        assert.equal(deliveryCount, known?.attempts);
        keys.push({ messageSeq, target, fence });
      }
      return;
    }
    case "ack":
    case "nack":
    case "return":
    case "extend": {
      const key = pick(it.of);
      if (key === undefined) return;
      const held = model.isHeld(key);
      const one = [key];
      switch (it.kind) {
        case "ack":
          assert.deepEqual(await store.ackLeases(mailbox, one, now), [
            held !== undefined || model.isAcked(key),
          ]);
          if (held) held.state = "delivered";
          return;
        case "nack": {
          const options = { delayMs: it.delayMs, maxDeliveries };
          assert.deepEqual(await store.nackLeases(mailbox, one, options, now), [
            held !== undefined,
          ]);
          if (held) model.giveBack(held, it.delayMs);
          return;
        }
        case "return":
          assert.deepEqual(await store.returnLeases(mailbox, one, now), [
            held !== undefined,
          ]);
          if (held) {
            held.attempts--;
            held.state = "waiting";
            held.until = undefined;
          }
          return;
        default:
          assert.deepEqual(
            await store.extendLeases(mailbox, one, leaseMs, now),
            [held !== undefined],
          );
          if (held) held.until = model.now + leaseMs;
          return;
      }
    }
    case "put": {
      const key = pick(it.of);
      if (key === undefined) return;
      const found = model.open.find(({ seq }) => seq === key.messageSeq);
      const numbers = [key.messageSeq];
      assert.equal(
        await store.confirmMessages(mailbox, numbers, it.isSuccess, now),
        found ? 1 : 0,
      );
      if (found) {
        found.state = it.isSuccess ? "delivered" : "waiting";
        found.until = undefined;
      }
      return;
    }
    case "wait":
      model.now += it.ms;
      return;
    case "end": {
      const ended = await store.endLeases(now, maxDeliveries, 1000);
      assert.equal(ended.returned + ended.dead, model.end());
      return;
    }
    case "expire": {
      const overdue = model.open.filter(
        ({ state, expiresAt }) => state === "waiting" && expiresAt <= model.now,
      );
      assert.equal(await store.expireMessages(now, 1000), overdue.length);
      for (const message of overdue) message.state = "expired";
      return;
    }
    case "redrive": {
      const room = Math.max(0, quota - model.open.length);
      const dead = model.messages
        .filter(({ state }) => state === "dead")
        .slice(0, Math.min(2, room));
      const expiresAt = addMs(now, lifeMs);
      assert.equal(
        await store.redriveMessages(mailbox, { limit: 2 }, expiresAt, now),
        dead.length,
      );
      for (const message of dead) {
        message.state = "waiting";
        message.attempts = 0;
        message.expiresAt = model.now + lifeMs;
        message.until = undefined;
      }
      return;
    }
    default:
      return it satisfies never;
  }
}

async function topicOf(
  store: Store,
  { projectId, topicName }: PullSubscription,
) {
  const topic = await store.findTopic(projectId, topicName);
  assert.ok(topic);
  return topic;
}
