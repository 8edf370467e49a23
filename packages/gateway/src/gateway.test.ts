import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import {
  ConfigurationError,
  ProviderConnectionError,
  ProviderError,
  RequestError,
  ServerError,
  UnknownProviderError,
} from "./errors.ts";
import { Gateway } from "./gateway.ts";
import { OptOut } from "./opt-out/opt-out.ts";
import { MemoryOptOutStore } from "./opt-out/store.ts";
import { OutgoingMessage } from "./outgoing-message.ts";
import { Provider, type SendContext } from "./provider.ts";
import { ForwardClientProvider } from "./providers/forward/client-provider.ts";
import { ForwardServerProvider } from "./providers/forward/server-provider.ts";
import { LoopbackProvider } from "./providers/loopback/provider.ts";
import { NullProvider } from "./providers/null/provider.ts";

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

function threeNulls(): Gateway {
  const gateway = new Gateway();
  for (const name of ["one", "two", "three"]) {
    gateway.addProvider(name, new NullProvider());
  }
  return gateway;
}

class FailingProvider extends Provider {
  readonly error: unknown;
  constructor(error: unknown) {
    super();
    this.error = error;
  }
  override send(): Promise<OutgoingMessage> {
    return Promise.reject(this.error);
  }
}

/** A carrier as the gateway sees it: it has text limits. */
class CarrierProvider extends Provider {
  readonly sent: string[] = [];
  context: SendContext | undefined;
  override async send(
    message: OutgoingMessage,
    context?: SendContext,
  ): Promise<OutgoingMessage> {
    this.sent.push(message.body);
    this.context = context;
    message.msgid = "c1";
    return message;
  }
}

test("gives providers ids of which none comes twice, here or elsewhere", () => {
  const gateways = [new Gateway(), new Gateway()];
  const ids = gateways.flatMap((it) => [it.id, it.newId(), it.newId()]);
  assert.equal(new Set(ids).size, 6);
  let last = 0;
  const counting = new Gateway({ newId: () => `${++last}` });
  assert.deepEqual([counting.id, counting.newId()], ["1", "2"]);
});

test("the first provider becomes the default", () => {
  const gateway = new Gateway();
  assert.equal(gateway.defaultProvider, null);
  gateway.addProvider("one", new NullProvider());
  gateway.addProvider("two", new NullProvider());
  assert.equal(gateway.defaultProvider, "one");
  gateway.defaultProvider = "two";
  assert.equal(gateway.defaultProvider, "two");
});

test("an unknown default is refused and the old one stays", () => {
  const gateway = threeNulls();
  assert.throws(() => {
    gateway.defaultProvider = "four";
  }, UnknownProviderError);
  assert.equal(gateway.defaultProvider, "one");
});

test("providers keep the order of registration", () => {
  assert.deepEqual([...threeNulls().providers.keys()], ["one", "two", "three"]);
});

test("a name can be given once; the factory is not even called", () => {
  const gateway = threeNulls();
  let built = false;
  assert.throws(
    () =>
      gateway.addProvider("one", () => {
        built = true;
        return new NullProvider();
      }),
    ConfigurationError,
  );
  assert.equal(built, false);
});

test("what is no provider is refused", () => {
  const gateway = new Gateway();
  const impostor: unknown = { send: () => {} };
  assert.throws(
    () => gateway.addProvider("one", impostor as Provider),
    ConfigurationError,
  );
  assert.throws(
    () => gateway.addProvider("", new NullProvider()),
    ConfigurationError,
  );
  assert.equal(gateway.providers.size, 0);
});

test("a provider belongs to one gateway under one name", () => {
  const provider = new NullProvider();
  assert.throws(() => provider.gateway, ConfigurationError);
  new Gateway().addProvider("one", provider);
  assert.throws(
    () => new Gateway().addProvider("two", provider),
    ConfigurationError,
  );
});

test("a factory gets the gateway and the name", () => {
  const gateway = new Gateway();
  const seen: unknown[] = [];
  const provider = gateway.addProvider("one", (...args) => {
    seen.push(...args);
    return new LoopbackProvider();
  });
  assert.deepEqual(seen, [gateway, "one"]);
  assert.equal(provider.name, "one");
  assert.equal(provider.gateway, gateway);
});

test("getProvider gives what is special of a provider, with its type", () => {
  const gateway = new Gateway();
  gateway.addProvider("lo", new LoopbackProvider());
  assert.deepEqual(
    gateway.getProvider<LoopbackProvider>("lo").takeTraffic(),
    [],
  );
  assert.deepEqual(
    gateway.getProvider("lo", LoopbackProvider).takeTraffic(),
    [],
  );
  assert.throws(
    () => gateway.getProvider("lo", NullProvider),
    ConfigurationError,
  );
  assert.throws(() => gateway.getProvider("x"), UnknownProviderError);
  assert.equal(gateway.hasProvider("lo"), true);
  assert.equal(gateway.hasProvider("x"), false);
});

test("send fills and returns the caller's own object", async () => {
  const gateway = threeNulls();
  const message = new OutgoingMessage("+123", "hi");
  const sent = await gateway.send(message);
  assert.equal(sent, message);
  assert.equal(message.provider, "one");
  assert.equal(message.msgid, "1");
  assert.equal(message.meta, null);
  assert.ok(message.sentAt instanceof Date);
  assert.deepEqual(message.choice, { by: "default", provider: "one" });
});

test("the table of routes", async () => {
  const gateway = threeNulls();
  gateway.router = (_message, module, type) => {
    if (module === "main") return null;
    if (type === "alarm") return "two";
    return module === "" && type === "" ? "three" : undefined;
  };
  const send = async (provider: string | null, ...values: unknown[]) => {
    const message = new OutgoingMessage("", "", null, provider);
    return (await gateway.send(message.route(...values))).provider;
  };
  assert.equal(await send(null, "main", ""), "one");
  assert.equal(await send(null, "", "alarm"), "two");
  assert.equal(await send(null, "", ""), "three");
  assert.equal(await send("one", "", ""), "one");
  await assert.rejects(send("four", "", ""), UnknownProviderError);
});

test("the router gets the message and the values one by one", async () => {
  const gateway = new Gateway<[string, number]>();
  gateway.addProvider("one", new NullProvider());
  const seen: unknown[] = [];
  gateway.router = (...args) => void seen.push(...args);
  const message = new OutgoingMessage<[string, number]>("1", "hi");
  await gateway.send(message.route("users", 7));
  assert.deepEqual(seen, [message, "users", 7]);
});

test("the router runs only for messages that ask for it", async () => {
  const gateway = threeNulls();
  let calls = 0;
  gateway.router = () => {
    calls += 1;
    return "two";
  };
  await gateway.send(new OutgoingMessage("1", "hi"));
  await gateway.send(new OutgoingMessage("1", "hi", null, "one").route("x"));
  assert.equal(calls, 0);
  const routed = await gateway.send(new OutgoingMessage("1", "hi").route());
  assert.equal(calls, 1);
  assert.equal(routed.provider, "two");
});

test("an empty answer of the router means the default provider", async () => {
  for (const nothing of [null, undefined, ""]) {
    const gateway = threeNulls();
    gateway.router = async () => nothing;
    const sent = await gateway.send(new OutgoingMessage("1", "hi").route());
    assert.equal(sent.provider, "one");
  }
});

test("the router may add options to the message", async () => {
  const gateway = threeNulls();
  gateway.router = async (message) => {
    message.options({ escalate: true });
    return "two";
  };
  const sent = await gateway.send(new OutgoingMessage("1", "hi").route());
  assert.equal(sent.providerOptions.escalate, true);
  assert.deepEqual(sent.choice, { by: "router", provider: "two" });
});

test("an unknown provider is an error before anything is sent", async () => {
  const gateway = threeNulls();
  gateway.router = () => "four";
  const sent: OutgoingMessage[] = [];
  gateway.onSend.add((message) => void sent.push(message));
  await assert.rejects(
    gateway.send(new OutgoingMessage("1", "hi").route()),
    UnknownProviderError,
  );
  await assert.rejects(
    gateway.send(new OutgoingMessage("1", "hi", null, "five")),
    /"five".*named by the message/,
  );
  assert.deepEqual(sent, []);
});

test("a router that throws fails the send", async () => {
  const gateway = threeNulls();
  gateway.router = () => {
    throw new RangeError("no");
  };
  await assert.rejects(
    gateway.send(new OutgoingMessage("1", "hi").route()),
    RangeError,
  );
});

test("without any provider nothing can be sent", async () => {
  await assert.rejects(
    new Gateway().send(new OutgoingMessage("1", "hi")),
    ConfigurationError,
  );
});

test("a provider's error reaches the caller unchanged, without onSend", async () => {
  const gateway = new Gateway();
  const failure = new ServerError("down", { code: 500 });
  gateway.addProvider("bad", new FailingProvider(failure));
  let announced = false;
  gateway.onSend.add(() => {
    announced = true;
  });
  const message = new OutgoingMessage("1", "hi");
  await assert.rejects(gateway.send(message), (error) => error === failure);
  assert.equal(failure.provider, "bad");
  assert.equal(announced, false);
  assert.equal(message.provider, "bad");
  assert.equal(message.sentAt, null);
});

test("a reset message is not pinned to the provider that failed", async () => {
  const gateway = new Gateway();
  gateway.addProvider("bad", new FailingProvider(new ServerError("down")));
  gateway.addProvider("good", new NullProvider());
  const message = new OutgoingMessage("1", "hi");
  await assert.rejects(gateway.send(message));
  gateway.defaultProvider = "good";
  await gateway.send(message.reset());
  assert.equal(message.provider, "good");
});

test("a failing onSend hook fails send, but the message says it was sent", async () => {
  const gateway = threeNulls();
  const failure = new Error("hook");
  gateway.onSend.add(() => Promise.reject(failure));
  const message = new OutgoingMessage("1", "hi");
  await assert.rejects(gateway.send(message), (error) => error === failure);
  assert.equal(message.msgid, "1");
  assert.ok(message.sentAt instanceof Date);
});

test("one send, one text and one status fire each hook once", async () => {
  const gateway = new Gateway();
  const loopback = gateway.addProvider("lo", new LoopbackProvider());
  const fired: string[] = [];
  gateway.onSend.add(() => void fired.push("send"));
  gateway.onReceive.add(() => void fired.push("receive"));
  gateway.onStatus.add(() => void fired.push("status"));
  await gateway.send(
    new OutgoingMessage("1", "hi").options({ statusReport: true }),
  );
  await loopback.received("1", "yo");
  assert.deepEqual(fired.sort(), ["receive", "send", "status"]);
});

test("an aborted signal stops send before the provider", async () => {
  const gateway = new Gateway();
  const carrier = gateway.addProvider("c", new CarrierProvider());
  const signal = AbortSignal.abort();
  await assert.rejects(
    gateway.send(new OutgoingMessage("1", "hi"), { signal }),
    { name: "AbortError" },
  );
  assert.deepEqual(carrier.sent, []);
});

test("an abort while the opt-out is looked up keeps the text from the provider", async () => {
  const stop = new AbortController();
  const store = new MemoryOptOutStore();
  store.find = () => {
    stop.abort();
    return [];
  };
  const gateway = new Gateway({ optOut: new OptOut({ store }) });
  const phones = gateway.addProvider("loopback", new LoopbackProvider());
  await assert.rejects(
    gateway.send(new OutgoingMessage("4915112345678", "hi"), {
      signal: stop.signal,
    }),
    { name: "AbortError" },
  );
  assert.deepEqual(phones.takeTraffic(), []);
});

/** Answers when the test says so. */
class SlowProvider extends CarrierProvider {
  readonly answer = Promise.withResolvers<void>();
  override async send(
    message: OutgoingMessage,
    context?: SendContext,
  ): Promise<OutgoingMessage> {
    await super.send(message, context);
    await this.answer.promise;
    return message;
  }
}

test("an abort reaches the provider, and ends the send though it goes on", async () => {
  const gateway = new Gateway();
  const carrier = gateway.addProvider("c", new SlowProvider());
  const late = gateway.onLateSend.iterate();
  const controller = new AbortController();
  const { signal } = controller;
  const message = new OutgoingMessage("1", "hi");
  const sending = gateway.send(message, { signal });
  while (carrier.context === undefined) await Promise.resolve();
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(sending, (error) => error === reason);
  assert.equal(carrier.context.signal?.reason, reason);
  assert.equal(message.sentAt, null);
  carrier.answer.resolve();
  assert.equal((await late.next()).value, message);
  assert.ok(message.sentAt);
});

test("an abort ends every wait on the way", async () => {
  const never = new Promise<never>(() => {});
  const waits: Record<string, (gateway: Gateway) => void> = {
    "the router": (gateway) => {
      gateway.router = () => never;
    },
    "the provider": (gateway) => {
      gateway.addProvider("hanging", new SlowProvider());
      gateway.defaultProvider = "hanging";
    },
    "a hook": (gateway) => {
      gateway.onSend.add(() => never);
    },
    "the list of opt-outs": (gateway) => {
      const store = gateway.optOut?.store;
      assert.ok(store);
      store.find = () => never;
    },
  };
  for (const [name, prepare] of Object.entries(waits)) {
    const gateway = new Gateway({ optOut: new OptOut() });
    gateway.addProvider("c", new CarrierProvider());
    prepare(gateway);
    const controller = new AbortController();
    const { signal } = controller;
    const message = new OutgoingMessage("1", "hi").route();
    const sending = gateway.send(message, { signal });
    setImmediate(() => controller.abort());
    await assert.rejects(sending, { name: "AbortError" }, name);
    assert.equal(message.sentAt !== null, name === "a hook", name);
  }
});

test("a provider has so long to answer, then the outcome is unknown", async () => {
  const clock = new ManualClock();
  for (const [options, own, expected] of [
    [{}, undefined, 20_000],
    [{ sendTimeoutMs: 300 }, undefined, 300],
    [{ sendTimeoutMs: 300 }, 700, 700],
  ] as const) {
    const gateway = new Gateway({ ...options, clock });
    class Own extends SlowProvider {
      override readonly sendTimeoutMs = own;
    }
    const carrier = gateway.addProvider("c", new Own());
    let settled = false;
    const sending = gateway.send(new OutgoingMessage("1", "hi")).finally(() => {
      settled = true;
    });
    while (carrier.context === undefined) await Promise.resolve();
    clock.advance(expected - 1);
    await nextTurn();
    assert.equal(settled, false);
    clock.advance(1);
    await assert.rejects(sending, (error) => {
      assert.ok(error instanceof ProviderConnectionError);
      const { code, outcomeUnknown, provider, message } = error;
      assert.deepEqual(
        [code, outcomeUnknown, provider],
        ["TIMEOUT", true, "c"],
      );
      assert.match(message, new RegExp(`within ${expected} ms`));
      return true;
    });
    assert.equal(carrier.context.signal?.aborted, true);
  }
});

test("an answer in time leaves no timer behind", async () => {
  const clock = new ManualClock();
  const gateway = new Gateway({ clock });
  gateway.addProvider("c", new CarrierProvider());
  await gateway.send(new OutgoingMessage("1", "hi"));
  assert.equal(clock.nextTimerAt, undefined);
});

test("what is counted is what is sent", async () => {
  const decomposed = "e\u0301".repeat(1530);
  const gateway = new Gateway();
  const carrier = gateway.addProvider("c", new CarrierProvider());
  gateway.addProvider("lo", new LoopbackProvider());
  for (const provider of ["c", "lo"]) {
    const message = new OutgoingMessage("1", decomposed, null, provider);
    const { encoding, segments } = await gateway.explain(message);
    assert.deepEqual([encoding, segments], ["gsm7", 10]);
    await gateway.send(message);
    assert.equal(message.body, "é".repeat(1530));
    assert.equal(message.choice?.body, decomposed);
    assert.equal(message.reset().body, decomposed);
  }
  assert.deepEqual(carrier.sent, ["é".repeat(1530)]);
});

test("a text made to fit is sent as it was made, and given back if it was not sent", async () => {
  const gateway = new Gateway({
    textLimits: { transliterate: true, maxSegments: 1, newlines: "lf" },
  });
  const carrier = gateway.addProvider("c", new CarrierProvider());
  await gateway.send(new OutgoingMessage("1", "ž".repeat(150)));
  await gateway.send(new OutgoingMessage("1", "a\r\nb"));
  assert.deepEqual(carrier.sent, ["z".repeat(150), "a\nb"]);
  gateway.addProvider("bad", new FailingProvider(new ServerError("down")));
  const message = new OutgoingMessage("1", "ž", null, "bad");
  await assert.rejects(gateway.send(message), /down/);
  assert.equal(message.body, "ž");
});

test("a character that is no text is refused for every provider", async () => {
  const gateway = new Gateway({ textLimits: null });
  const carrier = gateway.addProvider("c", new CarrierProvider());
  for (const body of ["a\0", "\u001b[31m", "1\u202e2", "\ud800"]) {
    const message = new OutgoingMessage("1", body);
    const { problems } = await gateway.explain(message);
    assert.match(problems.join(), /^The text holds .* at position/);
    await assert.rejects(gateway.send(message), { code: "INVALID_TEXT" });
  }
  assert.deepEqual(carrier.sent, []);
});

test("callers without types get one error that says what is expected", async () => {
  const gateway = new Gateway();
  const carrier = gateway.addProvider("c", new CarrierProvider());
  const untyped = gateway as unknown as {
    send(...args: unknown[]): Promise<unknown>;
    explain(...args: unknown[]): Promise<unknown>;
    addProvider(...args: unknown[]): unknown;
    router: unknown;
    onSend: { add(handler: unknown): unknown; once(handler: unknown): unknown };
  };
  const cases: readonly (readonly [run: () => unknown, problem: RegExp])[] = [
    [
      () => untyped.addProvider("lo", LoopbackProvider),
      /not a provider but the class LoopbackProvider: pass an instance/,
    ],
    [() => untyped.addProvider("lo"), /not a provider but undefined/],
    [() => untyped.addProvider("lo", async () => {}), /but a Promise/],
    [() => untyped.send("+1", "text"), /send takes a message, got a string: /],
    [() => untyped.send(), /got undefined/],
    [() => untyped.send({ dst: "1", body: "x" }), /got an object/],
    [() => untyped.explain("+1"), /explain takes a message, got a string/],
    [() => untyped.onSend.add(undefined), /must be a function, got undefined/],
    [() => untyped.onSend.once({}), /must be a function, got an object/],
    [
      () => {
        untyped.router = "fast";
      },
      /router must be a function, got a string/,
    ],
    [
      () => Reflect.construct(Gateway, [{ policy: { rules: [] } }]),
      /"policy" must be a DeliveryPolicy, got an object/,
    ],
    [
      () => Reflect.construct(Gateway, [{ optOut: true }]),
      /"optOut" must be a OptOut, got a boolean/,
    ],
    [
      () => new LoopbackProvider().subscribe("1", undefined as never),
      /subscriber must be a function, got undefined/,
    ],
    [
      () => Reflect.construct(ForwardClientProvider, []),
      /ForwardClientProvider needs a configuration, got undefined/,
    ],
    [
      () => Reflect.construct(ForwardServerProvider, [{}]),
      /needs a list as clients, got undefined/,
    ],
    [
      () => gateway.receiverHandler({ allowFrom: "::1" as never }),
      /allowFrom must be a list, got a string/,
    ],
    [
      () => gateway.receiverHandler({ prefix: 5 as never }),
      /prefix must be a string, got a number/,
    ],
  ];
  for (const [run, problem] of cases) {
    await assert.rejects(
      async () => run(),
      (error) => {
        assert.ok(error instanceof ConfigurationError, String(error));
        assert.match(error.message, problem);
        return true;
      },
    );
  }
  const message = new OutgoingMessage("1", "hi");
  const nothing: unknown = undefined;
  message.body = nothing as string;
  await assert.rejects(gateway.send(message), /body must be a string/);
  gateway.router = (() => ({})) as never;
  await assert.rejects(
    gateway.send(new OutgoingMessage("1", "hi").route()),
    /router must return the name of a provider, got an object/,
  );
  assert.deepEqual(carrier.sent, []);
  assert.equal(gateway.providers.size, 1);
});

test("a provider that returns no message leaves the outcome unknown", async () => {
  const gateway = new Gateway();
  class Forgetful extends CarrierProvider {
    override async send(message: OutgoingMessage): Promise<never> {
      await super.send(message);
      const nothing: unknown = undefined;
      return nothing as never;
    }
  }
  gateway.addProvider("c", new Forgetful());
  await assert.rejects(
    gateway.send(new OutgoingMessage("1", "hi")),
    (error) => {
      assert.ok(error instanceof ProviderError);
      assert.equal(error.outcomeUnknown, true);
      assert.match(
        error.message,
        /"c" must return the message it sent, got undef/,
      );
      return true;
    },
  );
});

test("a carrier is not asked to send too long or empty texts", async () => {
  const gateway = new Gateway();
  const carrier = gateway.addProvider("c", new CarrierProvider());
  const send = (body: string) => gateway.send(new OutgoingMessage("1", body));
  await send("a".repeat(1530));
  await assert.rejects(send("a".repeat(1531)), (error) => {
    assert.ok(error instanceof RequestError);
    assert.equal(error.code, "TOO_MANY_SEGMENTS");
    return true;
  });
  await assert.rejects(send(""), { code: "EMPTY_TEXT" });
  assert.equal(carrier.sent.length, 1);
});

test("the gateway's own limits hold for every provider, or for none", async () => {
  const strict = new Gateway({ textLimits: { maxSegments: 1 } });
  strict.addProvider("one", new NullProvider());
  await assert.rejects(
    strict.send(new OutgoingMessage("1", "a".repeat(161))),
    RequestError,
  );
  const lax = new Gateway({ textLimits: null });
  lax.addProvider("c", new CarrierProvider());
  await lax.send(new OutgoingMessage("1", ""));
});

test("a bound on segments holds in place of ten, and over what a provider says", async () => {
  class Roomy extends CarrierProvider {
    override readonly textLimits = { maxSegments: 20 };
  }
  const gateway = new Gateway({ maxSegments: 14 });
  gateway.addProvider("ten", new CarrierProvider());
  gateway.addProvider("twenty", new Roomy());
  gateway.addProvider("any", new NullProvider());
  const problemsOf = async (segments: number) => {
    const body = "ğ".repeat(67 * segments);
    const all = ["ten", "twenty", "any"].map(async (provider) => {
      const message = new OutgoingMessage("1", body, null, provider);
      return (await gateway.explain(message)).problems.join();
    });
    return await Promise.all(all);
  };
  assert.deepEqual(await problemsOf(14), ["", "", ""]);
  const tooLong = "The text takes 15 segments, at most 14 are allowed";
  assert.deepEqual(await problemsOf(15), [tooLong, tooLong, ""]);
  gateway.maxSegments = 15;
  assert.deepEqual(await problemsOf(15), ["", "", ""]);
  gateway.maxSegments = undefined;
  assert.deepEqual(await problemsOf(15), [
    "The text takes 15 segments, at most 10 are allowed",
    "",
    "",
  ]);
});

class ServiceProvider extends NullProvider {
  readonly log: string[];
  readonly failing: boolean;
  constructor(log: string[], failing = false) {
    super();
    this.log = log;
    this.failing = failing;
  }
  override async start(): Promise<void> {
    if (this.failing) throw new ServerError("cannot bind");
    this.log.push(`start ${this.name}`);
  }
  override async stop(): Promise<void> {
    this.log.push(`stop ${this.name}`);
  }
}

test("starts in order, stops in reverse, and stopping again does nothing", async () => {
  const log: string[] = [];
  {
    await using gateway = new Gateway();
    gateway.addProvider("a", new ServiceProvider(log));
    gateway.addProvider("n", new NullProvider());
    gateway.addProvider("b", new ServiceProvider(log));
    await gateway.start();
    await gateway.stop();
  }
  assert.deepEqual(log, ["start a", "start b", "stop b", "stop a"]);
});

test("starting twice at once starts each provider once", async () => {
  const log: string[] = [];
  const gateway = new Gateway();
  gateway.addProvider("a", new ServiceProvider(log));
  gateway.addProvider("b", new ServiceProvider(log));
  await Promise.all([gateway.start(), gateway.start()]);
  await gateway.start();
  assert.deepEqual(log, ["start a", "start b"]);
});

test("starting and stopping follow one another as they were asked for", async () => {
  const log: string[] = [];
  const gateway = new Gateway();
  gateway.addProvider("a", new ServiceProvider(log));
  await Promise.all([gateway.start(), gateway.stop(), gateway.start()]);
  assert.deepEqual(log, ["start a", "stop a", "start a"]);
});

test("a provider added after start is started, and send waits for it", async () => {
  const log: string[] = [];
  const gateway = new Gateway();
  await gateway.start();
  const started = Promise.withResolvers<void>();
  const service = new ServiceProvider(log);
  service.start = () => started.promise;
  gateway.addProvider("late", service);
  const sending = gateway.send(new OutgoingMessage("1", "hi"));
  const message = await Promise.race([sending, nextTurn()]);
  assert.equal(message, undefined);
  started.resolve();
  assert.equal((await sending).msgid, "1");
  await gateway.stop();
  assert.deepEqual(log, ["stop late"]);
});

test("one that cannot be started fails the sends through it, until it can", async () => {
  const gateway = new Gateway();
  await gateway.start();
  const service = new ServiceProvider([]);
  let attempts = 0;
  service.start = async () => {
    attempts += 1;
    if (attempts < 3) throw new ServerError("cannot bind");
  };
  gateway.addProvider("late", service);
  await nextTurn();
  await assert.rejects(
    gateway.send(new OutgoingMessage("1", "hi")),
    /cannot bind/,
  );
  await gateway.send(new OutgoingMessage("1", "hi"));
  assert.equal(attempts, 3);
});

test("stopping waits for what is being sent, and lets nothing more be sent", async () => {
  const gateway = new Gateway();
  const carrier = gateway.addProvider("c", new SlowProvider());
  await gateway.start();
  const sending = gateway.send(new OutgoingMessage("1", "hi"));
  while (carrier.context === undefined) await Promise.resolve();
  let stopped = false;
  const stopping = gateway.stop().then(() => {
    stopped = true;
  });
  await nextTurn();
  assert.equal(stopped, false);
  await assert.rejects(gateway.send(new OutgoingMessage("1", "more")), {
    name: "ConfigurationError",
    message: /stopped/,
  });
  carrier.answer.resolve();
  await sending;
  await stopping;
  assert.deepEqual(carrier.sent, ["hi"]);
  await gateway.start();
  await gateway.send(new OutgoingMessage("1", "again"));
});

test("a failing start stops what had started", async () => {
  const log: string[] = [];
  const gateway = new Gateway();
  gateway.addProvider("a", new ServiceProvider(log));
  gateway.addProvider("b", new ServiceProvider(log, true));
  await assert.rejects(gateway.start(), /cannot bind/);
  assert.deepEqual(log, ["start a", "stop a"]);
});

test("a start that is aborted stops what had started, also what did not heed it", async () => {
  const log: string[] = [];
  const stop = new AbortController();
  const reason = new Error("stop");
  const gateway = new Gateway();
  gateway.addProvider("a", new ServiceProvider(log));
  const slow = gateway.addProvider("b", new ServiceProvider(log));
  gateway.addProvider("c", new ServiceProvider(log));
  slow.start = async () => {
    log.push("start b");
    stop.abort(reason);
  };
  await assert.rejects(
    gateway.start({ signal: stop.signal }),
    (error) => error === reason,
  );
  assert.deepEqual(log, ["start a", "start b", "stop b", "stop a"]);
});

test("a failing stop does not keep the others from stopping", async () => {
  const log: string[] = [];
  const gateway = new Gateway();
  gateway.addProvider("a", new ServiceProvider(log));
  const bad = gateway.addProvider("b", new ServiceProvider(log));
  bad.stop = () => Promise.reject(new Error("stuck"));
  await gateway.start();
  await assert.rejects(gateway.stop(), /stuck/);
  assert.deepEqual(log, ["start a", "start b", "stop a"]);
});

/** Takes a message when it is told to, and says when it was stopped. */
class HeldProvider extends Provider {
  readonly taken = Promise.withResolvers<void>();
  readonly answer = Promise.withResolvers<void>();
  isStopped = false;

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    this.taken.resolve();
    await this.answer.promise;
    message.msgid = "h1";
    return message;
  }

  override async start(): Promise<void> {}

  override async stop(): Promise<void> {
    this.isStopped = true;
  }
}

test("a removed provider finishes what it has, then it is stopped; its name is free", async () => {
  const gateway = new Gateway();
  const held = gateway.addProvider("one", new HeldProvider());
  gateway.addProvider("two", new NullProvider());
  await gateway.start();
  const sending = gateway.send(new OutgoingMessage("+420777123456", "a"));
  await held.taken.promise;
  const removed = gateway.removeProvider("one");
  assert.equal(gateway.defaultProvider, "two");
  gateway.addProvider("one", new NullProvider());
  const other = await gateway.send(new OutgoingMessage("+420777123456", "b"));
  assert.equal(other.provider, "two");
  assert.equal(held.isStopped, false);
  held.answer.resolve();
  assert.equal((await sending).msgid, "h1");
  await removed;
  assert.equal(held.isStopped, true);
  await gateway.stop();
});

test("a message whose provider is removed before its turn goes through the next", async () => {
  const gateway = new Gateway();
  const held = gateway.addProvider("one", new HeldProvider());
  held.answer.resolve();
  const sending = gateway.send(new OutgoingMessage("+420777123456", "a"));
  const removed = gateway.removeProvider("one");
  gateway.addProvider("two", new NullProvider());
  assert.equal((await sending).provider, "two");
  await removed;
});

test("a provider that is not there cannot be removed", () => {
  const gateway = threeNulls();
  assert.throws(() => gateway.removeProvider("four"), UnknownProviderError);
});

test("a removed forward server forwards nothing more", async () => {
  const gateway = new Gateway();
  gateway.addProvider("null", new NullProvider());
  const before = gateway.onReceive.size + gateway.onStatus.size;
  gateway.addProvider("server", new ForwardServerProvider({ clients: [] }));
  assert.equal(gateway.onReceive.size + gateway.onStatus.size, before + 2);
  await gateway.removeProvider("server");
  assert.equal(gateway.onReceive.size + gateway.onStatus.size, before);
});

test("another opt-out counts from the next message on", async () => {
  const gateway = threeNulls();
  const optOut = new OptOut();
  await optOut.store.put({
    recipient: "420777123456",
    sender: null,
    keyword: "STOP",
    at: new Date(0),
  });
  await gateway.send(new OutgoingMessage("+420777123456", "a"));
  gateway.optOut = optOut;
  await assert.rejects(
    gateway.send(new OutgoingMessage("+420777123456", "b")),
    { name: "SuppressedError" },
  );
});
