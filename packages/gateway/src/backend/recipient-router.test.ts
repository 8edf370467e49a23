import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { Gateway } from "../gateway.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import { AttemptRoute } from "../policy/attempt-route.ts";
import { DeliveryPolicy } from "../policy/delivery-policy.ts";
import { NullProvider } from "../providers/null/provider.ts";
import { type RecipientRouter, RouterError } from "./recipient-router.ts";

function setUp(recipientRouter?: RecipientRouter) {
  const clock = new ManualClock();
  const policy = new DeliveryPolicy(
    { rules: [{ name: "German", use: "policy", when: { country: ["DE"] } }] },
    { clock },
  );
  const gateway = new Gateway({
    clock,
    policy,
    ...(recipientRouter && { recipientRouter }),
  });
  for (const name of ["default", "policy", "routed", "explicit"]) {
    gateway.addProvider(name, new NullProvider());
  }
  return { clock, gateway };
}

const text = (provider: string | null = null, to = "+4915112345678") =>
  new OutgoingMessage(to, "Hello", null, provider);

for (const [title, router, message, provider] of [
  ["none", undefined, text(), "policy"],
  ["one that names a provider", () => "routed", text(), "routed"],
  ["one that answers later", async () => "routed", text(), "routed"],
  ["one that leaves it", () => undefined, text(), "policy"],
  ["one that answers null", () => null, text(), "policy"],
  [
    "one that answers nothing",
    () => "",
    text(null, "+420777123456"),
    "default",
  ],
  [
    "one, and a text that names its provider",
    () => "routed",
    text("explicit"),
    "explicit",
  ],
] as const) {
  test(`with ${title} the text goes through ${provider}`, async () => {
    const { gateway } = setUp(router);
    assert.equal((await gateway.send(message)).provider, provider);
    message.reset();
    const route = await gateway.chooseRoute(message);
    assert.ok(route instanceof AttemptRoute);
    assert.equal(route.provider, provider);
    route.release();
    assert.equal((await gateway.explain(message)).provider, provider);
  });
}

test("is asked at each attempt, with the recipient and a copy of the text", async () => {
  const seen: unknown[] = [];
  let answer = "routed";
  const { gateway } = setUp((recipient, message) => {
    seen.push([recipient, message.text, message.extraData]);
    Object.assign(message.extraData, { changed: true });
    return answer;
  });
  const message = text();
  const extraData = { tier: "gold" };
  message.record = {
    id: "1",
    to: "+4915112345678",
    priority: 2,
    extraData,
    relatedObjects: [],
  };
  const first = await gateway.chooseRoute(message);
  answer = "explicit";
  const second = await gateway.chooseRoute(message, [
    { provider: "routed", outcome: "deferred" },
  ]);
  assert.ok(first instanceof AttemptRoute && second instanceof AttemptRoute);
  assert.deepEqual([first.provider, second.provider], ["routed", "explicit"]);
  assert.deepEqual(second.choice, { by: "router", provider: "explicit" });
  assert.deepEqual(extraData, { tier: "gold" });
  const [[recipient, body]] = seen as [[string, string]];
  assert.deepEqual([recipient, body], ["+4915112345678", "Hello"]);
});

test("a name that there is not fails the text, and is not the default", async () => {
  const { gateway } = setUp(() => "nowhere");
  assert.deepEqual(await gateway.chooseRoute(text()), {
    problem: "failed",
    error: 'The router named the provider "nowhere", which there is not.',
  });
  await assert.rejects(gateway.send(text()), { code: "UNKNOWN_PROVIDER" });
  const { problems } = await gateway.explain(text());
  assert.deepEqual(problems, ['no provider is called "nowhere"']);
});

test("what is no name fails the text", async () => {
  const { gateway } = setUp((() => 5) as unknown as RecipientRouter);
  assert.deepEqual(await gateway.chooseRoute(text()), {
    problem: "failed",
    error: "The router must answer the name of a provider, got a number.",
  });
  await assert.rejects(gateway.send(text()), { code: "ROUTER_INVALID" });
});

test("one that throws is asked again later", async () => {
  const router = () => {
    throw new Error("the database is away");
  };
  for (const failing of [router, async () => router()]) {
    const { gateway } = setUp(failing);
    assert.deepEqual(await gateway.chooseRoute(text()), {
      problem: "wait",
      error: "The router failed.",
    });
    const error = await gateway.send(text()).catch((it: unknown) => it);
    assert.ok(error instanceof RouterError);
    assert.equal(error.retryable, true);
    const { provider, problems } = await gateway.explain(text());
    assert.equal(provider, null);
    assert.deepEqual(problems, ["The router failed"]);
  }
});

test("one that keeps silent is asked again later", async () => {
  const { clock, gateway } = setUp(() => new Promise(() => {}));
  const chosen = gateway.chooseRoute(text());
  await clock.advance(999);
  let isOver = false;
  void chosen.then(() => {
    isOver = true;
  });
  await Promise.resolve();
  assert.equal(isOver, false);
  await clock.advance(1);
  assert.deepEqual(await chosen, {
    problem: "wait",
    error: "The router did not answer within 1 s.",
  });
});

test("can be taken away, and must be a function", async () => {
  const { gateway } = setUp(() => "routed");
  gateway.recipientRouter = undefined;
  assert.equal((await gateway.send(text())).provider, "policy");
  assert.throws(
    () =>
      new Gateway({ recipientRouter: "routed" as unknown as RecipientRouter }),
    { code: "CONFIGURATION" },
  );
});
