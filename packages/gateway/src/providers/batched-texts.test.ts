import assert from "node:assert/strict";
import { test } from "node:test";
import {
  AuthError,
  LimitsError,
  ProviderConnectionError,
  RequestError,
} from "../errors.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import {
  askBatches,
  type BatchWire,
  type CodesById,
  matchCodes,
  sendAlone,
  sendBatches,
} from "./batched-texts.ts";

const zeros = (ids: readonly string[]): CodesById =>
  new Map(ids.map((id) => [id, 0]));

/** A wire of ids that count, whose texts are their bodies. */
function createWire(wire: Partial<BatchWire> = {}) {
  const requests: (readonly string[])[] = [];
  let last = 0;
  const post: BatchWire["post"] = async (texts, ids) => {
    requests.push(texts);
    return (await wire.post?.(texts, ids)) ?? zeros(ids);
  };
  return {
    requests,
    newId: () => `p-${++last}`,
    write: ({ body }: OutgoingMessage) => body,
    toError: () => undefined,
    ...wire,
    post,
  };
}

function textsOf(count: number): OutgoingMessage[] {
  return Array.from(
    { length: count },
    (_, n) => new OutgoingMessage("420777123456", `Text ${n}`),
  );
}

test("sends in requests of a hundred, each text under an id of its own", async () => {
  const wire = createWire();
  const messages = textsOf(250);
  const results = await sendBatches(messages, wire, {});
  assert.deepEqual(
    wire.requests.map(({ length }) => length),
    [100, 100, 50],
  );
  assert.deepEqual(
    results.map(({ message, error }) => [message.msgid, error]),
    messages.map((_, n) => [`p-${n + 1}`, undefined]),
  );
  assert.deepEqual(messages[0]?.meta, { code: 0 });
  assert.deepEqual(await sendBatches([], wire, {}), []);
  assert.equal(wire.requests.length, 3);
});

test("a text goes out under the id that was chosen for it before", async () => {
  const asked: (readonly string[])[] = [];
  const wire = createWire({
    async post(_, ids) {
      asked.push(ids);
      return zeros(ids);
    },
  });
  const [chosen, fresh] = textsOf(2);
  assert.ok(chosen && fresh);
  await sendAlone(chosen, wire, { msgid: "ours-7" });
  await sendAlone(fresh, wire, {});
  assert.deepEqual(asked, [["ours-7"], ["p-1"]]);
  assert.equal(chosen.msgid, "ours-7");
});

test("a request that fails takes the texts of no other with it", async () => {
  let count = 0;
  const wire = createWire({
    async post(_, ids) {
      count++;
      if (count === 1) throw new AuthError("no");
      if (count === 2) {
        throw new ProviderConnectionError("cut", { outcomeUnknown: true });
      }
      return zeros(ids);
    },
  });
  const results = await sendBatches(textsOf(201), wire, {});
  const seen = [0, 100, 200].map((n) => [
    results[n]?.error?.name,
    results[n]?.message.msgid,
  ]);
  assert.deepEqual(seen, [
    ["AuthError", null],
    ["ProviderConnectionError", "p-101"],
    [undefined, "p-201"],
  ]);
});

test("keeps the id of what may have gone out, and of nothing else", async () => {
  for (const outcomeUnknown of [true, false]) {
    const error = new LimitsError("later", { outcomeUnknown });
    for (const wire of [
      createWire({ toError: () => error }),
      createWire({ post: () => Promise.reject(error) }),
    ]) {
      const [message = assert.fail()] = textsOf(1);
      await assert.rejects(sendAlone(message, wire, {}), error);
      assert.equal(message.msgid, outcomeUnknown ? "p-1" : null);
      assert.equal(message.meta, null);
    }
  }
});

test("says whether a text was refused, or the request it was in", async () => {
  const ofText = createWire({ toError: () => new LimitsError("later") });
  const ofRequest = createWire({ post: () => Promise.reject(new AuthError()) });
  const ofNothing = createWire({
    post: () => Promise.reject(new ProviderConnectionError("cut")),
  });
  for (const [wire, refused] of [
    [ofText, "message"],
    [ofRequest, "request"],
    [ofNothing, undefined],
  ] as const) {
    const [result] = await sendBatches(textsOf(1), wire, {});
    assert.equal(result?.error?.refused, refused);
  }
});

test("has the id in place before the request is made", async () => {
  const [message = assert.fail()] = textsOf(1);
  const seen: unknown[] = [];
  const wire = createWire({
    async post(_, ids) {
      seen.push(message.msgid);
      return zeros(ids);
    },
  });
  await sendAlone(message, wire, {});
  assert.deepEqual(seen, ["p-1"]);
});

test("a text that cannot be written holds up no other", async () => {
  const wire = createWire({
    write({ body }) {
      if (body === "Text 1") throw new RequestError("not this one");
      return body;
    },
  });
  const results = await sendBatches(textsOf(3), wire, {});
  assert.deepEqual(
    results.map(({ message, error }) => [message.msgid, error?.name]),
    [
      ["p-1", undefined],
      [null, "RequestError"],
      ["p-3", undefined],
    ],
  );
  assert.deepEqual(wire.requests, [["Text 0", "Text 2"]]);
});

test("what was given up before its request was not sent, and after it may have been", async () => {
  const stop = new AbortController();
  const wire = createWire({
    async post(_, ids) {
      if (ids.includes("p-101")) {
        stop.abort(new Error("stop"));
        stop.signal.throwIfAborted();
      }
      return zeros(ids);
    },
  });
  const { signal } = stop;
  const results = await sendBatches(textsOf(300), wire, { signal });
  const seen = [0, 100, 200].map((n) => {
    const { error, message } = results[n] ?? assert.fail();
    return [error?.outcomeUnknown, message.msgid];
  });
  assert.deepEqual(seen, [
    [undefined, "p-1"],
    [true, "p-101"],
    [false, null],
  ]);
  assert.equal(wire.requests.length, 2);
});

test("asks for a hundred at once, and for each once", async () => {
  const requests: number[] = [];
  const ids = Array.from({ length: 150 }, (_, n) => `-${n}`);
  const codes = await askBatches([...ids, ...ids], async (batch) => {
    requests.push(batch.length);
    return zeros(batch);
  });
  assert.deepEqual([...codes.keys()], ids);
  assert.deepEqual(requests, [100, 50]);
});

test("keeps what was answered before a request failed", async () => {
  const ids = Array.from({ length: 250 }, (_, n) => `-${n}`);
  const askUntil = (last: string) =>
    askBatches(ids, async (batch) => {
      if (batch.includes(last)) throw new LimitsError("slow");
      return zeros(batch);
    });
  assert.deepEqual([...(await askUntil("-150")).keys()], ids.slice(0, 100));
  await assert.rejects(askUntil("-50"), { name: "LimitsError" });
});

test("takes an answer that names each text once, in any order", () => {
  const codes = matchCodes(
    "Acme",
    ["-1", "-2"],
    [
      ["-2", " 22\n"],
      ["-1", "x"],
    ],
  );
  assert.deepEqual(Object.fromEntries(codes), { "-1": "x", "-2": 22 });
});

for (const [title, answered] of Object.entries({
  "leaves one out": [["-1", "0"]],
  "names another": [
    ["-1", "0"],
    ["-2", "0"],
    ["-3", "0"],
  ],
  "names one twice": [
    ["-1", "0"],
    ["-1", "0"],
    ["-2", "0"],
  ],
  "names one without its prefix": [
    ["1", "0"],
    ["-2", "0"],
  ],
} satisfies Record<string, [string, string][]>)) {
  test(`an answer that ${title} says nothing of any`, () => {
    assert.throws(
      () => matchCodes("Acme", ["-1", "-2"], answered as [string, string][]),
      { name: "MessageSendError", outcomeUnknown: true },
    );
  });
}
