import assert from "node:assert/strict";
import { test } from "node:test";
import { AuthError, ProviderConnectionError, RequestError } from "./errors.ts";
import { Gateway } from "./gateway.ts";
import { OutgoingMessage } from "./outgoing-message.ts";
import {
  type BatchContext,
  type Batching,
  Provider,
  type SendResult,
} from "./provider.ts";

/** Numbers its requests; what becomes of texts is said by the test. */
class ListProvider extends Provider {
  readonly requests: string[][] = [];
  readonly given: (readonly (string | undefined)[])[] = [];
  readonly signals: AbortSignal[] = [];
  readonly #batching: Batching;
  /** In place of taking a request. */
  answer: ((bodies: string[]) => Promise<SendResult["error"]>) | undefined;
  errorOf: (body: string) => SendResult["error"] = () => undefined;

  constructor(batching: Batching = { maxTexts: 100 }) {
    super();
    this.#batching = batching;
  }

  override get batching(): Batching {
    return this.#batching;
  }

  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    const [result] = await this.sendBatch([message]);
    if (result?.error) throw result.error;
    return message;
  }

  override async sendBatch(
    messages: readonly OutgoingMessage[],
    { signal, msgids = [] }: BatchContext = {},
  ): Promise<readonly SendResult[]> {
    const bodies = messages.map(({ body }) => body);
    this.requests.push(bodies);
    this.given.push(msgids);
    if (signal) this.signals.push(signal);
    const refusal = await this.answer?.(bodies);
    return messages.map((message) => {
      const error = refusal ?? this.errorOf(message.body);
      if (error) return { message, error };
      message.msgid = `id of ${message.body}`;
      return { message };
    });
  }
}

function setUp(batching?: Batching) {
  const gateway = new Gateway();
  const provider = gateway.addProvider("list", new ListProvider(batching));
  const send = (body: string, signal?: AbortSignal) =>
    gateway.send(
      new OutgoingMessage("+420777123456", body),
      signal ? { signal } : {},
    );
  return { gateway, provider, send };
}

const textsOf = (count: number) =>
  Array.from({ length: count }, (_, n) => `${n}`);
const sizesOf = ({ requests }: ListProvider) => requests.map((it) => it.length);

test("what is sent at once goes out in one request", async () => {
  const { provider, send } = setUp();
  const sent = await Promise.all(textsOf(50).map((body) => send(body)));
  assert.deepEqual(sizesOf(provider), [50]);
  assert.deepEqual(
    sent.map(({ msgid }) => msgid),
    textsOf(50).map((body) => `id of ${body}`),
  );
});

test("what comes some turns later goes with them, one that is alone goes alone", async () => {
  const { provider, send } = setUp();
  const sent: Promise<unknown>[] = [];
  for (const body of textsOf(3)) {
    sent.push(send(body));
    await new Promise((resolve) => queueMicrotask(() => resolve(undefined)));
  }
  await Promise.all(sent);
  await send("alone");
  assert.deepEqual(sizesOf(provider), [3, 1]);
});

test("a request has as many texts as the carrier takes, and as many bytes", async () => {
  const few = setUp({ maxTexts: 20 });
  await Promise.all(textsOf(50).map((body) => few.send(body)));
  assert.deepEqual(sizesOf(few.provider), [20, 20, 10]);
  const small = setUp({ maxTexts: 100, maxBytes: 10 });
  await Promise.all(
    ["12345678", "1", "123", "ěšč", "ž"].map((it) => small.send(it)),
  );
  assert.deepEqual(small.provider.requests, [
    ["12345678", "1"],
    ["123", "ěšč"],
    ["ž"],
  ]);
});

test("each text has an outcome of its own", async () => {
  const { provider, send } = setUp();
  provider.errorOf = (body) =>
    body === "1" ? new RequestError("no such number", { code: 7 }) : undefined;
  const [first, second, third] = await Promise.allSettled(
    textsOf(3).map((body) => send(body)),
  );
  assert.equal(first?.status, "fulfilled");
  assert.equal(third?.status, "fulfilled");
  assert.ok(second?.status === "rejected");
  assert.equal(second.reason.code, 7);
  assert.deepEqual(sizesOf(provider), [3]);
});

for (const error of [
  new ProviderConnectionError("cut", { outcomeUnknown: true }),
  new AuthError("the password is wrong"),
  new Error("a defect"),
]) {
  test(`a request that fails as "${error.message}" fails each of its texts so`, async () => {
    const { provider, send } = setUp();
    provider.answer = async () => {
      throw error;
    };
    const results = await Promise.allSettled(textsOf(3).map((it) => send(it)));
    assert.deepEqual(
      results.map((it) => it.status === "rejected" && it.reason),
      [error, error, error],
    );
    assert.deepEqual(sizesOf(provider), [3]);
  });
}

for (const batching of [
  { maxTexts: 100 },
  { maxTexts: 100, takesAllOrNone: false },
]) {
  test(`what may have gone out in part is not sent again, by ${JSON.stringify(batching)}`, async () => {
    const { provider, send } = setUp(batching);
    provider.answer = async () => {
      throw new RequestError("malformed");
    };
    const results = await Promise.allSettled(textsOf(2).map((it) => send(it)));
    assert.deepEqual(
      results.map((it) => it.status === "rejected" && it.reason.message),
      ["malformed", "malformed"],
    );
    assert.deepEqual(provider.requests, [["0", "1"]]);
  });
}

test("what was given up by then is not tried alone", async () => {
  const { provider, send } = setUp({ maxTexts: 100, takesAllOrNone: true });
  const begun = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<RequestError>();
  provider.answer = async (bodies) => {
    begun.resolve();
    return bodies.length > 1 ? await answer.promise : undefined;
  };
  const leaving = new AbortController();
  const gone = send("a", leaving.signal);
  const others = [send("b"), send("c")];
  await begun.promise;
  leaving.abort(new Error("left"));
  await assert.rejects(gone, /left/);
  answer.resolve(new RequestError("malformed"));
  await Promise.all(others);
  const [together, ...alone] = provider.requests;
  assert.equal(together?.length, 3);
  assert.deepEqual(alone, [["b"], ["c"]]);
});

test("of a request that is refused for what is in it each text is tried alone", async () => {
  const { provider, send } = setUp({ maxTexts: 100, takesAllOrNone: true });
  provider.answer = async (bodies) =>
    bodies.includes("1") ? new RequestError("malformed") : undefined;
  const results = await Promise.allSettled(textsOf(3).map((it) => send(it)));
  assert.deepEqual(
    results.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled"],
  );
  assert.deepEqual(provider.requests, [["0", "1", "2"], ["0"], ["1"], ["2"]]);
});

test("an error that quotes the numbers of all shows none to any", async () => {
  const { gateway, provider } = setUp();
  const numbers = ["420777123456", "491511234567"];
  provider.answer = async () => {
    throw new Error(`cannot send to +${numbers.join(", 0049")}`);
  };
  const sent = numbers.map((it) => gateway.send(new OutgoingMessage(it, "Hi")));
  for (const result of await Promise.allSettled(sent)) {
    assert.ok(result.status === "rejected");
    assert.doesNotMatch(result.reason.message, /\d{5}/);
  }
});

test("a text of which nothing is answered may have gone out", async () => {
  const { provider, send } = setUp();
  const sendBatch = provider.sendBatch.bind(provider);
  provider.sendBatch = async (messages, context) =>
    (await sendBatch(messages, context)).slice(0, 1);
  const [first, second] = await Promise.allSettled([send("a"), send("b")]);
  assert.equal(first?.status, "fulfilled");
  assert.ok(second?.status === "rejected");
  assert.equal(second.reason.code, "NO_RESULT");
  assert.equal(second.reason.outcomeUnknown, true);
});

test("one that is given up before its request is left out, and was not sent", async () => {
  const { gateway, provider, send } = setUp();
  const leaving = new AbortController();
  const message = new OutgoingMessage("+420777123456", "given up");
  const others = [send("a"), send("b")];
  const failing = gateway.send(message, { signal: leaving.signal });
  failing.catch(() => {});
  // Chosen and handed over within microtasks; the request goes with the next turn.
  await new Promise((resolve) => process.nextTick(resolve));
  leaving.abort(new Error("no longer wanted"));
  await assert.rejects(failing, /no longer wanted/);
  await Promise.all(others);
  assert.deepEqual(provider.requests, [["a", "b"]]);
  assert.equal(message.isHandedOver, false);
});

test("one that is given up later leaves the others; the last one ends the request", async () => {
  const { provider, send } = setUp();
  const begun = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<undefined>();
  provider.answer = () => {
    begun.resolve();
    return answer.promise;
  };
  const leaving = new AbortController();
  const gone = send("a", leaving.signal);
  const others = [send("b"), send("c")];
  await begun.promise;
  leaving.abort(new Error("left"));
  await assert.rejects(gone, /left/);
  const [signal] = provider.signals;
  assert.equal(signal?.aborted, false);
  answer.resolve(undefined);
  assert.deepEqual(
    (await Promise.all(others)).map(({ msgid }) => msgid),
    ["id of b", "id of c"],
  );
  const all = new AbortController();
  const again = Promise.withResolvers<void>();
  provider.answer = () => {
    again.resolve();
    return new Promise(() => {});
  };
  const failing = [send("d", all.signal), send("e", all.signal)];
  const ended = Promise.allSettled(failing);
  await again.promise;
  all.abort(new Error("closing"));
  await ended;
  assert.equal(provider.signals[1]?.aborted, true);
});

test("a text that was given up and taken all the same is told of", async () => {
  const { gateway, provider, send } = setUp();
  const begun = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<undefined>();
  provider.answer = () => {
    begun.resolve();
    return answer.promise;
  };
  const late: (string | null)[] = [];
  gateway.onLateSend.add(({ msgid }) => void late.push(msgid));
  const leaving = new AbortController();
  const gone = send("a", leaving.signal);
  const other = send("b");
  await begun.promise;
  leaving.abort(new Error("left"));
  await assert.rejects(gone);
  answer.resolve(undefined);
  await other;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(late, ["id of a"]);
});

test("ids that were chosen before go with their texts", async () => {
  const gateway = new Gateway();
  class Choosing extends ListProvider {
    #count = 0;
    override chooseId(): string {
      this.#count++;
      return `chosen-${this.#count}`;
    }
  }
  const provider = gateway.addProvider("list", new Choosing());
  const messages = ["a", "b"].map(
    (it) => new OutgoingMessage("420777123456", it),
  );
  const sent = messages.map(async (message) => {
    const route = await gateway.chooseRoute(message);
    assert.ok("provider" in route);
    await gateway.sendThrough(message, route);
    return route.chosenId;
  });
  assert.deepEqual(provider.given, []);
  const chosen = await Promise.all(sent);
  assert.deepEqual(provider.given, [chosen]);
});
