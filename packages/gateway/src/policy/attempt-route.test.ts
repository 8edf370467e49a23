import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { ServerError, UnknownProviderError } from "../errors.ts";
import { Gateway } from "../gateway.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import { Provider } from "../provider.ts";
import { AttemptRoute, type TriedProvider } from "./attempt-route.ts";
import { DeliveryPolicy } from "./delivery-policy.ts";
import type { FailoverPolicy } from "./policy-data.ts";

class Carrier extends Provider {
  calls = 0;
  error: unknown;
  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    this.calls++;
    if (this.error !== undefined) throw this.error;
    message.msgid = "1";
    return message;
  }
}

function setUp(failover: FailoverPolicy = {}) {
  const clock = new ManualClock();
  const policy = new DeliveryPolicy(
    {
      rules: [{ name: "all", use: "a || b" }],
      providers: { a: { senders: ["4930"] } },
      failover,
      breaker: { minimumAttempts: 1, openSeconds: 30 },
    },
    { clock },
  );
  const gateway = new Gateway({ policy, clock });
  const a = gateway.addProvider("a", new Carrier());
  const b = gateway.addProvider("b", new Carrier());
  const message = () => new OutgoingMessage("+4915112345678", "Hello");
  const choose = (...tried: readonly TriedProvider[]) =>
    gateway.chooseRoute(message(), tried);
  return { clock, policy, gateway, a, b, message, choose };
}

async function routeOf(chosen: Promise<unknown>): Promise<AttemptRoute> {
  const route = await chosen;
  assert.ok(route instanceof AttemptRoute, JSON.stringify(route));
  return route;
}

test("calls exactly the provider of a route, with its sender", async () => {
  const { gateway, a, b, message, choose } = setUp();
  a.error = new ServerError("down");
  const route = await routeOf(choose());
  const sent = message();
  await assert.rejects(gateway.sendThrough(sent, route), ServerError);
  assert.deepEqual([a.calls, b.calls], [1, 0]);
  assert.equal(sent.src, "4930");
  assert.deepEqual(sent.choice, route.choice);
});

test("takes the least tried, and counts rounds", async () => {
  const { choose } = setUp();
  const failed = (provider: string) => ({ provider, outcome: "deferred" });
  const first = await routeOf(choose());
  assert.deepEqual(
    [first.provider, first.round, first.hasNext],
    ["a", 1, true],
  );
  const second = await routeOf(choose(failed("a")));
  assert.deepEqual(
    [second.provider, second.round, second.hasNext],
    ["b", 1, false],
  );
  const third = await routeOf(choose(failed("a"), failed("b")));
  assert.deepEqual(
    [third.provider, third.round, third.hasNext, third.passedOver],
    ["a", 2, true, false],
  );
});

test("without failover each attempt is a round of its own", async () => {
  const { choose } = setUp({ onErrors: false });
  const failed = { provider: "a", outcome: "deferred" };
  const { provider, round, hasNext } = await routeOf(choose(failed, failed));
  assert.deepEqual([provider, round, hasNext], ["a", 3, false]);
});

test("chooses none again that took the text, or may have", async () => {
  const { choose } = setUp({ receipts: { silentMinutes: 1 } });
  for (const outcome of ["accepted", "unknown", "failed", "delivered"]) {
    const { provider, silenceMs, nextOnFailedReceipt } = await routeOf(
      choose({ provider: "a", outcome }),
    );
    // Nobody stands after it.
    assert.deepEqual(
      [provider, silenceMs, nextOnFailedReceipt],
      ["b", undefined, false],
    );
  }
  const first = await routeOf(choose());
  assert.equal(first.silenceMs, 60_000);
  assert.equal(first.nextOnFailedReceipt, true);
  const none = await choose(
    { provider: "a", outcome: "accepted" },
    { provider: "b", outcome: "unknown" },
  );
  assert.equal("problem" in none && none.problem, "failed");
});

test("asks the breakers in the choice, and reports what came of it", async () => {
  const { clock, gateway, a, policy, message, choose } = setUp();
  a.error = new ServerError("down");
  const failing = await routeOf(choose());
  await assert.rejects(gateway.sendThrough(message(), failing), ServerError);
  assert.equal(policy.breakerState("a"), "open");
  const passed = await routeOf(choose({ provider: "b", outcome: "deferred" }));
  assert.deepEqual([passed.provider, passed.passedOver], ["b", true]);
  assert.equal(passed.hasNext, false);
  const waiting = await choose({ provider: "b", outcome: "accepted" });
  assert.ok("problem" in waiting && waiting.problem === "wait");
  assert.equal(waiting.waitMs, 30_000);
  clock.advance(30_000);
  // One probe at a time; a route that is not used gives it back.
  const probe = await routeOf(choose({ provider: "b", outcome: "accepted" }));
  const held = await choose({ provider: "b", outcome: "accepted" });
  assert.ok("problem" in held);
  probe.release();
  a.error = undefined;
  const again = await routeOf(choose({ provider: "b", outcome: "accepted" }));
  await gateway.sendThrough(message(), again);
  again.release();
  assert.equal(policy.breakerState("a"), "closed");
});

test("a provider that is removed between choice and call makes the attempt, and is stopped then", async () => {
  const gateway = new Gateway();
  const stops: string[] = [];
  class Stopping extends Carrier {
    override async stop() {
      stops.push(`after ${this.calls}`);
    }
  }
  const a = gateway.addProvider("a", new Stopping());
  const b = gateway.addProvider("b", new Carrier());
  await gateway.start();
  const message = new OutgoingMessage("+4915112345678", "Hello");
  const route = await routeOf(gateway.chooseRoute(message));
  const unused = await routeOf(gateway.chooseRoute(message));
  const removed = gateway.removeProvider("a");
  const next = await routeOf(gateway.chooseRoute(message));
  assert.equal(next.provider, "b");
  await gateway.sendThrough(message, route);
  assert.deepEqual([a.calls, b.calls], [1, 0]);
  assert.deepEqual(stops, []);
  unused.release();
  await removed;
  assert.deepEqual(stops, ["after 1"]);
  await assert.rejects(
    gateway.sendThrough(message, unused),
    UnknownProviderError,
  );
});

test("passes over who is paused, and waits when all are", async () => {
  const { gateway, choose } = setUp();
  gateway.paused = ["a"];
  const route = await routeOf(choose());
  assert.deepEqual([route.provider, route.hasNext], ["b", false]);
  route.release();
  gateway.paused = ["a", "b"];
  assert.deepEqual(await choose(), {
    problem: "wait",
    error: "All providers of the rule are paused: a, b",
    waitMs: 300_000,
    waitReason: "paused",
  });
  gateway.paused = [];
  assert.equal((await routeOf(choose())).provider, "a");
});

test("waits for a paused provider that the message names", async () => {
  const { gateway, message } = setUp();
  const named = message();
  named.provider = "a";
  gateway.paused = ["a"];
  const chosen = await gateway.chooseRoute(named);
  assert.ok("problem" in chosen);
  assert.equal(chosen.waitReason, "paused");
  assert.match(chosen.error, /paused: a/);
});

test("a text that was on its way when its provider was paused goes out", async () => {
  const { gateway, a, message, choose } = setUp();
  const route = await routeOf(choose());
  gateway.paused = ["a"];
  await gateway.sendThrough(message(), route);
  assert.equal(a.calls, 1);
});

test("sends nothing through who is paused, and says so", async () => {
  const { gateway, a, b, message } = setUp();
  gateway.paused = ["a"];
  await gateway.send(message());
  assert.deepEqual([a.calls, b.calls], [0, 1]);
  const named = message();
  named.provider = "a";
  const explained = await gateway.explain(named);
  assert.deepEqual(explained.problems, ['the provider "a" is paused']);
  await assert.rejects(gateway.send(named), { name: "ProviderPausedError" });
  gateway.paused = ["a", "b"];
  await assert.rejects(gateway.send(message()), {
    name: "ProviderPausedError",
    retryable: true,
  });
  const { provider, problems } = await gateway.explain(message());
  assert.equal(provider, null);
  assert.match(problems[0] ?? "", /paused/);
  assert.deepEqual([a.calls, b.calls], [0, 1]);
});
