import assert from "node:assert/strict";
import { test } from "node:test";
import { testProviderContract } from "@carillon/testing/provider-contract";
import {
  AuthError,
  LimitsError,
  MessageSendError,
  RequestError,
  ServerError,
} from "../errors.ts";
import { Gateway } from "../gateway.ts";
import { OutgoingMessage } from "../outgoing-message.ts";
import type {
  Backend,
  BackendMessage,
  BackendResult,
  BackendStatus,
} from "./backend.ts";
import {
  BackendProvider,
  type BackendProviderOptions,
} from "./backend-provider.ts";

const phone = "+420777123456";

function setUp(backend: Partial<Backend>, options?: BackendProviderOptions) {
  const gateway = new Gateway({ sendTimeoutMs: 1000 });
  const whole = { publishMessage: async () => ({}), ...backend };
  const provider = new BackendProvider(whole, options);
  gateway.addProvider("mine", provider);
  const send = (text = "Hello") =>
    gateway.send(new OutgoingMessage(phone, text));
  return { gateway, provider, send };
}

const refusing = "491510000001";
const silent = "491510000002";

testProviderContract(
  "backend",
  async () => {
    const arrived: string[] = [];
    const gateway = new Gateway({ sendTimeoutMs: 300 });
    const backend: Backend = {
      async publishMessage({ to, text }, { signal }) {
        if (to === `+${silent}`) {
          await new Promise((_, reject) => {
            signal.addEventListener("abort", () => reject(signal.reason));
          });
        }
        if (to === `+${refusing}`) return { error: "no such phone" };
        arrived.push(text);
        return { externalId: arrived.length };
      },
    };
    gateway.addProvider("mine", new BackendProvider(backend));
    return {
      send: (number, text) => gateway.send(new OutgoingMessage(number, text)),
      arrived: () => arrived,
      statuses: () => [],
      received: () => [],
      handOver: async () => {},
      answering: "491510000000",
      refusing,
      silent,
      stop: () => gateway.stop(),
    };
  },
  {
    skip: {
      "reports what became of a text by its id": "A backend is asked.",
      "hands over texts from phones": "A backend only sends.",
    },
  },
);

test("a backend sees all of a text, as a copy of its own", async () => {
  const seen: BackendMessage[] = [];
  const { gateway } = setUp({
    publishMessage(message) {
      seen.push(message);
      Object.assign(message.extraData, { changed: true });
      return { state: "sent" };
    },
  });
  const message = new OutgoingMessage(phone, "Hello")
    .options({ senderId: "ACME", messageClass: "otp", expires: 5 })
    .params({ flash: true });
  const record = {
    id: "m-0",
    to: "+420 777 123 456",
    priority: 1,
    tag: "orders",
    extraData: { order: 7 },
    relatedObjects: [{ type: "order", id: "7" }],
  };
  message.record = record;
  await gateway.send(message);
  assert.deepEqual(seen, [
    {
      id: "m-0",
      to: "+420 777 123 456",
      text: "Hello",
      sender: "ACME",
      priority: 1,
      tag: "orders",
      extraData: { order: 7, changed: true },
      relatedObjects: [{ type: "order", id: "7" }],
      class: "otp",
      validityMinutes: 5,
      params: { flash: true },
    },
  ]);
  assert.deepEqual(record.extraData, { order: 7 });
  await gateway.send(new OutgoingMessage(phone, "Plain"));
  const { id, ...plain } = seen[1] ?? {};
  assert.match(id ?? "", /./);
  assert.deepEqual(plain, {
    to: "+420777123456",
    text: "Plain",
    priority: 3,
    extraData: { changed: true },
    relatedObjects: [],
    params: {},
  });
});

const successes: readonly [
  title: string,
  result: BackendResult | undefined,
  sent: object,
][] = [
  ["nothing", undefined, { msgid: null, knownState: "sent" }],
  ["an id", { externalId: 7 }, { msgid: "7", knownState: "sent" }],
  ["sending", { externalId: "a", state: "sending" }, { msgid: "a" }],
  ["sent", { state: "sent" }, { msgid: null, knownState: "sent" }],
  [
    "delivered",
    { externalId: "a", state: "delivered" },
    { msgid: "a", knownState: "delivered" },
  ],
  ["debug", { state: "debug" }, { msgid: null, simulated: true }],
  [
    "data",
    { senderData: { code: 0, price: 2 } },
    {
      msgid: null,
      knownState: "sent",
      senderData: { sender_state: 0, price: 2 },
    },
  ],
];
// JavaScript that says of a member that there is nothing to say.
for (const member of ["error", "senderData", "state", "externalId", "code"]) {
  test(`takes null as ${member} as if it was not there`, async () => {
    const result = { externalId: "1", state: "sent", [member]: null };
    const { send } = setUp({
      publishMessage: () => result as unknown as BackendResult,
    });
    const { msgid, knownState } = await send();
    assert.deepEqual(
      [msgid, knownState],
      [member === "externalId" ? null : "1", "sent"],
    );
  });
}

test("an empty text as error is none", async () => {
  const { send } = setUp({ publishMessage: () => ({ error: "" }) });
  assert.equal((await send()).knownState, "sent");
});

for (const [title, result, expected] of successes) {
  test(`takes ${title} as the result of a text that was sent`, async () => {
    const { send } = setUp({ publishMessage: async () => result });
    const { msgid, knownState, simulated, senderData } = await send();
    assert.deepEqual(
      {
        msgid,
        ...(knownState && { knownState }),
        ...(simulated && { simulated }),
        ...(senderData && { senderData }),
      },
      expected,
    );
  });
}

test("a backend that can be asked is expected to be, unless it says more at once", async () => {
  const asked: string[][] = [];
  const answer: BackendStatus[] = [
    { externalId: 1, state: "delivered" },
    { externalId: "2", state: "sending" },
    { externalId: "3", state: "sent" },
    { externalId: "4", state: "expired", text: "too late" },
    { externalId: "5", state: "failed", code: 7 },
  ];
  const { gateway, provider, send } = setUp({
    publishMessage: async () => ({ externalId: 1 }),
    checkStates(messages) {
      asked.push(messages.map(({ externalId }) => externalId));
      return answer;
    },
    checkAfterMs: 5,
    maxCheckSize: 9,
  });
  assert.deepEqual(provider.polling, { firstAfterMs: 5, batchSize: 9 });
  assert.equal((await send()).knownState, undefined);
  const ids = ["1", "2", "3", "4", "5", "6"];
  const statuses = await gateway.fetchStatuses("mine", ids);
  assert.deepEqual(asked, [ids]);
  assert.deepEqual(
    statuses.map(({ msgid, kind, statusCode, status }) => [
      msgid,
      kind,
      statusCode,
      status,
    ]),
    [
      ["1", "delivered", null, null],
      ["2", "accepted", null, null],
      ["3", "accepted", null, null],
      ["4", "expired", null, "too late"],
      ["5", "error", 7, null],
    ],
  );
});

for (const answer of [
  undefined,
  "delivered",
  [1],
  [{ externalId: "1" }],
  [{ externalId: {}, state: "sent" }],
  [{ externalId: "1", state: "SENT" }],
]) {
  test(`${JSON.stringify(answer)} is no answer about states`, async () => {
    const { gateway } = setUp({ checkStates: (): never => answer as never });
    await assert.rejects(gateway.fetchStatuses("mine", ["1"]), {
      code: "INVALID_RESULT",
      retryable: true,
    });
  });
}

/** As a module's own copy of the package throws them. */
class ForeignLimitsError extends Error {
  override readonly name = "LimitsError";
  readonly retryAfterMs = 5000;
  readonly code = 429;
}

const failures: readonly [
  title: string,
  publish: () => unknown,
  error: object,
][] = [
  [
    "a refusal with its code",
    () => ({ state: "rejected", error: "no credit", code: 12 }),
    {
      name: "MessageSendError",
      message: "no credit",
      code: 12,
      retryable: false,
      outcomeUnknown: false,
    },
  ],
  [
    "a refusal without a reason",
    () => ({ state: "rejected" }),
    {
      name: "MessageSendError",
      message: "The backend refused the text",
      refused: "message",
    },
  ],
  [
    "an error in the result",
    () => ({ error: new AuthError("no") }),
    { name: "AuthError", refused: undefined },
  ],
  [
    "a thrown error of ours",
    () => {
      throw new ServerError("busy");
    },
    { name: "ServerError", retryable: true, outcomeUnknown: false },
  ],
  [
    "a thrown error of the same name",
    () => {
      throw new ForeignLimitsError("slow down");
    },
    {
      name: "LimitsError",
      message: "slow down",
      code: 429,
      retryAfterMs: 5000,
      retryable: true,
    },
  ],
  [
    "a thrown error of another kind",
    () => {
      throw new TypeError("x is not a function");
    },
    { name: "TypeError" },
  ],
  [
    "what it does not know, and says why",
    () => ({ state: "unknown", error: "no answer", code: 5 }),
    { message: "no answer", code: 5, outcomeUnknown: true },
  ],
  [
    "what it does not know",
    () => ({ state: "unknown" }),
    { outcomeUnknown: true },
  ],
  ["a text", () => "sent", { code: "INVALID_RESULT", outcomeUnknown: true }],
  ["a list", () => [], { code: "INVALID_RESULT", outcomeUnknown: true }],
  [
    "a state that there is not",
    () => ({ state: "SENT" }),
    { code: "INVALID_RESULT", outcomeUnknown: true },
  ],
  [
    "an id that is none",
    () => ({ externalId: {} }),
    { code: "INVALID_RESULT", outcomeUnknown: true },
  ],
  [
    "data that is none",
    () => ({ senderData: 1 }),
    { code: "INVALID_RESULT", outcomeUnknown: true },
  ],
];
for (const [title, publish, error] of failures) {
  test(`fails by ${title}`, async () => {
    const { send } = setUp({
      publishMessage: () => publish() as BackendResult,
    });
    await assert.rejects(send(), error);
  });
}

test("what backends keep secret no error shows", async () => {
  const { send } = setUp(
    {
      publishMessage: () => {
        throw new MessageSendError(
          `the key hush-hush-hush or pass-word-7 is wrong`,
        );
      },
      secrets: ["hush-hush-hush"],
    },
    { secrets: ["pass-word-7"] },
  );
  await assert.rejects(send(), { message: "the key *** or *** is wrong" });
});

test("several go out together, each with a result of its own", async () => {
  const batches: string[][] = [];
  const { send, provider } = setUp({
    publishMessages(messages) {
      batches.push(messages.map(({ text }) => text));
      return [
        { externalId: "a" },
        { error: "refused" },
        new LimitsError("later"),
        undefined,
      ];
    },
    maxBatchSize: 7,
  });
  assert.deepEqual(provider.batching, { maxTexts: 7 });
  const texts = ["1", "2", "3", "4", "5"];
  const results = await Promise.allSettled(texts.map((it) => send(it)));
  assert.deepEqual(batches, [texts]);
  assert.deepEqual(
    results.map((it) =>
      it.status === "fulfilled"
        ? it.value.msgid
        : [it.reason.name, it.reason.outcomeUnknown],
    ),
    [
      "a",
      ["MessageSendError", false],
      ["LimitsError", false],
      null,
      ["ProviderError", true],
    ],
  );
});

test("a backend that publishes several is not asked to where batches are off", () => {
  const { provider } = setUp({ publishMessages: () => [] }, { batch: false });
  assert.equal(provider.batching, undefined);
  assert.equal(provider.sendBatch, undefined);
});

test("ids that a backend chooses are told to it, and kept while the outcome is open", async () => {
  const seen: (string | undefined)[] = [];
  const { gateway } = setUp({
    publishMessage({ chosenId }) {
      seen.push(chosenId);
      throw new Error("cut");
    },
    chooseId: () => "chosen",
  });
  const message = new OutgoingMessage(phone, "Hello");
  await assert.rejects(gateway.send(message), /cut/);
  assert.deepEqual(seen, ["chosen"]);
  assert.equal(message.msgid, "chosen");
  const refused = setUp({
    publishMessage: () => ({ error: "no" }),
    chooseId: () => "chosen",
  });
  const second = new OutgoingMessage(phone, "Hello");
  await assert.rejects(refused.gateway.send(second));
  assert.equal(second.msgid, null);
});

for (const id of [undefined, null, "", 1.5, {}]) {
  test(`nothing is sent under ${JSON.stringify(id)} as a chosen id`, async () => {
    let published = 0;
    const { gateway, provider } = setUp({
      publishMessage: () => void published++,
      publishMessages: (messages) => {
        published += messages.length;
        return messages.map(() => ({}));
      },
      chooseId: () => id as unknown as string,
    });
    const message = new OutgoingMessage(phone, "Hello");
    const expected = {
      name: "ConfigurationError",
      message: /chooseId of the backend must answer/,
    };
    await assert.rejects(gateway.send(message), expected);
    await assert.rejects(gateway.chooseRoute(message), expected);
    await assert.rejects(
      async () => await provider.sendBatch?.([message, message]),
      expected,
    );
    assert.equal(published, 0);
    assert.equal(message.msgid, null);
  });
}

test("of several of which one fails the backend, each has that error and none is sent again", async () => {
  const sent: string[] = [];
  const { send } = setUp({
    publishMessage: ({ text }) => void sent.push(text),
    publishMessages(messages) {
      for (const { text } of messages) {
        if (text === "bad") throw new RequestError("bad");
        sent.push(text);
      }
      return messages.map(() => ({}));
    },
  });
  const results = await Promise.allSettled(["ok", "bad"].map((it) => send(it)));
  assert.deepEqual(
    results.map((it) => it.status === "rejected" && it.reason.name),
    ["RequestError", "RequestError"],
  );
  assert.deepEqual(sent, ["ok"]);
});

test("the sender and data of a backend go with its texts", async () => {
  const seen: (string | undefined)[] = [];
  const { send } = setUp({
    publishMessage({ sender }) {
      seen.push(sender);
    },
    getExtraMessageData: () => ({ sender: "Shop" }),
    getExtraSenderData: ({ to }) => ({ line: to.slice(0, 4) }),
  });
  const { senderData } = await send();
  assert.deepEqual(seen, ["Shop"]);
  assert.deepEqual(senderData, { sender: "Shop", line: "+420" });
});

test("a backend is started before it gets texts, and stopped", async () => {
  const calls: string[] = [];
  const { gateway, send } = setUp({
    start: async () => void calls.push("start"),
    publishMessage: async () => void calls.push("publish"),
    stop: async () => void calls.push("stop"),
  });
  await gateway.start();
  await send();
  await gateway.stop();
  assert.deepEqual(calls, ["start", "publish", "stop"]);
});

test("a backend that fails at the sender has sent nothing; at the data, it has", async () => {
  const fail = () => {
    throw new Error("a defect");
  };
  const { send } = setUp({ getExtraMessageData: fail });
  await assert.rejects(send(), { code: "CONFIGURATION" });
  const other = setUp({
    publishMessage: () => ({ externalId: 7, senderData: { price: 2 } }),
    getExtraSenderData: fail,
  });
  const sent = await other.send();
  assert.deepEqual([sent.msgid, sent.senderData], ["7", { price: 2 }]);
});
