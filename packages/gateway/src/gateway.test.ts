import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ConfigurationError,
  RequestError,
  ServerError,
  UnknownProviderError,
} from "./errors.ts";
import { Gateway } from "./gateway.ts";
import { OptOut } from "./opt-out/opt-out.ts";
import { MemoryOptOutStore } from "./opt-out/store.ts";
import { OutgoingMessage } from "./outgoing-message.ts";
import { Provider, type SendContext } from "./provider.ts";
import { LoopbackProvider } from "./providers/loopback/provider.ts";
import { NullProvider } from "./providers/null/provider.ts";

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

test("the signal reaches the provider", async () => {
  const gateway = new Gateway();
  const carrier = gateway.addProvider("c", new CarrierProvider());
  const { signal } = new AbortController();
  await gateway.send(new OutgoingMessage("1", "hi"), { signal });
  assert.equal(carrier.context?.signal, signal);
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
