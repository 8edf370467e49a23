/** The guard at its place in the gateway. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Gateway } from "../gateway.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import { AttemptRoute, type NoAttemptRoute } from "../policy/attempt-route.ts";
import { DeliveryPolicy } from "../policy/delivery-policy.ts";
import { Provider } from "../provider.ts";
import { NullProvider } from "../providers/null/provider.ts";
import { Guard } from "./guard.ts";
import type { GuardRules } from "./guard-rules.ts";
import { HeldError } from "./hold.ts";

class Carrier extends Provider {
  sent = 0;

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    this.sent++;
    message.msgid = String(this.sent);
    return message;
  }
}

async function createGateway(
  rules: Partial<GuardRules>,
  policy?: DeliveryPolicy,
) {
  const guard = new Guard({ rules });
  const gateway = new Gateway({ guard, ...(policy && { policy }) });
  const carrier = gateway.addProvider("carrier", new Carrier());
  gateway.addProvider("nowhere", new NullProvider());
  await gateway.start();
  return { gateway, guard, carrier };
}

function text(number = "+4915112345678"): OutgoingMessage {
  return new OutgoingMessage(number, "Hello");
}

function held(found: AttemptRoute | NoAttemptRoute): boolean {
  if (!(found instanceof AttemptRoute)) return found.problem === "held";
  found.release();
  return false;
}

test("sends no text that the guard holds", async () => {
  const { gateway, carrier } = await createGateway({ numberPerHour: 1 });
  await gateway.send(text());
  await assert.rejects(gateway.send(text()), (error) => {
    assert.ok(error instanceof HeldError);
    assert.equal(error.reason, "number_limit");
    assert.equal(error.outcomeUnknown, false);
    return true;
  });
  assert.equal(carrier.sent, 1);
});

test("looks at no text that no carrier gets", async () => {
  const { gateway, guard } = await createGateway({ numberPerHour: 1 });
  gateway.defaultProvider = "nowhere";
  for (let n = 0; n < 3; n++) await gateway.send(text("+994501234567"));
  assert.equal(held(await gateway.chooseRoute(text("+994501234567"))), false);
  assert.deepEqual((await guard.summary()).held, {});
});

test("counts an attempt when its route is chosen, and once for those that nobody took", async () => {
  const { gateway, carrier } = await createGateway({ numberPerHour: 2 });
  const choose = (id: string, ...outcomes: string[]) => {
    const tried = outcomes.map((outcome) => ({ provider: "carrier", outcome }));
    return gateway.chooseRoute(text(), tried, { text: id });
  };
  assert.equal(held(await choose("a")), false);
  assert.equal(held(await choose("a", "deferred")), false);
  assert.equal(held(await choose("a", "deferred", "deferred")), false);
  const route = await choose("b");
  assert.ok(route instanceof AttemptRoute);
  await gateway.sendThrough(text(), route);
  assert.equal(carrier.sent, 1);
  // What may have gone out is another text when it is sent again.
  assert.equal(held(await choose("b", "unknown")), true);
  assert.equal(held(await choose("c")), true);
});

test("counts what a text costs by its segments and its rule's price", async () => {
  const policy = new DeliveryPolicy({
    rules: [{ name: "all", use: "carrier" }],
    providers: { carrier: { costPerSegment: 0.05 } },
  });
  const { gateway, guard } = await createGateway(
    { spendPerDay: 1, numberPerHour: 0 },
    policy,
  );
  const long = new OutgoingMessage("+4915112345678", "x".repeat(300));
  await gateway.send(long);
  assert.equal(held(await gateway.chooseRoute(text())), false);
  const [spend] = await guard.spend();
  assert.equal(spend?.amount, 0.15);
});

test("explains what would hold a text, and counts nothing", async () => {
  const policy = new DeliveryPolicy({
    currency: "EUR",
    rules: [{ name: "all", use: "carrier" }],
    providers: { carrier: { costPerSegment: 0.6 } },
  });
  const { gateway, guard, carrier } = await createGateway(
    { spendPerDay: 1, projectPerHour: 1 },
    policy,
  );
  const problems = async (number?: string, project?: string) =>
    (await gateway.explain(text(number), { ...(project && { project }) }))
      .problems;
  assert.match((await problems("+19005550100")).join(), /premium-rate/);
  assert.match((await problems("+994501234567")).join(), /AZ is on the list/);
  for (let n = 0; n < 3; n++) assert.deepEqual(await problems(), []);
  const context = { project: "p" };
  assert.equal(held(await gateway.chooseRoute(text(), [], context)), false);
  assert.match((await problems()).join(), /for 1 EUR in a day/);
  guard.rules = { projectPerHour: 1 };
  assert.match((await problems(undefined, "p")).join(), /projectPerHour/);
  assert.deepEqual(await problems(undefined, "q"), []);
  gateway.policy = undefined;
  gateway.defaultProvider = "nowhere";
  assert.deepEqual(await problems("+994501234567"), []);
  assert.equal(carrier.sent, 0);
  assert.deepEqual((await guard.summary()).held, {});
});

test("frees the provider of a text that it holds", async () => {
  const { gateway } = await createGateway({ countries: ["FR"] });
  assert.equal(held(await gateway.chooseRoute(text())), true);
  // Waits for as long as somebody has it.
  await gateway.removeProvider("carrier");
});
