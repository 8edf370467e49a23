import assert from "node:assert/strict";
import { test } from "node:test";
import { ServerError } from "../errors.ts";
import { Gateway, type GatewayOptions } from "../gateway.ts";
import { OptOut } from "../opt-out/opt-out.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import { Provider } from "../provider.ts";
import { NullProvider } from "../providers/null/provider.ts";
import { DeliveryPolicy } from "./delivery-policy.ts";
import type { DeliveryPolicyData } from "./policy-data.ts";

class CarrierProvider extends Provider {
  override async send(): Promise<OutgoingMessage> {
    throw new ServerError("down");
  }
}

const data: DeliveryPolicyData = {
  currency: "EUR",
  breaker: { minimumAttempts: 1 },
  providers: {
    main: { costPerSegment: 0.03 },
    backup: { costPerSegment: 0.05 },
  },
  rules: [
    { name: "us", when: { country: ["US"] }, use: "backup" },
    {
      name: "cz",
      when: { prefix: ["420"] },
      use: "main || backup",
      providers: { main: { senders: ["111"] } },
      sticky: true,
    },
    { name: "codes", when: { class: ["otp"] }, use: "main" },
  ],
};

function setUp(options: GatewayOptions<readonly unknown[]> = {}) {
  const policy = new DeliveryPolicy(data);
  const gateway = new Gateway({ policy, ...options });
  gateway.addProvider("default", new NullProvider());
  gateway.addProvider("main", new CarrierProvider());
  gateway.addProvider("backup", new NullProvider());
  return gateway;
}

test("answers the rule, the reason, the segments and the cost", async () => {
  const message = new OutgoingMessage("420777123456", "ё".repeat(71));
  const explanation = await setUp().explain(message);
  assert.deepEqual(explanation, {
    provider: "main",
    by: "policy",
    rule: "cz",
    use: "main || backup",
    sticky: true,
    reason: 'rule "cz" matched: the number begins with 420',
    considered: [
      { rule: "us", matched: false, reason: "the country is CZ, not US" },
      { rule: "cz", matched: true, reason: "the number begins with 420" },
      { rule: "codes", matched: false, reason: 'rule "cz" comes before it' },
    ],
    candidates: [
      {
        provider: "main",
        sender: "111",
        breaker: "closed",
        paused: false,
        estimatedCost: { amount: 0.06, currency: "EUR" },
      },
      {
        provider: "backup",
        sender: undefined,
        breaker: "closed",
        paused: false,
        estimatedCost: { amount: 0.1, currency: "EUR" },
      },
    ],
    encoding: "ucs2",
    segments: 2,
    estimatedCost: { amount: 0.06, currency: "EUR" },
    problems: [],
  });
});

test("leaves the message alone, and the router gets a copy", async () => {
  const gateway = setUp({
    router: (message) => {
      message.options({ escalate: true });
      message.body = "changed";
      return "backup";
    },
  });
  const message = new OutgoingMessage("1", "hi").route("x");
  const before = structuredClone(message.toJSON());
  const explanation = await gateway.explain(message);
  assert.equal(explanation.by, "router");
  assert.equal(explanation.provider, "backup");
  assert.deepEqual(message.toJSON(), before);
  assert.equal(message.choice, null);
});

test("distinguishes explicit and default choices", async () => {
  const gateway = setUp();
  const explicit = new OutgoingMessage("1", "hi", null, "backup");
  assert.equal((await gateway.explain(explicit)).by, "explicit");
  const other = await gateway.explain(new OutgoingMessage("33123", "hi"));
  assert.equal(other.by, "default");
  assert.equal(other.provider, "default");
  assert.equal(other.considered.length, 3);
  assert.equal(other.estimatedCost, undefined);
});

for (const [by, message, routed] of [
  ["explicit", new OutgoingMessage("33123", "hi", null, "backup"), "default"],
  ["router", new OutgoingMessage("33123", "hi").route("x"), "backup"],
  ["policy", new OutgoingMessage("12025550123", "hi").route("x"), null],
  ["policy", new OutgoingMessage("12025550123", "hi"), "default"],
  ["default", new OutgoingMessage("33123", "hi").route("x"), ""],
  ["default", new OutgoingMessage("33123", "hi"), "backup"],
] as const) {
  test(`names who is sent through: ${by}, router says ${routed}`, async () => {
    const gateway = setUp({ router: () => routed });
    const explanation = await gateway.explain(message);
    const sent = await gateway.send(message.clone());
    assert.equal(explanation.by, by);
    assert.equal(sent.choice?.by, by);
    assert.equal(explanation.provider, sent.provider);
  });
}

test("passes over an open breaker, as sending does", async () => {
  const gateway = setUp();
  await gateway.send(new OutgoingMessage("420777123456", "hi"));
  const explanation = await gateway.explain(
    new OutgoingMessage("420777123456", "hi"),
  );
  assert.equal(explanation.provider, "backup");
  assert.equal(explanation.candidates[0]?.breaker, "open");
});

test("shows the sender that each would have, and who is paused", async () => {
  const gateway = setUp();
  gateway.paused = ["main"];
  const sendersOf = async (message: OutgoingMessage) => {
    const { provider, candidates } = await gateway.explain(message);
    assert.equal(provider, "backup");
    return candidates.map((it) => [it.provider, it.sender, it.paused]);
  };
  const message = () => new OutgoingMessage("420777123456", "hi");
  assert.deepEqual(await sendersOf(message()), [
    ["main", "111", true],
    ["backup", undefined, false],
  ]);
  for (const own of [
    message().options({ senderId: "ACME" }),
    new OutgoingMessage("420777123456", "hi", "ACME"),
  ]) {
    assert.deepEqual(await sendersOf(own), [
      ["main", "ACME", true],
      ["backup", "ACME", false],
    ]);
  }
});

test("names what would make sending fail", async () => {
  const optOut = new OptOut();
  optOut.store.put({
    recipient: "420777123456",
    sender: null,
    keyword: "STOP",
    at: new Date(0),
  });
  const gateway = setUp({ optOut });
  const problems = async (message: OutgoingMessage) =>
    (await gateway.explain(message)).problems.join("; ");
  assert.match(
    await problems(new OutgoingMessage("420777123456", "hi")),
    /opted out of all senders with "STOP"/,
  );
  assert.match(
    await problems(new OutgoingMessage("420777000000", "a".repeat(1531))),
    /11 segments/,
  );
  assert.match(
    await problems(new OutgoingMessage("1", "hi", null, "nobody")),
    /no provider is called "nobody"/,
  );
  const empty = await new Gateway().explain(new OutgoingMessage("1", "hi"));
  assert.equal(empty.provider, null);
  assert.match(empty.problems.join(), /no provider/);
});
