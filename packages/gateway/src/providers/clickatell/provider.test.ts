import assert from "node:assert/strict";
import { test } from "node:test";
import { testCarrierContract } from "@carillon/testing/carrier-contract";
import {
  type FakeClickatellOptions,
  startFakeClickatell,
} from "@carillon/testing/fake-carriers/clickatell";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { numbers, openCarrierWorld } from "../../testing/carrier-world.ts";
import { clickatellType } from "./provider.ts";

const apiKey = "test-api-key==";
const callbackAuth = { user: "clickatell", pass: "s3cret" };
const { answering, refusing, silent } = numbers;
const states = { accepted: 2, delivered: 5, failed: 23 } as const;

/** A gateway with the provider alone, its routes, and a Clickatell of our own. */
async function open(
  answer?: FakeClickatellOptions["answer"],
  config: object = {},
) {
  const clickatell = await startFakeClickatell({
    apiKey,
    ...(answer && { answer }),
  });
  const world = await openCarrierWorld({
    type: clickatellType,
    carrier: clickatell,
    settings: (urls) => ({
      apiKey,
      from: "12027530410",
      callbackAuth,
      ...urls,
      ...config,
    }),
  });
  const { callbackUrl } = world;
  const status = { url: `${callbackUrl}/status`, auth: callbackAuth };
  const im = { url: `${callbackUrl}/im`, auth: callbackAuth };
  clickatell.setCallback(status);
  return Object.assign(world, { clickatell, status, im });
}

/** Answers with one entry for the text of a request. */
function entry(fields: object, status = 202) {
  return {
    status,
    body: { messages: [{ to: answering, ...fields }], error: null },
  };
}

testCarrierContract(
  "clickatell",
  async () => {
    const world = await open(({ to }) => {
      if (to === refusing) return { code: 25, description: "No such number" };
      return to === silent ? "silence" : undefined;
    });
    const { clickatell, status, im } = world;
    const handOver = (from: string, content: string) =>
      clickatell.handOver(im, { from, to: "12027530410", content });
    const { url } = status;
    return Object.assign(world, {
      arrived: () => clickatell.texts.map(({ fields }) => `${fields.content}`),
      fields: () =>
        Object.fromEntries(
          Object.entries(clickatell.texts.at(-1)?.fields ?? {}).map(
            ([name, value]) => [name, String(value)],
          ),
        ),
      handOver,
      calls: {
        urls: [status.url, im.url],
        report: (msgid: string, state: keyof typeof states) =>
          clickatell.report(status, msgid, states[state]),
        handOver,
        forged: {
          "without credentials": () => clickatell.report({ url }, "1", 5),
          "with another password": () =>
            clickatell.report(
              { url, auth: { ...callbackAuth, pass: "S3cret" } },
              "1",
              5,
            ),
          "with another user": () =>
            clickatell.handOver(
              { url: im.url, auth: { ...callbackAuth, user: "x" } },
              { from: answering, content: "Hi" },
            ),
        },
      },
    });
  },
  {
    secrets: [apiKey],
    quote: (description) => ({
      status: 400,
      body: { messages: [], error: { code: 21, description } },
    }),
    wishes: [
      {
        title: "sends from the configured number",
        fields: {
          channel: "sms",
          to: answering,
          content: "Hi",
          from: "12027530410",
        },
      },
      {
        title: "sends from another number, without its plus",
        from: "+447700900123",
        fields: { from: "447700900123" },
      },
      {
        title: "sends from a name, which wins over a number",
        from: "+447700900123",
        options: { senderId: "Acme" },
        fields: { from: "Acme" },
      },
      {
        title: "takes an empty sender for none",
        from: "",
        options: { senderId: "" },
        fields: { from: "12027530410" },
      },
      {
        title: "lets raw parameters say all but whom and what",
        params: {
          clientMessageId: "our-7",
          from: "4477",
          to: "15550100100",
          content: "Bye",
          To: "15550100100",
          Content: "Bye",
          channel: "whatsapp",
        },
        fields: {
          to: answering,
          content: "Hi",
          To: undefined,
          Content: undefined,
          channel: "sms",
          from: "4477",
          clientMessageId: "our-7",
        },
      },
    ],
    refusals: [
      {
        title: "a text that was refused within a success",
        answer: entry(
          { accepted: false, error: { code: 26, description: "Opted out" } },
          207,
        ),
        error: "RequestError",
        retryable: false,
      },
      {
        title: "a refusal of one text by its own error",
        answer: entry({ accepted: false, error: { code: 43 } }, 400),
        error: "LimitsError",
        retryable: true,
      },
      {
        title: "a text that was not accepted, without a reason",
        answer: entry({ accepted: false, error: null, apiMessageId: null }),
        error: "RequestError",
        retryable: false,
      },
      {
        title: "a refusal of the whole request within a success",
        answer: { body: { messages: [], error: { code: 20 } } },
        error: "CreditError",
        retryable: false,
      },
      {
        title: "a gateway that asks to wait",
        answer: {
          status: 503,
          headers: { "retry-after": "9", "content-type": "application/json" },
          body: JSON.stringify({ error: { code: 19, description: "Retry" } }),
        },
        error: "ServerError",
        retryable: true,
        retryAfterMs: 9000,
      },
      {
        title: "an account without money, without a code",
        answer: { status: 402, body: { messages: [], error: null } },
        error: "CreditError",
        retryable: false,
      },
    ],
    unreadable: {
      "has no id": entry({ accepted: true, apiMessageId: null, error: null }),
      "has an id of another type": entry({ accepted: true, apiMessageId: 7 }),
      "has no text": { status: 202, body: { messages: [], error: null } },
      "took the text and failed": entry(
        { accepted: true, apiMessageId: "1" },
        500,
      ),
      "has more texts than were sent": {
        status: 202,
        body: {
          messages: ["1", "2"].map((apiMessageId) => ({
            apiMessageId,
            accepted: true,
            to: answering,
          })),
        },
      },
    },
  },
);

test("shows the key to Clickatell, and to nobody in an error", async () => {
  await using world = await open(undefined, { apiKey: "another-key" });
  const sending = world.gateway.send(new OutgoingMessage(answering, "Hi"));
  await assert.rejects(sending, (error: Error) => {
    assert.equal(error.name, "AuthError");
    assert.ok("code" in error && error.code === 1);
    assert.doesNotMatch(error.message, /another-key/);
    return true;
  });
  const [request] = world.clickatell.requests;
  assert.equal(request?.headers.authorization, "another-key");
  assert.equal(request?.headers["content-type"], "application/json");
});

test("takes the key out of what Clickatell says of a request", async () => {
  await using world = await open(() => ({
    code: 23,
    description: `Invalid header: ${apiKey}`,
  }));
  const sending = world.gateway.send(new OutgoingMessage(answering, "Hi"));
  await assert.rejects(sending, {
    message: "Clickatell refused the text: Invalid header: ***",
  });
});

test("waits for receipts only where they arrive", async () => {
  for (const has of [true, false]) {
    await using world = await open();
    const { gateway, clickatell, callbackUrl } = world;
    const { baseUrl } = clickatell;
    const provider = clickatellType.create(
      { apiKey, baseUrl, ...(has && { callbackUrl }) },
      { logger: { info() {} } },
    );
    gateway.addProvider("other", provider);
    const message = new OutgoingMessage(answering, "Hi", null, "other");
    const sent = await gateway.send(message.options({ statusReport: true }));
    assert.equal(sent.providerOptions.statusReport, has);
    assert.ok(!("from" in (clickatell.texts[0]?.fields ?? {})));
  }
});

test("sends 200 texts a request, and says of each what became of it", async () => {
  await using world = await open(({ to }) =>
    to === refusing ? { code: 27, description: "No" } : undefined,
  );
  const { provider, clickatell } = world;
  clickatell.setCallback({ url: `${world.callbackUrl}/none` });
  const texts = Array.from({ length: 450 }, (_, n) => {
    const to = n === 210 ? refusing : `4915199${String(n).padStart(5, "0")}`;
    return new OutgoingMessage(to, `Text ${n}`);
  });
  clickatell.failNext({ status: 500 });
  const results = (await provider.sendBatch?.(texts)) ?? [];
  assert.deepEqual(
    clickatell.requests
      .filter(({ method }) => method === "POST")
      .map(({ text }) => JSON.parse(text).messages.length),
    [200, 200, 50],
  );
  assert.deepEqual(
    results.map(({ message }) => message),
    texts,
  );
  const failed = results.flatMap(({ error }, n) =>
    error ? [[n, error.name] as const] : [],
  );
  assert.equal(failed.length, 201);
  assert.deepEqual(failed.at(0), [0, "ServerError"]);
  assert.deepEqual(failed.at(-1), [210, "RequestError"]);
  for (const [n, { message, error }] of results.entries()) {
    const taken = clickatell.texts.find(({ id }) => id === message.msgid);
    assert.equal(taken?.fields.content, error ? undefined : `Text ${n}`);
  }
});

test("an abort between the requests of a batch forgets nothing", async () => {
  await using world = await open();
  const { provider, clickatell } = world;
  const ending = new AbortController();
  const texts = Array.from(
    { length: 401 },
    (_, n) => new OutgoingMessage(`4915199${String(n).padStart(5, "0")}`, "Hi"),
  );
  clickatell.setCallback({ url: `${world.callbackUrl}/none` });
  const first = texts[0];
  // The first request is answered when its first text has its id.
  let msgid: string | null = null;
  if (first) {
    Object.defineProperty(first, "msgid", {
      get: () => msgid,
      set(id: string) {
        msgid = id;
        ending.abort();
      },
    });
  }
  const results =
    (await provider.sendBatch?.(texts, { signal: ending.signal })) ?? [];
  const errors = results.map(({ error }) => error);
  assert.equal(errors.filter((it) => it === undefined).length, 200);
  // They were not begun.
  assert.ok(errors.slice(200).every((it) => it?.outcomeUnknown === false));
  assert.equal(clickatell.texts.length, 200);
});

test("finds each text's answer by its recipient", async () => {
  const [a, b, c] = ["491519900001", "491519900002", "491519900003"] as const;
  const taken = (to: string | undefined, apiMessageId: string) => ({
    to,
    apiMessageId,
    accepted: true,
    error: null,
  });
  const cases = [
    {
      given: [a, b],
      answered: [taken(b, "B"), taken(`+${a}`, "A")],
      found: ["A", "B"],
    },
    {
      given: [a, b, a],
      answered: [taken(b, "B"), taken(a, "A1"), taken(a, "A2")],
      found: ["A1", "B", "A2"],
    },
    { given: [a, b], answered: [taken(b, "B")], found: [null, "B"] },
    { given: [a, a], answered: [taken(a, "A")], found: [null, null] },
    {
      given: [a, b],
      answered: [taken(a, "A"), taken(b, "B"), taken(c, "C")],
      found: ["A", "B"],
    },
    {
      given: [a, b],
      answered: [taken(undefined, "1"), taken(undefined, "2")],
      found: ["1", "2"],
    },
    { given: ["0151990"], answered: [taken(a, "A")], found: ["A"] },
  ];
  for (const { given, answered, found } of cases) {
    await using world = await open();
    world.clickatell.failNext({ status: 207, body: { messages: answered } });
    const texts = given.map((to) => new OutgoingMessage(to, "Hi"));
    const results = (await world.provider.sendBatch?.(texts)) ?? [];
    assert.deepEqual(
      results.map(({ message }) => message.msgid),
      found,
    );
    for (const { message, error } of results) {
      assert.equal(error?.outcomeUnknown, message.msgid === null || undefined);
    }
  }
});

test("asks for the states of texts, and leaves out those that are gone", async () => {
  await using world = await open();
  const { gateway, provider, clickatell } = world;
  const sent = await gateway.send(new OutgoingMessage(answering, "Hi"));
  const { msgid } = sent;
  const ids = [msgid ?? "", "unknown to it", "gone"];
  const timestamp = 1_506_607_698_000;
  const sms = { status: "DELIVERY_FAILURE", statusCode: 23, timestamp };
  clickatell.failNext({ body: { sms, whatsapp: null } });
  clickatell.failNext({ status: 404, body: { error: { code: 41 } } });
  const found = (await provider.fetchStatuses?.(ids)) ?? [];
  assert.deepEqual(
    found.map(({ msgid, kind, statusCode, rtime }) => [
      msgid,
      kind,
      statusCode,
      rtime.getTime(),
    ]),
    [[msgid, "error", 23, timestamp]],
  );
});

test("says how much money is left", async () => {
  await using world = await open();
  const balance = await world.provider.fetchBalance?.();
  assert.deepEqual(balance, { amount: 250.5, currency: "ZAR" });
});

test("takes calls of anybody where no credentials are set", async () => {
  await using world = await open(undefined, { callbackAuth: undefined });
  const { url } = world.status;
  assert.equal(await world.clickatell.report({ url }, "1", 5), 200);
  assert.deepEqual(
    world.statuses().map(({ msgid }) => msgid),
    ["1"],
  );
});

test("hands over what else is known of a text", async () => {
  await using world = await open();
  const timestamp = 1_506_607_698_123;
  const status = await world.clickatell.handOver(world.im, {
    messageId: "m1",
    relatedMessageId: "r1",
    relatedClientMessageId: "c1",
    from: "491511234567",
    to: "12027530410",
    timestamp,
    content: "",
  });
  assert.equal(status, 200);
  const [text] = world.received();
  assert.deepEqual(
    [text?.src, text?.dst, text?.msgid, text?.body, text?.rtime.getTime()],
    ["491511234567", "12027530410", "m1", "", timestamp],
  );
  assert.deepEqual(text?.meta, {
    channel: "sms",
    charset: "UTF-8",
    relatedMessageId: "r1",
    relatedClientMessageId: "c1",
    network: "26201",
  });
});

test("changes nothing where a part of a call cannot be read", async () => {
  await using world = await open();
  const { clickatell, im } = world;
  const right = { messageId: "1", statusCode: 5 };
  const wrong: readonly unknown[] = [
    { event: { messageStatusUpdate: [right, { messageId: "2" }] } },
    { event: { messageStatusUpdate: [right, 7] } },
    { event: { messageStatusUpdate: "x" } },
    { event: { messageStatusUpdate: right, moText: [{ from: "1" }] } },
    { event: { moText: { messageId: "1", content: "Hi" } } },
    { event: null, messageId: "1", statusCode: 5 },
    { event: [] },
    { statusCode: 5 },
    { messageId: "1", statusCode: { $ne: 1 } },
    {},
  ];
  for (const body of wrong) {
    assert.equal(await clickatell.call(im, body), 400, JSON.stringify(body));
  }
  assert.deepEqual([...world.statuses(), ...world.received()], []);
});
