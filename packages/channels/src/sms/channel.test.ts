import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import {
  type AttemptResult,
  type Channel,
  type Message,
  type Recipient,
  silentLogger,
} from "@carillon/core";
import {
  AuthError,
  CreditError,
  Gateway,
  IncomingMessage,
  LimitsError,
  LoopbackProvider,
  MemoryOptOutStore,
  type MessageStatus,
  OptOut,
  type OptOutStore,
  type OutgoingMessage,
  Provider,
  ProviderConnectionError,
  type ProviderContext,
  type SendContext,
  ServerError,
} from "@carillon/gateway";
import {
  grant,
  message,
  recipient,
  text,
  tokens,
  withTopic,
} from "../fixtures.test.ts";
import { createLinks } from "../links.ts";
import { createSmsChannel, type SmsChannelOptions } from "./channel.ts";
import { smsProtocol } from "./protocol.ts";

test("hands the text alone to the gateway and answers its id and segments", async (t) => {
  const { channel, phones } = createLoopback(t);
  const body = `Grüße 👋 ${"x".repeat(100)}`;
  const result = await deliver(
    channel,
    message({ subject: "not sent", content: text(body) }),
  );

  assert.deepEqual(result, {
    outcome: "accepted",
    parts: [{ externalId: "1" }],
    receiptExpected: true,
    provider: "loopback",
    segments: 2,
  });
  const [sent] = phones.takeTraffic();
  assert.equal(sent?.body, body);
  assert.equal(sent?.dst, "4915112345678");
});

test("asks for delivery receipts, unless they are turned off", async (t) => {
  for (const [statusReports, expected] of [
    [undefined, ["1"]],
    [true, ["1"]],
    [false, []],
  ] as const) {
    const { channel, gateway } = createLoopback(
      t,
      statusReports === undefined ? {} : { statusReports },
    );
    const statuses: MessageStatus[] = [];
    gateway.onStatus.add((status) => void statuses.push(status));
    await deliver(channel);
    assert.deepEqual(
      statuses.map(({ msgid }) => msgid),
      expected,
    );
  }
});

class PolledProvider extends LoopbackProvider {
  override get polling() {
    return { firstAfterMs: 30_000, batchSize: 7 };
  }

  /** Nobody is called. */
  override send(outgoing: OutgoingMessage): Promise<OutgoingMessage> {
    return super.send(outgoing.options({ statusReport: false }));
  }

  override async fetchStatuses(): Promise<readonly MessageStatus[]> {
    return [];
  }
}

test("a carrier that is asked is expected to report, and told when first", async (t) => {
  for (const statusReports of [true, false]) {
    const gateway = new Gateway();
    gateway.addProvider("acme", new PolledProvider());
    const channel = createChannel(t, gateway, { statusReports });
    const prepared = await channel.prepare(message());
    const result = await prepared.deliver(recipient("sms", "+4915112345678"));
    assert.deepEqual(result, {
      outcome: "accepted",
      parts: [{ externalId: "1" }],
      provider: "acme",
      segments: 1,
      ...(statusReports && { receiptExpected: true, pollAfterMs: 30_000 }),
    });
    assert.equal(channel.polls?.batchSizeOf("acme"), 7);
  }
});

test("a text of which no report is wanted is not asked about", async (t) => {
  for (const [statusReports, statusReport, pollAfterMs] of [
    [true, false, undefined],
    [false, true, 30_000],
  ] as const) {
    const gateway = new Gateway();
    gateway.addProvider("acme", new PolledProvider());
    const channel = createChannel(t, gateway, { statusReports });
    const result = await deliver(channel, message({ sms: { statusReport } }));
    assert.equal(result.outcome, "accepted");
    const { receiptExpected, pollAfterMs: after } = Object.assign(
      { receiptExpected: undefined, pollAfterMs: undefined },
      result,
    );
    assert.equal(after, pollAfterMs);
    assert.equal(receiptExpected, statusReport || undefined);
  }
});

test("hands the sender and the class to the provider", async (t) => {
  const { channel, gateway } = createLoopback(t);
  const seen: unknown[] = [];
  gateway.onSend.add(({ providerOptions: { senderId, messageClass } }) => {
    seen.push([senderId, messageClass]);
  });
  await deliver(channel);
  await deliver(channel, message({ sms: { sender: "ACME" }, class: "otp" }));
  assert.deepEqual(seen, [
    [null, null],
    ["ACME", "otp"],
  ]);
});

test("hands on what the message asks of the provider, a copy for each", async (t) => {
  const { channel, gateway } = createLoopback(t);
  const other = gateway.addProvider("other", new LoopbackProvider());
  const seen: unknown[] = [];
  gateway.onSend.add(({ choice, providerOptions, providerParams }) => {
    const { allowReply, escalate, statusReport, expires } = providerOptions;
    const asked = [allowReply, escalate, statusReport, expires];
    seen.push([choice?.provider, asked, { ...providerParams }]);
    providerParams.a = "spent";
  });
  const sms = {
    provider: "other",
    allowReply: false,
    escalate: true,
    statusReport: false,
    validityMinutes: 7,
    params: { a: [1] },
  };
  await deliver(channel, message({ sms }));
  await deliver(channel, message({ sms }));
  assert.deepEqual(
    seen,
    Array(2).fill(["other", [false, true, false, 7], { a: [1] }]),
  );
  assert.equal(other.takeTraffic().length, 2);
});

test("the validity is at most what is left of the life, and a minute at least", async (t) => {
  const { channel, gateway } = createLoopback(t);
  const seen: unknown[] = [];
  gateway.onSend.add(({ providerOptions }) => {
    seen.push(providerOptions.expires);
  });
  const { signal } = new AbortController();
  for (const [validityMinutes, lifeLeftMs] of [
    [undefined, 600_000],
    [undefined, 659_999],
    [undefined, 0],
    [5, 600_000],
    [50, 600_000],
  ] as const) {
    const sms = validityMinutes === undefined ? {} : { validityMinutes };
    const prepared = await channel.prepare(message({ sms }));
    await prepared.deliver(recipient("sms", "+4915112345678"), {
      signal,
      engineSignal: signal,
      lifeLeftMs,
    });
  }
  assert.deepEqual(seen, [10, 10, 1, 5, 10]);
});

test("takes the text for SMS; messages to numbers need no topic", async (t) => {
  const { channel, phones } = createLoopback(t);
  const variants = { default: "for all", sms: "for phones" };
  const { topic: _, ...direct } = message({
    audience: "direct",
    content: { kind: "structure", variants },
  });
  const result = await deliver(channel, direct, {
    target: 0,
    protocol: "sms",
    endpoint: "+1 (234) 567-89",
  });
  assert.equal(result.outcome, "accepted");
  const [sent] = phones.takeTraffic();
  assert.deepEqual([sent?.dst, sent?.body], ["123456789", "for phones"]);
});

test("invites with the topic's introduction, as a sentence, and a link", async (t) => {
  const { channel, phones } = createLoopback(t);
  for (const [introduction, first] of [
    ["News of the harbour.", "News of the harbour."],
    ["News of the harbour", "News of the harbour."],
    ["Ahoy! \n", "Ahoy!"],
    ["港のニュース。", "港のニュース。"],
  ] as const) {
    await deliver(
      channel,
      withTopic(
        { introduction, displayName: "Harbour" },
        { kind: "confirmation", grant },
      ),
    );
    assert.equal(
      phones.takeTraffic()[0]?.body,
      `${first} Confirm your subscription to Harbour within 48 hours: https://notify.example/c/00f1`,
    );
  }
});

test("invites with a code in place of a link", async (t) => {
  const { channel, phones } = createLoopback(t);
  await deliver(
    channel,
    withTopic(
      { displayName: "Harbour" },
      { kind: "confirmation", grant, byCode: true },
    ),
  );
  assert.equal(
    phones.takeTraffic()[0]?.body,
    "004711 is your code to subscribe to Harbour. It is good for 48 hours.",
  );
});

test("sends the unsubscribe notice with a link back", async (t) => {
  const { channel, phones } = createLoopback(t);
  await deliver(
    channel,
    message({ content: { kind: "unsubscription", grant } }),
  );
  assert.match(
    phones.takeTraffic()[0]?.body ?? "",
    /^You are unsubscribed from alerts\. .*https:\/\/notify\.example\/c\/00f1$/,
  );
});

test("sends up to 1000 characters and rejects what is longer, uncut", async (t) => {
  const { channel, phones } = createLoopback(t);
  // Two UTF-16 units each, yet one character.
  const longest = "👋".repeat(1000);
  const fits = await deliver(channel, message({ content: text(longest) }));
  assert.equal(fits.outcome, "accepted");
  assert.equal(phones.takeTraffic()[0]?.body, longest);

  assert.deepEqual(
    await deliver(channel, message({ content: text(`${longest}!`) })),
    {
      outcome: "rejected",
      errorClass: "provider",
      error: "The text has 1001 characters; a text message may have 1000.",
    },
  );
  assert.deepEqual(phones.takeTraffic(), []);
});

test("rejects what takes more segments than allowed", async (t) => {
  const { channel } = createLoopback(t, { maxSegments: () => 2 });
  const long = message({ content: text("x".repeat(307)) });
  assert.deepEqual(await deliver(channel, long), {
    outcome: "rejected",
    errorClass: "provider",
    error: "The text takes 3 segments; sms.maxSegments allows 2.",
  });
});

for (const [error, expected] of [
  [
    new LimitsError("slow down", { retryAfterMs: 7000 }),
    {
      outcome: "deferred",
      errorClass: "provider",
      error: "slow down",
      retryAfterMs: 7000,
    },
  ],
  [
    new ServerError("down"),
    { outcome: "deferred", errorClass: "provider", error: "down" },
  ],
  [
    new ServerError("late", { outcomeUnknown: true }),
    { outcome: "unknown", errorClass: "provider", error: "late" },
  ],
  [
    new ProviderConnectionError("refused"),
    { outcome: "deferred", errorClass: "unreachable", error: "refused" },
  ],
  [
    new ProviderConnectionError("reset", { outcomeUnknown: true }),
    { outcome: "unknown", errorClass: "unreachable", error: "reset" },
  ],
  [
    new AuthError("who?"),
    { outcome: "rejected", errorClass: "provider", error: "who?" },
  ],
  [
    new CreditError("no\r\nmoney"),
    { outcome: "rejected", errorClass: "provider", error: "no money" },
  ],
] as const) {
  test(`${error.name} "${error.message}" is ${expected.outcome}`, async (t) => {
    const channel = createFailing(t, () => Promise.reject(error));
    assert.deepEqual(await deliver(channel), {
      ...expected,
      errorName: error.name.replace("Provider", ""),
      provider: "failing",
    });
  });
}

test("an error of no known kind leaves it open whether the text went out", async (t) => {
  const channel = createFailing(t, () => Promise.reject(new Error("oops")));
  assert.deepEqual(await deliver(channel), {
    outcome: "unknown",
    errorClass: "provider",
    error: "oops",
  });
});

test("a gateway without providers defers: nothing was sent", async (t) => {
  const channel = createChannel(t, new Gateway());
  const result = await deliver(channel);
  assert.deepEqual(
    [result.outcome, result.errorClass],
    ["deferred", "internal"],
  );
});

test("who opted out is suppressed", async (t) => {
  const store = new MemoryOptOutStore();
  const gateway = new Gateway({ optOut: new OptOut({ store }) });
  const phones = gateway.addProvider("loopback", new LoopbackProvider());
  await gateway.receive(new IncomingMessage("4915112345678", "STOP"));
  phones.takeTraffic();
  const result = await deliver(createChannel(t, gateway));
  assert.equal(result.outcome, "suppressed");
});

test("a text that was sent counts as sent even if a hook fails after it", async (t) => {
  const { channel, gateway } = createLoopback(t);
  gateway.onSend.add(() => {
    throw new Error("the hook is broken");
  });
  const result = await deliver(channel);
  assert.equal(result.outcome, "accepted");
  assert.deepEqual("parts" in result && result.parts, [{ externalId: "1" }]);
});

test("a provider that does not answer leaves the outcome unknown", async (t) => {
  const channel = createFailing(t, () => new Promise(() => {}), {
    timeoutMs: 50,
  });
  assert.deepEqual(await deliver(channel), {
    outcome: "unknown",
    errorClass: "timeout",
    error:
      "The provider did not answer within 0.05 s; the text may have gone out.",
  });
});

test("an unknown outcome keeps the id that the provider had chosen", async (t) => {
  const unknown = new ServerError("late", { outcomeUnknown: true });
  const refused = new AuthError("who?");
  for (const [end, parts] of [
    [() => Promise.reject(unknown), [{ externalId: "ours-1" }]],
    [() => new Promise<never>(() => {}), [{ externalId: "ours-1" }]],
    [() => Promise.reject(refused), undefined],
  ] as const) {
    const channel = createFailing(
      t,
      (_, outgoing) => {
        outgoing.msgid = "ours-1";
        return end();
      },
      { timeoutMs: 50 },
    );
    const result = await deliver(channel);
    assert.deepEqual("parts" in result ? result.parts : undefined, parts);
    assert.equal("pollAfterMs" in result, false);
  }
});

test("and is asked about where its provider is polled", async (t) => {
  const error = new ServerError("late", { outcomeUnknown: true });
  for (const [statusReports, pollAfterMs] of [
    [true, 30_000],
    [false, undefined],
  ] as const) {
    const gateway = new Gateway();
    const channel = createChannel(t, gateway, { statusReports });
    gateway.addProvider("acme", new PolledAndFailing(error));
    const result = await deliver(channel);
    assert.equal(result.outcome, "unknown");
    assert.equal(result.provider, "acme");
    assert.deepEqual(result.parts, [{ externalId: "ours-1" }]);
    assert.equal(
      "pollAfterMs" in result ? result.pollAfterMs : undefined,
      pollAfterMs,
    );
  }
});

test("a text goes out under the id that its route was given", async (t) => {
  const gateway = new Gateway();
  const channel = createChannel(t, gateway);
  const error = new ServerError("late", { outcomeUnknown: true });
  gateway.addProvider("acme", new PolledAndFailing(error));
  const prepared = await channel.prepare(message());
  const to = recipient("sms", "+4915112345678");
  const route = await prepared.chooseRoute?.(to, []);
  assert.ok(route && !("problem" in route));
  assert.equal(route.chosenId, "ours-1");
  const result = await prepared.deliver(to, undefined, route);
  assert.equal(result.outcome, "unknown");
  assert.deepEqual(result.parts, [{ externalId: "ours-1" }]);
});

/** Chooses ids, and never knows whether the carrier took a text. */
class PolledAndFailing extends Provider {
  override get polling() {
    return { firstAfterMs: 30_000, batchSize: 7 };
  }
  readonly #error: Error;
  #last = 0;

  constructor(error: Error) {
    super();
    this.#error = error;
  }

  override chooseId(): string {
    return `ours-${++this.#last}`;
  }

  override async send(
    outgoing: OutgoingMessage,
    { msgid = this.chooseId() }: ProviderContext = {},
  ): Promise<OutgoingMessage> {
    outgoing.msgid = msgid;
    throw this.#error;
  }

  override async fetchStatuses(): Promise<readonly MessageStatus[]> {
    return [];
  }
}

test("an attempt that is given up ends the provider's work, and is unknown", async (t) => {
  const reached = Promise.withResolvers<AbortSignal | undefined>();
  const channel = createFailing(t, ({ signal }) => {
    reached.resolve(signal);
    return new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason));
    });
  });
  const stop = new AbortController();
  const signals = { engineSignal: stop.signal, signal: stop.signal };
  const prepared = await channel.prepare(message());
  const to = recipient("sms", "+4915112345678");
  const hanging = prepared.deliver(to, signals);
  const signal = await reached.promise;
  assert.equal(signal?.aborted, false);

  stop.abort();
  assert.equal(signal.aborted, true);
  assert.deepEqual(await hanging, {
    outcome: "unknown",
    errorClass: "interrupted",
    error: "The service was shutting down; the text may have gone out.",
  });
  assert.equal((await prepared.deliver(to, signals)).outcome, "deferred");
});

test("an answer after that is logged for who settles the outcome", async (t) => {
  const answer = Promise.withResolvers<void>();
  const logged = Promise.withResolvers<unknown[]>();
  class LateProvider extends Provider {
    override async send(outgoing: OutgoingMessage): Promise<OutgoingMessage> {
      await answer.promise;
      outgoing.msgid = "late-1";
      return outgoing;
    }
  }
  const gateway = new Gateway();
  gateway.addProvider("slow", new LateProvider());
  const channel = createChannel(t, gateway, {
    timeoutMs: 20,
    logger: {
      ...silentLogger,
      warn: (...line: unknown[]) => logged.resolve(line),
    },
  });
  assert.equal((await deliver(channel)).outcome, "unknown");
  answer.resolve();
  assert.deepEqual(await logged.promise, [
    "sms_accepted_late",
    { msgid: "late-1", provider: "slow" },
  ]);
});

test("says beforehand what no phone is sent", () => {
  assert.equal(
    smsProtocol.problemWithText?.("a\u001b"),
    "a control character (U+001B) at position 2",
  );
  assert.equal(smsProtocol.problemWithText?.("a\n{b} 👋"), undefined);
});

test("what is no text is rejected with its place", async (t) => {
  const { channel, phones } = createLoopback(t);
  const result = await deliver(channel, message({ content: text("a\u001b") }));
  assert.equal(result.outcome, "rejected");
  assert.equal(
    "error" in result && result.error,
    "The text holds a control character (U+001B) at position 2",
  );
  assert.deepEqual(phones.takeTraffic(), []);
});

test("an attempt that is ended before a provider has the text sent nothing", async (t) => {
  const store: OptOutStore = new MemoryOptOutStore();
  const asked = Promise.withResolvers<void>();
  store.find = () => {
    asked.resolve();
    return new Promise(() => {});
  };
  const gateway = new Gateway({ optOut: new OptOut({ store }) });
  gateway.addProvider("phones", new LoopbackProvider());
  const stop = new AbortController();
  const channel = createChannel(t, gateway);
  const prepared = await channel.prepare(message());
  const attempt = prepared.deliver(recipient("sms", "+4915112345678"), {
    engineSignal: stop.signal,
    signal: stop.signal,
  });
  await asked.promise;
  stop.abort();
  assert.deepEqual(await attempt, {
    outcome: "deferred",
    errorClass: "interrupted",
    error: "The attempt was ended before a provider had the text.",
  });
});

test("closing leaves open what is under way, and starts nothing", async (t) => {
  const reached = Promise.withResolvers<void>();
  const channel = createFailing(t, () => {
    reached.resolve();
    return new Promise(() => {});
  });
  const hanging = deliver(channel);
  await reached.promise;
  await channel.close();
  assert.equal((await hanging).outcome, "unknown");
  assert.equal((await deliver(channel)).outcome, "deferred");
});

test("is billable, since each attempt costs money", (t) => {
  assert.equal(createLoopback(t).channel.kind, "billable");
});

function createLoopback(
  t: TestContext,
  options: Partial<SmsChannelOptions> = {},
): { channel: Channel; gateway: Gateway; phones: LoopbackProvider } {
  const gateway = new Gateway();
  const phones = gateway.addProvider("loopback", new LoopbackProvider());
  return { channel: createChannel(t, gateway, options), gateway, phones };
}

type SendByContext = (
  context: SendContext,
  message: OutgoingMessage,
) => Promise<OutgoingMessage>;

class FailingProvider extends Provider {
  readonly #send: SendByContext;

  constructor(send: SendByContext) {
    super();
    this.#send = send;
  }

  override send(
    message: OutgoingMessage,
    context: SendContext = {},
  ): Promise<OutgoingMessage> {
    return this.#send(context, message);
  }
}

function createFailing(
  t: TestContext,
  send: SendByContext,
  options: Partial<SmsChannelOptions> = {},
): Channel {
  const gateway = new Gateway();
  gateway.addProvider("failing", new FailingProvider(send));
  return createChannel(t, gateway, options);
}

function createChannel(
  t: TestContext,
  gateway: Gateway,
  options: Partial<SmsChannelOptions> = {},
): Channel {
  const channel = createSmsChannel({
    gateway,
    links: createLinks({
      publicUrl: () => "https://notify.example",
      tokens,
      region: "eu-de",
    }),
    logger: silentLogger,
    ...options,
  });
  t.after(() => channel.close());
  return channel;
}

type Result = AttemptResult & { readonly errorClass?: string };

async function deliver(
  channel: Channel,
  sms: Message = message(),
  to: Recipient = recipient("sms", "+4915112345678"),
): Promise<Result> {
  const prepared = await channel.prepare(sms);
  return prepared.deliver(to);
}
