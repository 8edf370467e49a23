import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { invalidAnswer } from "../carrier-answer.ts";
import type { TextLimits } from "../encoding/text-limits.ts";
import {
  ConfigurationError,
  CreditError,
  LimitsError,
  MessageSendError,
  ProviderConnectionError,
  RequestError,
  ServerError,
  UnsupportedError,
} from "../errors.ts";
import { Gateway } from "../gateway.ts";
import { IncomingMessage } from "../incoming-message.ts";
import {
  MessageDelivered,
  MessageError,
  type MessageStatus,
} from "../message-status.ts";
import { OptOut } from "../opt-out/opt-out.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import { Provider } from "../provider.ts";
import { DeliveryPolicy, NoProviderAvailableError } from "./delivery-policy.ts";
import type { DeliveryPolicyData } from "./policy-data.ts";
import type { FailoverEvent } from "./receipt-failover.ts";

/** Sends or fails as set, and reports the given statuses. */
class ScriptedProvider extends Provider {
  override textLimits: TextLimits | null = {};
  readonly sent: OutgoingMessage[] = [];
  error: unknown;
  /** What a forward server behind it would call its own provider. */
  carrier: string | undefined;
  #count = 0;

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    if (this.error !== undefined) throw this.error;
    this.#count += 1;
    message.msgid = `${this.name}${this.#count}`;
    message.provider = this.carrier ?? message.provider;
    this.sent.push(message);
    return message;
  }

  report(status: MessageStatus): Promise<MessageStatus> {
    return this.receiveStatus(status);
  }
}

function setUp(data: DeliveryPolicyData, random: () => number = () => 0.5) {
  const clock = new ManualClock();
  const policy = new DeliveryPolicy(data, { clock, random });
  const gateway = new Gateway({ policy, clock });
  const providers = {
    a: gateway.addProvider("a", new ScriptedProvider()),
    b: gateway.addProvider("b", new ScriptedProvider()),
    c: gateway.addProvider("c", new ScriptedProvider()),
  };
  return { clock, policy, gateway, ...providers };
}

const text = (dst = "420777123456") => new OutgoingMessage(dst, "hi");

const chain: DeliveryPolicyData = {
  rules: [{ name: "all", use: "b || c || a" }],
};

describe("rules", () => {
  const data: DeliveryPolicyData = {
    rules: [
      { name: "otp", when: { class: ["otp"] }, use: "c" },
      {
        name: "prague",
        when: { prefix: ["4202", "4203"], country: ["CZ"] },
        use: "b",
      },
      { name: "us", when: { country: ["US"] }, use: "a" },
    ],
  };
  const CASES = [
    ["420212345678", null, "b", "prague"],
    ["00420212345678", null, "b", "prague"],
    ["420777123456", null, "a", undefined],
    ["12125550100", null, "a", "us"],
    ["14165550100", "otp", "c", "otp"],
    ["420212345678", "otp", "c", "otp"],
    ["420212345678", "bulk", "b", "prague"],
  ] as const;
  for (const [dst, messageClass, provider, rule] of CASES) {
    test(`${dst} of class ${messageClass} goes through ${provider}`, async () => {
      const { gateway } = setUp(data);
      const message = await gateway.send(text(dst).options({ messageClass }));
      assert.equal(message.provider, provider);
      assert.equal(message.choice?.rule, rule);
      assert.equal(message.choice?.by, rule ? "policy" : "default");
    });
  }

  test("a rule by sender is for those that ask for it, however it is written", async () => {
    const { gateway } = setUp({
      rules: [
        {
          name: "acme",
          when: { sender: ["ACME", "+49 151 123"] },
          use: "b",
          // Given by the rule, not asked for by the message.
          providers: { b: { senders: ["OTHER"] } },
        },
        { name: "rest", use: "c", providers: { c: { senders: ["ACME"] } } },
      ],
    });
    for (const [senderId, src, rule] of [
      ["ACME", null, "acme"],
      ["Acme", null, "acme"],
      ["0049151123", null, "acme"],
      [null, "49151123", "acme"],
      ["Other", "ACME", "rest"],
      [null, null, "rest"],
    ] as const) {
      const message = new OutgoingMessage("4207", "hi", src);
      const sent = await gateway.send(message.options({ senderId }));
      assert.equal(sent.choice?.rule, rule, `${senderId} ${src}`);
    }
    const { considered } = await gateway.explain(
      text().options({ senderId: "Bob" }),
    );
    assert.deepEqual(
      considered.map(({ reason }) => reason),
      [
        "the sender is Bob, not ACME or +49 151 123",
        "the rule applies to every message",
      ],
    );
  });

  test("what a rule says of a provider goes over what the policy says", async () => {
    const { policy } = setUp({
      providers: {
        a: { senders: ["1"], costPerSegment: 1 },
        b: { costPerSegment: 2 },
      },
      rules: [
        {
          name: "all",
          use: "a || b || c",
          providers: { a: { costPerSegment: 3 }, c: { senders: ["9"] } },
        },
      ],
    });
    assert.deepEqual(policy.plan(text()).candidates, [
      { provider: "a", sender: "1", costPerSegment: 3 },
      { provider: "b", costPerSegment: 2 },
      { provider: "c", sender: "9" },
    ]);
  });

  test("an explicit provider and the router win", async () => {
    const { gateway } = setUp(chain);
    gateway.router = (_message, name) => String(name);
    const explicit = new OutgoingMessage("1", "hi", null, "a");
    assert.equal((await gateway.send(explicit)).provider, "a");
    const routed = await gateway.send(text().route("c"));
    assert.equal(routed.provider, "c");
    assert.equal(routed.choice?.by, "router");
  });

  test("a router without an opinion leaves it to the policy", async () => {
    const { gateway } = setUp(chain);
    const sent = await gateway.send(text().route("anything"));
    assert.equal(sent.provider, "b");
  });

  test("a provider nobody registered is an error before anything is sent", async () => {
    const { gateway, b } = setUp({
      rules: [{ name: "all", use: "b || nobody" }],
    });
    await assert.rejects(gateway.send(text()), {
      code: "UNKNOWN_PROVIDER",
      message: /"nobody".*rule "all"/,
    });
    assert.equal(b.sent.length, 0);
    await assert.rejects(
      gateway.start(),
      /"nobody" in rule "all"; there are a, b, c$/,
    );
  });

  test("invalid data is refused at once", () => {
    const data = { rules: [] };
    assert.throws(() => new DeliveryPolicy(data), ConfigurationError);
  });
});

describe("senders", () => {
  const data: DeliveryPolicyData = {
    providers: { a: { senders: ["111"] }, b: { senders: ["222"] } },
    rules: [{ name: "all", use: "a || b || c" }],
  };

  test("a message without a sender gets one of the target's", async () => {
    const { gateway } = setUp(data);
    assert.equal((await gateway.send(text())).src, "111");
  });

  test("a message with a sender keeps it", async () => {
    const { gateway } = setUp(data);
    const message = new OutgoingMessage("1", "hi", "me");
    assert.equal((await gateway.send(message)).src, "me");
  });

  test("each provider sends under its own", async () => {
    const { gateway, a, b } = setUp(data);
    a.error = new ServerError("down");
    const message = text();
    assert.equal((await gateway.send(message)).src, "222");
    b.error = a.error;
    assert.equal((await gateway.send(message.reset())).src, null);
  });

  test("failure everywhere leaves the message without one", async () => {
    const { gateway, a, b } = setUp({
      ...data,
      rules: [{ name: "all", use: "a || b" }],
    });
    a.error = b.error = new ServerError("down");
    const message = text();
    await assert.rejects(gateway.send(message));
    assert.equal(message.src, null);
  });
});

describe("failover on errors", () => {
  test("goes on to the next provider, and remembers who failed", async () => {
    const { gateway, b, c } = setUp(chain);
    const down = new ServerError("down");
    b.error = down;
    const message = await gateway.send(text());
    assert.equal(message.provider, "c");
    assert.equal(c.sent.length, 1);
    assert.deepEqual(message.choice, {
      by: "policy",
      provider: "c",
      rule: "all",
      failures: [{ provider: "b", error: down }],
    });
  });

  test("fires onSend once, for the one that worked", async () => {
    const { gateway, b } = setUp(chain);
    b.error = new ServerError("down");
    const sent: (string | null)[] = [];
    gateway.onSend.add((message) => void sent.push(message.provider));
    await gateway.send(text());
    assert.deepEqual(sent, ["c"]);
  });

  test("throws the last error when all fail", async () => {
    const { gateway, a, b, c } = setUp(chain);
    b.error = new ServerError("first");
    c.error = new CreditError("second");
    a.error = new LimitsError("third");
    await assert.rejects(gateway.send(text()), /third/);
  });

  const STOPPING = [
    new RequestError("bad number"),
    new ProviderConnectionError("timeout", { outcomeUnknown: true }),
    new ConfigurationError("wrong"),
    new TypeError("a bug"),
  ];
  for (const error of STOPPING) {
    test(`${error.name} (${error.message}) is not tried elsewhere`, async () => {
      const { gateway, b, c } = setUp(chain);
      b.error = error;
      await assert.rejects(gateway.send(text()), (e) => e === error);
      assert.equal(c.sent.length, 0);
    });
  }

  const CONTINUING = [
    new ProviderConnectionError("refused"),
    new CreditError("no money"),
    new UnsupportedError("no Unicode"),
    new MessageSendError("odd"),
  ];
  for (const error of CONTINUING) {
    test(`${error.name} is`, async () => {
      const { gateway, b } = setUp(chain);
      b.error = error;
      assert.equal((await gateway.send(text())).provider, "c");
    });
  }

  test("an unknown outcome is tried elsewhere only on demand", async () => {
    const { gateway, b } = setUp({
      ...chain,
      failover: { onUnknownOutcome: true },
    });
    b.error = new ProviderConnectionError("timeout", { outcomeUnknown: true });
    assert.equal((await gateway.send(text())).provider, "c");
  });

  test("can be switched off", async () => {
    const { gateway, b } = setUp({ ...chain, failover: { onErrors: false } });
    b.error = new ServerError("down");
    await assert.rejects(gateway.send(text()), /down/);
  });

  test("a failing onSend hook does not send again", async () => {
    const { gateway, b, c } = setUp(chain);
    gateway.onSend.add(() => {
      throw new ServerError("hook");
    });
    await assert.rejects(gateway.send(text()), /hook/);
    assert.deepEqual([b.sent.length, c.sent.length], [1, 0]);
  });

  test("what one said of the message does not stay on what the next sends", async () => {
    const { gateway, b } = setUp(chain);
    b.send = async (message) => {
      message.msgid = "b1";
      message.meta = { raw: "b" };
      message.simulated = true;
      throw new ServerError("down");
    };
    const { provider, msgid, meta, simulated } = await gateway.send(text());
    assert.deepEqual(
      { provider, msgid, meta, simulated },
      { provider: "c", msgid: "c1", meta: null, simulated: false },
    );
  });

  test("each writes the text as its own limits say", async () => {
    const { gateway, b, c } = setUp(chain);
    b.textLimits = { transliterate: true };
    b.send = async (message) => {
      seen.push(message.body);
      throw new ServerError("down");
    };
    const seen: string[] = [];
    const message = await gateway.send(new OutgoingMessage("420777", "žluť"));
    assert.deepEqual([...seen, c.sent[0]?.body], ["zlut", "žluť"]);
    assert.equal(message.choice?.body, undefined);
  });

  test("an aborted send is not tried elsewhere", async () => {
    const { gateway, b, c } = setUp(chain);
    const controller = new AbortController();
    b.send = async () => {
      controller.abort();
      throw new ServerError("interrupted");
    };
    const { signal } = controller;
    await assert.rejects(gateway.send(text(), { signal }), {
      name: "AbortError",
    });
    assert.equal(c.sent.length, 0);
  });
});

describe("breakers", () => {
  const data: DeliveryPolicyData = {
    rules: [{ name: "all", use: "b || c" }],
    breaker: { minimumAttempts: 2, openSeconds: 30 },
  };

  test("an open one is passed over until its probe succeeds", async () => {
    const { clock, policy, gateway, b, c } = setUp(data);
    b.error = new ServerError("down");
    await gateway.send(text());
    await gateway.send(text());
    assert.equal(policy.breakerState("b"), "open");
    b.error = undefined;
    const third = await gateway.send(text());
    assert.equal(third.provider, "c");
    assert.equal(third.choice?.failures, undefined);
    clock.advance(30_000);
    assert.equal((await gateway.send(text())).provider, "b");
    assert.equal(policy.breakerState("b"), "closed");
    assert.equal(c.sent.length, 3);
  });

  test("when all are open the error says when to come back", async () => {
    const { clock, gateway, b, c } = setUp(data);
    b.error = c.error = new ServerError("down");
    for (let i = 0; i < 2; i++) await assert.rejects(gateway.send(text()));
    clock.advance(10_000);
    await assert.rejects(gateway.send(text()), (error) => {
      assert.ok(error instanceof NoProviderAvailableError);
      assert.equal(error.retryAfterMs, 20_000);
      assert.equal(error.retryable, true);
      return true;
    });
  });

  test("a probe that hangs is given up at the deadline, and tried again later", async () => {
    const { clock, policy, gateway, b } = setUp(data);
    b.error = new ServerError("down");
    await gateway.send(text());
    await gateway.send(text());
    clock.advance(30_000);
    const send = b.send.bind(b);
    b.send = () => new Promise(() => {});
    const probing = gateway.send(text());
    // Others do not wait for it.
    assert.equal((await gateway.send(text())).provider, "c");
    clock.advance(20_000);
    await assert.rejects(probing, { code: "TIMEOUT", outcomeUnknown: true });
    assert.equal(policy.breakerState("b"), "open");
    b.send = send;
    b.error = undefined;
    clock.advance(30_000);
    assert.equal((await gateway.send(text())).provider, "b");
    assert.equal(policy.breakerState("b"), "closed");
  });

  test("an aborted probe makes room for another", async () => {
    const { clock, policy, gateway, b } = setUp(data);
    b.error = new ServerError("down");
    await gateway.send(text());
    await gateway.send(text());
    clock.advance(30_000);
    const send = b.send.bind(b);
    b.send = () => new Promise(() => {});
    const controller = new AbortController();
    const { signal } = controller;
    const probing = gateway.send(text(), { signal });
    controller.abort();
    await assert.rejects(probing, { name: "AbortError" });
    b.send = send;
    b.error = undefined;
    assert.equal((await gateway.send(text())).provider, "b");
    assert.equal(policy.breakerState("b"), "closed");
  });

  test("one whose answers cannot be read is left alone", async () => {
    const { policy, gateway, b } = setUp(data);
    b.error = invalidAnswer("b");
    for (let i = 0; i < 2; i++) await assert.rejects(gateway.send(text()));
    assert.equal(policy.breakerState("b"), "open");
    assert.equal((await gateway.send(text())).provider, "c");
  });

  test("mistakes of the message are not the provider's fault", async () => {
    const { policy, gateway, b } = setUp(data);
    b.error = new RequestError("bad number");
    for (let i = 0; i < 5; i++) await assert.rejects(gateway.send(text()));
    assert.equal(policy.breakerState("b"), "closed");
  });
});

describe("failover on receipts", () => {
  const watched: DeliveryPolicyData = {
    ...chain,
    failover: { receipts: { silentMinutes: 5 } },
  };
  const withReceipt = () => text().options({ statusReport: true });

  async function setUpWatched(data: DeliveryPolicyData = watched) {
    const all = setUp(data);
    await all.gateway.start();
    const events = all.policy.onFailover.iterate();
    const next = async (): Promise<FailoverEvent> =>
      (await events.next()).value;
    return { ...all, next };
  }

  test("a failed receipt sends a copy through the next provider", async () => {
    const { gateway, b, c, next } = await setUpWatched();
    const original = await gateway.send(withReceipt());
    const status = new MessageError("b1", { status: "blocked" });
    await b.report(status);
    const event = await next();
    assert.equal(event.reason, "failed");
    assert.equal(event.original, original);
    assert.equal(event.status, status);
    assert.equal(event.error, undefined);
    assert.equal(c.sent[0], event.resent);
    assert.notEqual(event.resent, original);
    assert.equal(event.resent.body, "hi");
    assert.equal(event.resent.provider, "c");
    assert.equal(original.msgid, "b1");
  });

  test("a receipt counts only for what went through its own entry", async () => {
    const { gateway, b, c, next } = await setUpWatched();
    // Both have carriers of the same name behind them, as forward clients may.
    b.carrier = "lo";
    await gateway.send(withReceipt());
    const foreign = new MessageError("b1", { provider: "lo" });
    foreign.entry = "a";
    await gateway.report(foreign);
    assert.equal(c.sent.length, 0);
    const own = new MessageError("b1", { provider: "lo" });
    own.entry = "b";
    await gateway.report(own);
    await next();
    assert.equal(c.sent.length, 1);
  });

  test("the copy is watched as well", async () => {
    const { gateway, a, b, c, next } = await setUpWatched();
    await gateway.send(withReceipt());
    await b.report(new MessageError("b1"));
    await next();
    await c.report(new MessageError("c1"));
    assert.equal((await next()).resent.provider, "a");
    await a.report(new MessageError("a1"));
    await gateway.stop();
    assert.equal(a.sent.length + b.sent.length + c.sent.length, 3);
  });

  test("a delivered message is left alone, whatever comes later", async () => {
    const { clock, gateway, b, c } = await setUpWatched();
    await gateway.send(withReceipt());
    await b.report(new MessageDelivered("b1"));
    await b.report(new MessageError("b1"));
    clock.advance(60 * 60_000);
    await gateway.stop();
    assert.equal(c.sent.length, 0);
  });

  test("silence sends a copy after the given minutes, not before", async () => {
    const { clock, gateway, c, next } = await setUpWatched();
    await gateway.send(withReceipt());
    clock.advance(5 * 60_000 - 1);
    assert.equal(c.sent.length, 0);
    clock.advance(1);
    assert.equal((await next()).reason, "silent");
    assert.equal(c.sent.length, 1);
  });

  test("silence lasts as long though the machine's time is set", async () => {
    const { clock, gateway, c, next } = await setUpWatched();
    await gateway.send(withReceipt());
    clock.jump(60 * 60_000);
    clock.advance(60_000);
    assert.equal(c.sent.length, 0);
    clock.jump(-120 * 60_000);
    clock.advance(4 * 60_000);
    assert.equal((await next()).reason, "silent");
  });

  test("each message has its own deadline", async () => {
    const { clock, gateway, b, next } = await setUpWatched();
    await gateway.send(withReceipt());
    clock.advance(60_000);
    const second = await gateway.send(withReceipt());
    await b.report(new MessageDelivered("b1"));
    clock.advance(5 * 60_000 - 1);
    clock.advance(1);
    assert.equal((await next()).original, second);
  });

  test("a receipt that comes before send resolves counts", async () => {
    const { gateway, b, c, next } = await setUpWatched();
    const send = b.send.bind(b);
    b.send = async (message) => {
      await b.report(new MessageError("b1"));
      return send(message);
    };
    await gateway.send(withReceipt());
    assert.equal((await next()).resent.provider, "c");
    assert.equal(c.sent.length, 1);
  });

  test("messages without receipts are not watched", async () => {
    const { clock, gateway, b, c } = await setUpWatched();
    await gateway.send(text());
    await b.report(new MessageError("b1"));
    clock.advance(60 * 60_000);
    await gateway.stop();
    assert.equal(c.sent.length, 0);
  });

  test("onFailed: false waits for silence alone", async () => {
    const receipts = { onFailed: false, silentMinutes: 5 };
    const { clock, gateway, b, c } = await setUpWatched({
      ...chain,
      failover: { receipts },
    });
    await gateway.send(withReceipt());
    await b.report(new MessageError("b1"));
    clock.advance(60 * 60_000);
    await gateway.stop();
    assert.equal(c.sent.length, 0);
  });

  test("a copy that cannot be sent is reported with its error", async () => {
    const { gateway, a, b, c, next } = await setUpWatched();
    await gateway.send(withReceipt());
    a.error = c.error = new ServerError("down");
    await b.report(new MessageError("b1"));
    const event = await next();
    assert.equal(event.error, a.error);
    assert.equal(event.resent.msgid, null);
  });

  test("the hooks hear of the failure before the copy is sent", async () => {
    const { gateway, b, next } = await setUpWatched();
    const heard: string[] = [];
    gateway.onStatus.add((status) => void heard.push(status.kind));
    gateway.onSend.add((message) => void heard.push(`sent ${message.msgid}`));
    await gateway.send(withReceipt());
    await b.report(new MessageError("b1"));
    await next();
    assert.deepEqual(heard, ["sent b1", "error", "sent c1"]);
  });

  test("a status that a hook refused is acted on when it is repeated", async () => {
    const { gateway, b, c, next } = await setUpWatched();
    await gateway.send(withReceipt());
    gateway.onStatus.once(() => {
      throw new Error("not yet");
    });
    await assert.rejects(b.report(new MessageError("b1")), /not yet/);
    assert.equal(c.sent.length, 0);
    await b.report(new MessageError("b1"));
    await next();
    assert.equal(c.sent.length, 1);
  });

  test("stopping waits for what is being sent again, and ends the watch", async () => {
    const { clock, gateway, b, c } = await setUpWatched();
    await gateway.send(withReceipt());
    await gateway.send(withReceipt());
    const sending = Promise.withResolvers<void>();
    const send = c.send.bind(c);
    c.send = async (message) => {
      await sending.promise;
      return send(message);
    };
    await b.report(new MessageError("b1"));
    const stopped = gateway.stop();
    sending.resolve();
    await stopped;
    assert.equal(c.sent.length, 1);
    assert.equal(clock.nextTimerAt, undefined);
  });

  test("after stopping nothing is sent again, whatever is reported", async () => {
    const { clock, gateway, b, c } = await setUpWatched();
    await gateway.send(withReceipt());
    await gateway.stop();
    await b.report(new MessageError("b1"));
    clock.advance(60 * 60_000);
    await gateway.start();
    await b.report(new MessageError("b1"));
    clock.advance(60 * 60_000);
    await gateway.stop();
    assert.equal(c.sent.length, 0);
  });

  test("a receipt from before the message does not count, though its id comes again", async () => {
    const { clock, gateway, b, c } = await setUpWatched();
    await b.report(new MessageError("b1"));
    clock.advance(1);
    await gateway.send(withReceipt());
    await gateway.stop();
    assert.deepEqual([b.sent.length, c.sent.length], [1, 0]);
  });

  test("a copy is as exempt from opt-outs as its original", async () => {
    const optOut = new OptOut();
    const clock = new ManualClock();
    const policy = new DeliveryPolicy(watched, { clock });
    const gateway = new Gateway({ policy, clock, optOut });
    const [b] = ["b", "c", "a"].map((name) =>
      gateway.addProvider(name, new ScriptedProvider()),
    );
    await gateway.start();
    await gateway.receive(new IncomingMessage("420777123456", "STOP"));
    const events = policy.onFailover.iterate();
    const message = optOut.exempt(withReceipt());
    assert.deepEqual((await gateway.explain(message)).problems, []);
    await gateway.send(message);
    await b?.report(new MessageError("b1"));
    const { value } = await events.next();
    assert.equal(value.error, undefined);
    assert.equal(value.resent.provider, "c");
  });

  test("a copy is made of the text as it was given", async () => {
    const { gateway, b, next } = await setUpWatched();
    b.textLimits = { transliterate: true };
    const message = new OutgoingMessage("420777123456", "žluť").options({
      statusReport: true,
    });
    await gateway.send(message);
    assert.equal(message.body, "zlut");
    await b.report(new MessageError("b1"));
    assert.equal((await next()).resent.body, "žluť");
  });

  test("no more than maxTracked are watched", async () => {
    const receipts = { maxTracked: 1 };
    const { gateway, b, c, next } = await setUpWatched({
      ...chain,
      failover: { receipts },
    });
    await gateway.send(withReceipt());
    await gateway.send(withReceipt());
    await b.report(new MessageError("b1"));
    await b.report(new MessageError("b2"));
    await next();
    await gateway.stop();
    assert.equal(c.sent.length, 1);
  });
});

describe("another policy in its place", () => {
  const other: DeliveryPolicyData = {
    rules: [{ name: "other", use: "a || b" }],
  };

  test("holds for the next message, and keeps breakers and hook", async () => {
    const { gateway, policy, a, b } = setUp({
      ...chain,
      breaker: { minimumAttempts: 1 },
    });
    b.error = new ServerError("down");
    await gateway.send(text());
    const next = new DeliveryPolicy(
      { ...other, breaker: { minimumAttempts: 1 } },
      { replaces: policy },
    );
    gateway.policy = next;
    assert.equal((await gateway.send(text())).choice?.rule, "other");
    assert.equal(a.sent.length, 1);
    assert.equal(next.breakerState("b"), "open");
    assert.equal(next.onFailover, policy.onFailover);
    const anew = new DeliveryPolicy(other, { replaces: next });
    assert.equal(anew.breakerState("b"), "closed");
    gateway.policy = undefined;
    assert.equal((await gateway.send(text())).choice?.by, "default");
  });

  test("what is being sent goes on along the route it had", async () => {
    const { gateway, b, c } = setUp(chain);
    const sending = Promise.withResolvers<void>();
    b.send = async () => {
      await sending.promise;
      throw new ServerError("down");
    };
    const sent = gateway.send(text());
    gateway.policy = new DeliveryPolicy({
      rules: [{ name: "none", use: "a" }],
      failover: { onErrors: false },
    });
    sending.resolve();
    assert.equal((await sent).choice?.rule, "all");
    assert.equal(c.sent.length, 1);
  });

  test("what was accepted is watched as it was promised", async () => {
    const failover = { receipts: { silentMinutes: 5 } };
    const { clock, gateway, policy, b, c } = setUp({ ...chain, failover });
    await gateway.start();
    const events = policy.onFailover.iterate();
    await gateway.send(text().options({ statusReport: true }));
    gateway.policy = new DeliveryPolicy(other, { replaces: policy });
    await b.report(new MessageError("b1"));
    assert.equal((await events.next()).value.resent.provider, "c");
    assert.equal(c.sent.length, 1);
    await gateway.stop();
    assert.equal(clock.nextTimerAt, undefined);
  });

  test("is refused when it names a provider that there is not, and then changes nothing", async () => {
    const { gateway, policy } = setUp(chain);
    await gateway.start();
    const wrong = new DeliveryPolicy({ rules: [{ name: "x", use: "nobody" }] });
    assert.throws(
      () => {
        gateway.policy = wrong;
      },
      { name: "ConfigurationError", message: /"nobody" in rule "x"/ },
    );
    assert.throws(() => {
      Object.assign(gateway, { policy: {} });
    }, ConfigurationError);
    assert.equal(gateway.policy, policy);
  });
});
