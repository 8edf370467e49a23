import assert from "node:assert/strict";
import {
  type ConfirmationLimit,
  type NewSubscription,
  type Store,
  subscriptionStatus,
  type Topic,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addTopic,
  after,
  mailOf,
  newSubscription,
  noQuota,
  otherProjectId,
} from "./fixtures.ts";

const endpoint = "https://example.com/flooded";
/** Two in 100 ms and then none for 50 ms; four in 10 s and then none for 20. */
const limits: readonly ConfirmationLimit[] = [
  { max: 2, windowMs: 100, pauseMs: 50 },
  { max: 4, windowMs: 10_000, pauseMs: 20_000 },
];

export function testConfirmationLimits({ test }: Cases): void {
  test("sends no more than the limit, and subscribes all the same", async (store) => {
    const topic = await addTopic(store);
    assert.deepEqual(await sentAt(store, topic, [0, 10, 20, 99]), [
      true,
      true,
      false,
      false,
    ]);
    const later = await add(store, await addTopic(store), 30);
    assert.equal(later.created, true);
    assert.equal(later.throttled, true);
    assert.equal(later.subscription.status, subscriptionStatus.unconfirmed);
  });

  test("a code that was not sent does not end the one before it", async (store) => {
    const topic = await addTopic(store);
    const phone = { protocol: "sms", endpoint: "+491700000000" } as const;
    const sent: unknown[] = [];
    for (const at of [0, 1, 2]) {
      const added = await add(store, topic, at, phone, limits, true);
      sent.push(added.subscription.codeExpiresAt);
    }
    assert.deepEqual(sent, [after(1000), after(1001), after(1001)]);
  });

  test("a pause lasts until its end and the window's", async (store) => {
    const topic = await addTopic(store);
    const times = [0, 60, 109, 110, 120, 169, 209, 210];
    const sent = await sentAt(store, topic, times, limits.slice(0, 1));
    // Full at 60, so none before 110; full again at 120, so none before 210.
    assert.deepEqual(
      times.filter((_, n) => sent[n]),
      [0, 60, 110, 120, 210],
    );
  });

  test("all limits hold, and refused ones do not count", async (store) => {
    const topic = await addTopic(store);
    const times = [0, 1, 2, 3, 4, 100, 101, 200, 300, 10_000, 20_100, 20_101];
    const sent = await sentAt(store, topic, times);
    assert.deepEqual(
      times.filter((_, n) => sent[n]),
      [0, 1, 100, 101, 20_101],
    );
  });

  test("counts each project, protocol and endpoint on its own", async (store) => {
    const topic = await addTopic(store);
    const other = await addTopic(store);
    const foreign = await addTopic(store, { projectId: otherProjectId });
    await add(store, topic, 0);
    await add(store, other, 0);
    assert.equal((await add(store, topic, 1)).throttled, true);
    assert.equal((await add(store, foreign, 1)).throttled, undefined);
    const email = { protocol: "email", endpoint: "a@example.com" } as const;
    assert.equal((await add(store, topic, 1, email)).throttled, undefined);
    const elsewhere = { endpoint: `${endpoint}/2` };
    assert.equal((await add(store, topic, 1, elsewhere)).throttled, undefined);
  });

  test("counts anew once the endpoint confirms", async (store) => {
    const topic = await addTopic(store);
    const { subscription } = await add(store, topic, 0);
    await add(store, topic, 1);
    await store.confirmSubscription(subscription.id, 0);
    const next = await addTopic(store);
    assert.deepEqual(await sentAt(store, next, [3, 4, 5]), [true, true, false]);
  });

  test("an endpoint that has confirmed is not counted", async (store) => {
    const topic = await addTopic(store);
    const { subscription } = await add(store, topic, 0);
    await store.confirmSubscription(subscription.id, 0);
    for (const at of [2, 3, 4]) {
      assert.equal((await add(store, topic, at)).throttled, undefined);
    }
    const next = await addTopic(store);
    assert.deepEqual(await sentAt(store, next, [5, 6]), [true, true]);
  });

  test("without limits all are sent", async (store) => {
    const topic = await addTopic(store);
    for (const at of [0, 1, 2, 3, 4]) {
      const { throttled } = await add(store, topic, at, {}, []);
      assert.equal(throttled, undefined);
    }
  });
}

/** Subscribes the endpoint (again). */
async function add(
  store: Store,
  topic: Topic,
  afterMs: number,
  subscription: Partial<NewSubscription> = {},
  which = limits,
  byCode = false,
) {
  return await store.addSubscription(
    newSubscription(topic, {
      endpoint,
      status: subscriptionStatus.unconfirmed,
      createdAt: after(afterMs),
      ...subscription,
    }),
    {
      ...mailOf(topic, "confirmation"),
      expiresAt: after(afterMs + 1000),
      limits: which,
      ...(byCode && { byCode }),
    },
    noQuota,
  );
}

/** Whether a confirmation was sent at each time after the start. */
async function sentAt(
  store: Store,
  topic: Topic,
  times: readonly number[],
  which = limits,
): Promise<boolean[]> {
  const sent: boolean[] = [];
  for (const at of times) {
    sent.push(!(await add(store, topic, at, {}, which)).throttled);
  }
  return sent;
}
