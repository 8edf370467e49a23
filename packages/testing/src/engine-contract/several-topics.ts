import assert from "node:assert/strict";
import type { FilterPolicy } from "@carillon/core";
import type { EngineCases } from "./cases.ts";
import { delivered, unavailable } from "./scripted-channel.ts";
import { projectId, type World } from "./world.ts";

const names = ["alerts", "builds", "costs"];
const high: readonly FilterPolicy[] = [
  { name: "level", stringEquals: ["high"] },
];
const low: readonly FilterPolicy[] = [{ name: "level", stringEquals: ["low"] }];
const isLow = {
  attributes: [{ name: "level", type: "STRING", value: "low" }],
} as const;

/** The topics beside `alerts`. */
async function addTopics(world: World): Promise<void> {
  for (const name of names.slice(1)) await world.addTopic(name);
}

/** Subscribes a webhook to these topics, each with its policies. */
async function subscribe(
  world: World,
  endpoint: string,
  topics: Readonly<Record<string, readonly FilterPolicy[]>>,
): Promise<void> {
  for (const [name, filterPolicies] of Object.entries(topics)) {
    const { id } = await world.subscribe("http", endpoint, name);
    if (filterPolicies.length === 0) continue;
    const change = { filterPolicies };
    await world.store.updateSubscription(projectId, name, id, change);
  }
}

/** Endpoints, each with the topic that it got the message through. */
function gotThrough(world: World): Record<string, string | undefined> {
  const { calls, topics } = world.http;
  return Object.fromEntries(calls.map((endpoint, n) => [endpoint, topics[n]]));
}

export function testSeveralTopics({ test }: EngineCases): void {
  test("200 who are subscribed to some of three topics get it once each", {
    engine: { rangeSize: 30 },
  }, async (world) => {
    await addTopics(world);
    const first: Record<string, string | undefined> = {};
    for (let n = 0; n < 200; n++) {
      // Every set of topics but the empty one.
      const set = 1 + (n % 7);
      const own = names.filter((_, bit) => set & (1 << bit));
      const endpoint = `http://sink.test/${n}`;
      first[endpoint] = own[0];
      // Its numbers do not follow the order of the topics.
      for (const name of n % 2 ? own : own.toReversed()) {
        await world.subscribe("http", endpoint, name);
      }
    }
    const engines = [world.create(), await world.start()];
    const [other, engine] = engines;
    assert.ok(other && engine);
    await other.start();
    const id = await world.publishToSeveral(engine, names);
    await world.pass(10_000);
    assert.equal(world.http.calls.length, 200);
    assert.deepEqual(gotThrough(world), first);
    const { counts, fannedOut } = await world.report(id);
    assert.deepEqual([counts, fannedOut], [{ delivered: 200 }, true]);
    const all = await world.deliveries(id);
    assert.ok(
      all.every(({ endpoint, subscriptionUrn = "" }) =>
        subscriptionUrn.includes(`:${first[endpoint]}:`),
      ),
    );
  });

  test("goes through the first topic whose policies let it through", {}, async (world) => {
    await addTopics(world);
    await subscribe(world, "http://second/", { alerts: high, builds: low });
    await subscribe(world, "http://third/", { builds: high, costs: [] });
    await subscribe(world, "http://none/", { builds: high, costs: high });
    await subscribe(world, "http://all/", {
      alerts: [],
      builds: [],
      costs: [],
    });
    const engine = await world.start();
    const order = ["costs", "alerts", "builds"];
    const id = await world.publishToSeveral(engine, order, isLow);
    await world.settle();
    assert.deepEqual(gotThrough(world), {
      "http://all/": "costs",
      "http://second/": "builds",
      "http://third/": "costs",
    });
    assert.equal(world.http.calls.length, 3);
    assert.deepEqual(await world.counts(id), { delivered: 3, filtered: 1 });
    const [filtered] = (await world.deliveries(id)).filter(
      ({ state }) => state === "filtered",
    );
    assert.equal(filtered?.endpoint, "http://none/");
    assert.match(filtered?.subscriptionUrn ?? "", /:costs:/);
    assert.match(filtered?.attempts[0]?.error ?? "", /none of: high/);
  });

  test("a retry after a restart tells of the same topic", {}, async (world) => {
    await addTopics(world);
    await subscribe(world, "http://a/", { builds: [], costs: [] });
    world.http.script = (_, nth) => (nth === 1 ? unavailable : delivered);
    const engine = await world.start();
    const id = await world.publishToSeveral(engine, names);
    await world.settle();
    assert.deepEqual(await world.counts(id), { retrying: 1 });
    world.cutOff();
    await world.start();
    await world.pass(60_000);
    assert.deepEqual(world.http.topics, ["builds", "builds"]);
    assert.deepEqual(await world.counts(id), { delivered: 1 });
  });

  test("policies decide by attributes that are kept sealed, too", {
    seal: {
      seal: async ({ attributes: _, ...message }) => ({
        ...message,
        sealedBy: "k",
      }),
      open: (message) => ({ ...message, ...isLow }),
    },
  }, async (world) => {
    await addTopics(world);
    await subscribe(world, "http://a/", { alerts: high, builds: low });
    const engine = await world.start();
    const id = await world.publishToSeveral(engine, names, isLow);
    await world.settle();
    assert.deepEqual(await world.counts(id), { delivered: 1 });
    assert.deepEqual(gotThrough(world), { "http://a/": "builds" });
  });

  test("who joins or leaves an earlier topic between two ranges gets it once", {}, async (world) => {
    await addTopics(world);
    const { id: left } = await world.subscribe("http", "http://leaves/");
    await subscribe(world, "http://between/", { builds: [] });
    await subscribe(world, "http://leaves/", { costs: [] });
    await subscribe(world, "http://joins/", { costs: [] });
    const gate = Promise.withResolvers<unknown>();
    // Its range is being worked while others come and go.
    world.http.script = ({ endpoint }) =>
      endpoint === "http://between/" ? gate.promise : delivered;
    const id = await world.publishToSeveral(await world.start(), names);
    await world.settle();
    assert.deepEqual(world.http.topics, ["alerts", "builds"]);
    await world.store.cancelSubscription(left, () => undefined);
    await world.subscribe("http", "http://joins/");
    gate.resolve(delivered);
    await world.pass(10_000);
    assert.deepEqual(gotThrough(world), {
      "http://leaves/": "alerts",
      "http://between/": "builds",
      "http://joins/": "costs",
    });
    assert.deepEqual(await world.counts(id), { delivered: 3 });
  });

  test("who leaves one topic before its delivery is made gets it through another", {}, async (world) => {
    await addTopics(world);
    const { id: left } = await world.subscribe("http", "http://a/");
    await world.subscribe("http", "http://a/", "costs");
    world.http.script = (_, nth) => (nth === 1 ? unavailable : delivered);
    const id = await world.publishToSeveral(await world.start(), names);
    await world.settle();
    assert.deepEqual(await world.counts(id), { retrying: 1 });
    const { store, clock } = world;
    await store.deleteSubscription(projectId, "alerts", left, clock.now());
    await world.pass(60_000);
    assert.deepEqual(world.http.topics, ["alerts", "costs"]);
    const { counts, fannedOut } = await world.report(id);
    assert.deepEqual(counts, { cancelled: 1, delivered: 1 });
    assert.equal(fannedOut, true);
  });

  test("a topic that is deleted meanwhile costs those of the others nothing", {
    engine: { rangeSize: 1 },
  }, async (world) => {
    await addTopics(world);
    await subscribe(world, "http://both/", { builds: [], costs: [] });
    await subscribe(world, "http://one/", { builds: [] });
    await subscribe(world, "http://first/", { alerts: [] });
    const gate = Promise.withResolvers<unknown>();
    world.http.script = () => gate.promise;
    const id = await world.publishToSeveral(await world.start(), names);
    await world.settle();
    assert.deepEqual(world.http.topics, ["alerts"]);
    await world.store.deleteTopic(projectId, "builds", world.clock.now());
    world.http.script = () => delivered;
    gate.resolve(delivered);
    await world.pass(10_000);
    assert.deepEqual(gotThrough(world), {
      "http://first/": "alerts",
      "http://both/": "costs",
    });
    const { counts, fannedOut } = await world.report(id);
    assert.deepEqual(counts, { delivered: 2, cancelled: 1 });
    assert.equal(fannedOut, true);
  });
}
