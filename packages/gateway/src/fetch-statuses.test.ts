import assert from "node:assert/strict";
import { test } from "node:test";
import { ManualClock } from "@carillon/testing";
import { ConfigurationError, ServerError } from "./errors.ts";
import { Gateway } from "./gateway.ts";
import { MessageDelivered, type MessageStatus } from "./message-status.ts";
import type { OutgoingMessage } from "./outgoing-message.ts";
import { Provider, type SendContext } from "./provider.ts";
import { NullProvider } from "./providers/null/provider.ts";
import { providerTypes } from "./providers/provider-types.ts";

type Answer = (ids: readonly string[], context: SendContext) => unknown;

class PolledProvider extends Provider {
  override get polling() {
    return { firstAfterMs: 30_000, batchSize: 7 };
  }
  readonly #answer: Answer;
  stopped = false;

  constructor(answer: Answer) {
    super();
    this.#answer = answer;
  }

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    return message;
  }

  override fetchStatuses(ids: readonly string[], context: SendContext = {}) {
    // What is no answer is what some tests are about.
    return this.#answer(ids, context) as Promise<readonly MessageStatus[]>;
  }

  override async stop(): Promise<void> {
    this.stopped = true;
  }
}

function open(answer: Answer) {
  const clock = new ManualClock();
  const gateway = new Gateway({ clock });
  const provider = gateway.addProvider("acme", new PolledProvider(answer));
  gateway.addProvider("null", new NullProvider());
  return { clock, gateway, provider };
}

test("says how a provider is asked, if it is", () => {
  const { gateway } = open(async () => []);
  assert.equal(gateway.pollingOf("acme")?.batchSize, 7);
  assert.equal(gateway.pollingOf("null"), undefined);
  assert.equal(gateway.pollingOf("nobody"), undefined);
});

test("answers the states under the provider's name, and calls no hook", async () => {
  const { gateway } = open(async (ids) =>
    ids.map((id) => new MessageDelivered(id, { provider: "other" })),
  );
  let calls = 0;
  gateway.onStatus.add(() => void calls++);
  const statuses = await gateway.fetchStatuses("acme", ["1", "2"]);
  assert.deepEqual(
    statuses.map(({ msgid, provider, entry }) => [msgid, provider, entry]),
    [
      ["1", "acme", "acme"],
      ["2", "acme", "acme"],
    ],
  );
  assert.equal(calls, 0);
});

test("ends at the deadline, and by an abort, whatever the provider does", async () => {
  const signals: (AbortSignal | undefined)[] = [];
  const { gateway, clock } = open((_ids, { signal }) => {
    signals.push(signal);
    return new Promise(() => {});
  });
  const hanging = gateway.fetchStatuses("acme", ["1"]);
  clock.advance(20_000);
  await assert.rejects(hanging, {
    name: "ProviderConnectionError",
    code: "TIMEOUT",
    provider: "acme",
    retryable: true,
  });
  const stop = new AbortController();
  const { signal } = stop;
  const aborted = gateway.fetchStatuses("acme", ["1"], { signal });
  const reason = new Error("The end");
  stop.abort(reason);
  await assert.rejects(aborted, reason);
  assert.deepEqual(
    signals.map((it) => it?.aborted),
    [true, true],
  );
});

test("rejects as the provider does, and names it", async () => {
  const { gateway } = open(async () => {
    throw new ServerError("down");
  });
  await assert.rejects(gateway.fetchStatuses("acme", ["1"]), {
    name: "ServerError",
    provider: "acme",
  });
});

test("takes nothing but statuses for an answer", async () => {
  for (const given of [undefined, {}, ["delivered"], [null]]) {
    const { gateway } = open(async () => given);
    await assert.rejects(gateway.fetchStatuses("acme", ["1"]), {
      code: "NO_STATUSES",
      retryable: true,
    });
  }
});

test("does not ask whom it does not know, or who cannot be asked", async () => {
  const { gateway } = open(async () => []);
  await assert.rejects(gateway.fetchStatuses("nobody", []), {
    code: "UNKNOWN_PROVIDER",
  });
  const asking = gateway.fetchStatuses("null", []);
  await assert.rejects(asking, ConfigurationError);
});

test("a provider that is removed answers before it is stopped", async () => {
  const answer = Promise.withResolvers<readonly MessageStatus[]>();
  const { gateway, provider } = open(() => answer.promise);
  await gateway.start();
  const asking = gateway.fetchStatuses("acme", ["1"]);
  const removed = gateway.removeProvider("acme");
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(provider.stopped, false);
  answer.resolve([new MessageDelivered("1")]);
  assert.equal((await asking).length, 1);
  await removed;
  assert.equal(provider.stopped, true);
});

test("refuses a provider that says how it is polled, and cannot be", () => {
  class Mute extends NullProvider {
    override get polling() {
      return { firstAfterMs: 1, batchSize: 1 };
    }
  }
  assert.throws(
    () => new Gateway().addProvider("mute", new Mute()),
    /"mute" says how it is polled, and has no fetchStatuses/,
  );
});

test("carriers that can be asked are asked, later where they call", () => {
  const gateway = new Gateway();
  const account = { username: "u", password: "p" };
  const callbackUrl = "https://sms.example.com/clickatell";
  for (const [name, settings, firstAfterMs] of [
    ["ats", account, 30_000],
    ["sms-operator", account, 30_000],
    ["clickatell", { apiKey: "k" }, 30_000],
    ["clickatell", { apiKey: "k", callbackUrl }, 3_600_000],
  ] as const) {
    const type = providerTypes.find((it) => it.type === name);
    const provider = type?.create(settings, { logger: { info() {} } });
    assert.equal(provider?.polling?.firstAfterMs, firstAfterMs, name);
    if (!gateway.hasProvider(name)) gateway.addProvider(name, provider);
  }
});
