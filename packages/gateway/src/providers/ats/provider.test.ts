import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage as Answer, request } from "node:http";
import { test } from "node:test";
import { testCarrierContract } from "@carillon/testing/carrier-contract";
import {
  atsAnswer,
  type FakeAtsOptions,
  type FakeAtsText,
  startFakeAts,
} from "@carillon/testing/fake-carriers/ats";
import { escapeMarkup } from "@carillon/testing/fake-carriers/markup";
import fc from "fast-check";
import type { ProviderError } from "../../errors.ts";
import { Gateway } from "../../gateway.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { numbers, openCarrierWorld } from "../../testing/carrier-world.ts";
import type { AtsConfig } from "./config.ts";
import { atsType } from "./provider.ts";

const username = "tom & co";
const password = 'pass"<word>';
const { answering, refusing, silent } = numbers;
const settings = { username, password, keyword: "KW", from: "9001103" };

/** A gateway with the provider alone, its routes, and an ATS of our own. */
async function open(
  answer?: FakeAtsOptions["answer"],
  config: Partial<AtsConfig> = {},
) {
  const ats = await startFakeAts({
    username,
    password,
    ...(answer && { answer }),
  });
  const world = await openCarrierWorld({
    type: atsType,
    carrier: ats,
    settings: ({ baseUrl }) => ({
      ...settings,
      allowFrom: ["127.0.0.1"],
      prefix: "test",
      baseUrl,
      ...config,
    }),
  });
  const url = `${world.callbackUrl}/im`;
  return Object.assign(world, { ats, url });
}

const example = {
  attributes: {
    uniq: "2",
    sender: "+420731545945",
    recipient: "9001103",
    okey: "T2",
    opid: "tmsms",
    opmid: "",
    ts: "2006-04-10 09:32:18",
  },
  text: "Hello",
};

testCarrierContract(
  "ats",
  async () => {
    const world = await open(({ fields }) => {
      if (fields.recipient === `+${refusing}`) return 343;
      return fields.recipient === `+${silent}` ? "silence" : undefined;
    });
    const { ats, url } = world;
    const handOver = async (number: string, text: string) => {
      const attributes = { ...example.attributes, sender: `+${number}` };
      return (await ats.handOver(url, [{ attributes, text }])).status;
    };
    return Object.assign(world, {
      arrived: () => ats.texts.map(({ body }) => body),
      fields: () => {
        const { fields = {}, body } = ats.texts.at(-1) ?? {};
        return { ...fields, ...(body !== undefined && { body }) };
      },
      handOver,
      calls: {
        urls: [url],
        handOver,
        // Each text has a code of its own.
        statusOfFailure: 200,
        isRefusal: async (response: Response) =>
          response.status === 413 ||
          /<status><code>70[125]<\/code><\/status>/.test(await response.text()),
        forged: {
          "from another address": () => callFrom("127.0.0.2", url),
        },
      },
    });
  },
  {
    secrets: [password],
    quote: (words) => atsAnswer([[undefined, escapeMarkup(words)]]),
    skip: {
      "reports what became of a text by its id":
        "It is asked, and never calls with a report.",
    },
    wishes: [
      {
        title: "sends as ATS wants it",
        fields: {
          type: "text",
          sender: "9001103",
          recipient: `+${answering}`,
          opmid: "",
          dlr: "1",
          validity: "60",
          kw: "KW",
          textid: undefined,
          "body.order": "0",
          "body.billing": "0",
          body: "Hi",
        },
      },
      {
        title: "sends from a name",
        options: { senderId: 'A & "B"' },
        fields: { sender: 'A & "B"' },
      },
      {
        title: "sends from a number as it is given",
        from: "+420777123456",
        fields: { sender: "+420777123456" },
      },
      {
        title: "says for how long a text is good",
        options: { expires: 5 },
        fields: { validity: "5" },
      },
      {
        title: "says the shortest time for one that is over",
        options: { expires: 0 },
        fields: { validity: "1" },
      },
      {
        title: "lets raw parameters say all but whom and what",
        params: {
          billing: 3,
          opmid: "x",
          kw: "K2",
          textid: "T1",
          recipient: "+420777000000",
          Uniq: "mine",
          sender: "Other",
        },
        fields: {
          recipient: `+${answering}`,
          "body.billing": "3",
          opmid: "x",
          kw: "K2",
          textid: "T1",
          sender: "Other",
          Uniq: undefined,
          body: "Hi",
        },
      },
      {
        title: "leaves out what a raw parameter takes away",
        params: { opmid: null, order: null },
        fields: { opmid: undefined, "body.order": undefined },
      },
    ],
    refusals: [
      {
        title: "credentials that are wrong, within a success",
        answer: atsAnswer([[undefined, 100]]),
        error: "AuthError",
        retryable: false,
      },
      {
        title: "a database that fails, within a success",
        answer: atsAnswer([[undefined, 200]]),
        error: "ServerError",
        retryable: true,
      },
      {
        title: "a document that ATS cannot read",
        answer: atsAnswer([[undefined, " 702 "]]),
        error: "RequestError",
        retryable: false,
      },
    ],
    unreadable: {
      "is about another text": atsAnswer([["test-1", 0]]),
      "has no code": atsAnswer([]),
      "takes the request and names no text": atsAnswer([[undefined, 0]]),
      "refuses the request by a code nobody knows": atsAnswer([
        [undefined, 123_456],
      ]),
      "refuses the request and takes texts": atsAnswer([
        [undefined, 200],
        ["test-1", 0],
      ]),
      "is about registration alone": atsAnswer([[undefined, 10]]),
    },
  },
);

/** Calls with a text from another address of this machine. */
async function callFrom(localAddress: string, url: string): Promise<number> {
  const call = request(url, { method: "POST", localAddress });
  call.end(
    '<messages><sms uniq="9" sender="+420777123456" recipient="1">Hi</sms></messages>',
  );
  const [answer]: Answer[] = await once(call, "response");
  answer?.resume();
  return answer?.statusCode ?? 0;
}

test("each text goes out and is found again under its prefix and id", async () => {
  await using ats = await startFakeAts({ username, password });
  const visible = fc.integer({ min: 0x21, max: 0x7e });
  const word = (minLength: number) =>
    fc
      .array(visible, { minLength, maxLength: 12 })
      .map((codes) => String.fromCharCode(...codes));
  let count = 0;
  await fc.assert(
    fc.asyncProperty(word(0), word(1), async (prefix, word) => {
      const id = `${word}${++count}`;
      const gateway = new Gateway({ newId: () => id });
      const { baseUrl } = ats;
      const given = { ...settings, prefix, baseUrl };
      const made = atsType.create(given, { logger: { info() {} } });
      const provider = gateway.addProvider("ats", made);
      const sent = await gateway.send(new OutgoingMessage(answering, "Hi"));
      const uniq = ats.texts.at(-1)?.fields.uniq;
      assert.ok(uniq?.startsWith(`${prefix}-${id}-`));
      assert.ok(uniq);
      assert.equal(sent.msgid, uniq);
      const found = await provider.fetchStatuses?.([uniq]);
      assert.deepEqual(
        found?.map(({ msgid, kind }) => [msgid, kind]),
        [[uniq, "accepted"]],
      );
    }),
    {
      examples: [
        ["1", "15"],
        ["", "15"],
        ["-", "-"],
      ],
      numRuns: 50,
    },
  );
});

test("each text of a request has a code of its own", async () => {
  const codes = [0, 22, 23, 24, 310, 334, 25, 123_456];
  await using world = await open(({ body }: FakeAtsText) => Number(body));
  const results = await world.provider.sendBatch?.(
    codes.map((code) => new OutgoingMessage(answering, String(code))),
  );
  assert.equal(world.ats.requests.length, 1);
  assert.deepEqual(
    results?.map(({ message, error }) => [
      error?.name,
      error?.outcomeUnknown,
      message.msgid !== null,
    ]),
    [
      [undefined, undefined, true],
      [undefined, undefined, true],
      [undefined, undefined, true],
      ["MessageSendError", false, false],
      ["RequestError", true, true],
      ["LimitsError", false, false],
      ["MessageSendError", true, true],
      ["MessageSendError", true, true],
    ],
  );
  assert.deepEqual(results?.[1]?.message.meta, { code: 22 });
});

test("what ATS has already is not refused, and is found by asking", async () => {
  await using world = await open(() => 310);
  const message = new OutgoingMessage(answering, "Hi");
  await assert.rejects(world.gateway.send(message), {
    code: 310,
    outcomeUnknown: true,
    retryable: false,
  });
  const { msgid } = message;
  assert.ok(msgid);
  world.ats.setState(msgid, 23);
  const found = await world.provider.fetchStatuses?.([msgid]);
  assert.deepEqual(
    found?.map((it) => [it.msgid, it.kind]),
    [[msgid, "delivered"]],
  );
});

test("a text whose answer was lost is found by asking", async () => {
  for (const fault of [
    "cut",
    "silence",
    "half",
    { body: "?" },
    { status: 504 },
  ] as const) {
    await using world = await open();
    const seen: string[] = [];
    world.ats.failNext(fault);
    const message = new OutgoingMessage(answering, "Hi");
    await assert.rejects(
      world.gateway.send(message),
      (error: ProviderError) => {
        assert.equal(error.outcomeUnknown, true);
        seen.push(message.msgid ?? "");
        return true;
      },
    );
    assert.match(seen[0] ?? "", /^test-./);
    assert.match(world.ats.requests[0]?.text ?? "", new RegExp(`"${seen[0]}"`));
    // The fault came in place of taking it.
    const found = await world.provider.fetchStatuses?.(seen);
    assert.deepEqual(
      found?.map((it) => [it.msgid, it.kind, it.statusCode]),
      [[seen[0], "error", 20]],
    );
  }
});

test("asks until it is known whether a text was delivered", async () => {
  await using world = await open();
  const { msgid } = await world.send(answering, "Hi");
  assert.ok(msgid);
  const kinds: unknown[] = [];
  for (const code of [0, 21, 22, 25, 1, 123_456, 23, 24]) {
    world.ats.setState(msgid, code);
    const [status] = (await world.provider.fetchStatuses?.([msgid])) ?? [];
    kinds.push([code, status?.kind, status?.isFinal]);
  }
  assert.deepEqual(kinds, [
    [0, "accepted", false],
    [21, "accepted", false],
    [22, "accepted", false],
    [25, "unknown", false],
    [1, "unknown", false],
    [123_456, "unknown", false],
    [23, "delivered", true],
    [24, "error", true],
  ]);
});

test("answers what ATS says of a question's texts, and of no others", async () => {
  await using world = await open();
  const ids = ["test-1", "test-2"];
  for (const [answer, known] of [
    [[["test-1", 23]], ["test-1"]],
    [
      [
        ["test-1", 23],
        ["test-2", 23],
        ["test-3", 23],
      ],
      ids,
    ],
    [
      [
        ["test-1", 23],
        ["test-2", 23],
        ["test-1", 24],
      ],
      ["test-2"],
    ],
    // It cannot be of all texts.
    [
      [
        [undefined, 200],
        ["test-2", 23],
      ],
      ["test-2"],
    ],
    [[], []],
  ] as const) {
    world.ats.failNext(atsAnswer(answer));
    const found = (await world.provider.fetchStatuses?.(ids)) ?? [];
    assert.deepEqual(
      found.map(({ msgid, kind }) => [msgid, kind]),
      known.map((id) => [id, "delivered"]),
    );
  }
  world.ats.failNext(atsAnswer([[undefined, 100]]));
  await assert.rejects(async () => world.provider.fetchStatuses?.(ids), {
    code: 100,
  });
});

test("a text that ATS does not know failed only if this account sent it", async () => {
  const { msgid } = await (async () => {
    await using other = await open(undefined, { username: "another" });
    return { msgid: other.provider.chooseId?.() ?? "" };
  })();
  await using world = await open(undefined, { prefix: "before" });
  const { provider } = world;
  const own = provider.chooseId?.() ?? "";
  await world.restart();
  const asked = [msgid, own, "SM0123456789", "test-1", own.slice(0, -1)];
  const found = (await world.provider.fetchStatuses?.(asked)) ?? [];
  assert.deepEqual(
    found.map((it) => [it.msgid, it.kind, it.statusCode]),
    [[own, "error", 20]],
  );
});

test("a limit of the day ends with the day in Prague", async () => {
  await using ats = await startFakeAts({
    username,
    password,
    answer: () => 334,
  });
  const now = Date.parse("2025-07-01T21:30:00Z");
  const clock = {
    now: () => now,
    monotonic: () => now,
    setTimer: () => ({ cancel() {} }),
  };
  const gateway = new Gateway({ clock });
  const given = { ...settings, baseUrl: ats.baseUrl };
  gateway.addProvider("ats", atsType.create(given, { logger: { info() {} } }));
  const sending = gateway.send(new OutgoingMessage(answering, "Hi"));
  await assert.rejects(sending, { retryAfterMs: 30 * 60_000 });
});

test("a parameter's name cannot end the element that it stands in", async () => {
  await using world = await open();
  const params = { 'a="1"><sms uniq': 1 };
  const sending = world.send(answering, "Hi", { params });
  await assert.rejects(sending, { name: "RequestError" });
  assert.deepEqual(world.ats.requests, []);
});

test("shows neither name nor password where a request fails", async () => {
  await using world = await open();
  for (const fault of [{ status: 401 }, { body: "?" }, "cut"] as const) {
    world.ats.failNext(fault);
    await assert.rejects(world.send(answering, "Hi"), (error: Error) => {
      assert.doesNotMatch(
        `${error.stack} ${JSON.stringify(error)}`,
        /pass"|pass&|tom &/,
      );
      return true;
    });
  }
});

test("hands over a text with what ATS says of it", async () => {
  await using world = await open();
  const reply = await world.ats.handOver(world.url, [example]);
  assert.equal(reply.status, 200);
  assert.match(reply.contentType ?? "", /^text\/xml/);
  assert.deepEqual(reply.codes, { "2": "23" });
  const [message] = world.received();
  assert.deepEqual(
    [message?.msgid, message?.src, message?.dst, message?.body],
    ["2", "420731545945", "9001103", "Hello"],
  );
  assert.equal(message?.rtime.toISOString(), "2006-04-10T07:32:18.000Z");
  assert.deepEqual(message?.meta, { okey: "T2", opid: "tmsms" });
});

test("answers each text of a request for itself", async () => {
  await using world = await open();
  const { attributes } = example;
  const { ts, recipient, ...withoutBoth } = attributes;
  const texts = [
    { attributes: { ...attributes, uniq: "a" }, text: "" },
    { attributes: { ...attributes, uniq: "b", sender: "" }, text: "No sender" },
    { attributes: { ...withoutBoth, uniq: "c", ts }, text: "No recipient" },
    { attributes: { ...attributes, uniq: "d", ts: "today" }, text: "No time" },
    { attributes: { ...withoutBoth, uniq: "e&f", recipient }, text: "Now" },
    { attributes: { ...attributes, uniq: "a" }, text: "Again" },
  ];
  const { codes } = await world.ats.handOver(world.url, texts);
  assert.deepEqual(codes, { a: "23", b: "24", c: "24", d: "24", "e&f": "23" });
  assert.deepEqual(
    world.received().map(({ body }) => body),
    ["", "Now"],
  );
  const nameless = [{ attributes: { ...attributes, uniq: "" }, text: "Hi" }];
  const refused = await world.ats.handOver(world.url, nameless);
  assert.match(refused.body, /<code uniq="">24<\/code>/);
});

test("refuses a text whose words are where it does not look", async () => {
  const inside = async (content: string) => {
    await using world = await open();
    const body = `<messages><sms uniq="1" sender="+420777123456" recipient="1">${content}</sms></messages>`;
    const response = await fetch(world.url, { method: "POST", body });
    const [, code] = /<code uniq="1">(\d+)</.exec(await response.text()) ?? [];
    return [code, ...world.received().map((it) => it.body)];
  };
  assert.deepEqual(await inside("Ahoj"), ["23", "Ahoj"]);
  assert.deepEqual(await inside("<body>ACME ahoj</body>"), ["23", "ACME ahoj"]);
  assert.deepEqual(await inside(""), ["23", ""]);
  assert.deepEqual(await inside("<text>Ahoj</text>"), ["24"]);
  assert.deepEqual(await inside("<body>A</body><body>B</body>"), ["24"]);
  assert.deepEqual(await inside("Ahoj<body>A</body>"), ["24"]);
  assert.deepEqual(await inside("<body><b>A</b></body>"), ["24"]);
});

test("a text that could not be kept is refused alone, and taken once it can be", async () => {
  await using world = await open();
  const texts = ["1", "2"].map((uniq) => ({
    attributes: { ...example.attributes, uniq },
    text: uniq,
  }));
  world.failNextHook();
  const first = await world.ats.handOver(world.url, texts);
  assert.equal(first.status, 200);
  assert.deepEqual(first.codes, { "1": "24", "2": "23" });
  const second = await world.ats.handOver(world.url, texts);
  assert.deepEqual(second.codes, { "1": "23", "2": "23" });
  assert.deepEqual(
    world.received().map(({ body }) => body),
    ["2", "1"],
  );
});

test("tells whoever is told of failures why a text was refused", async () => {
  const gateway = new Gateway();
  gateway.onReceive.add(() => {
    throw new Error("no room");
  });
  gateway.addProvider(
    "ats",
    atsType.create(settings, { logger: { info() {} } }),
  );
  const errors: unknown[] = [];
  const handle = gateway.receiverHandler({
    onError: (error) => void errors.push(error),
  });
  const body =
    '<messages><sms uniq="1" sender="+420777123456" recipient="1">Hi</sms></messages>';
  const answer = await handle({
    method: "POST",
    url: "/ats/im",
    headers: {},
    query: new URLSearchParams(),
    rawBody: new TextEncoder().encode(body),
  });
  assert.equal(answer.status, 200);
  assert.match(answer.body, /<code uniq="1">24<\/code>/);
  assert.doesNotMatch(answer.body, /no room/);
  assert.match(String(errors), /no room/);
});

test("takes texts from the networks that are set, from all where none is", async () => {
  for (const [allowFrom, status] of [
    [["10.0.0.0/8", "127.0.0.0/8"], 200],
    [["10.0.0.0/8", "2001:db8::/32"], 403],
    [undefined, 200],
  ] as const) {
    await using world = await open(undefined, allowFrom && { allowFrom });
    if (allowFrom === undefined) {
      const { baseUrl } = world.carrier;
      const made = atsType.create(
        { ...settings, baseUrl },
        { logger: { info() {} } },
      );
      world.gateway.addProvider("open", made);
    }
    const name = allowFrom === undefined ? "open" : "ats";
    const url = world.url.replace(/ats\/im$/, `${name}/im`);
    const reply = await world.ats.handOver(url, [example]);
    assert.equal(reply.status, status);
    assert.equal(world.received().length, status === 200 ? 1 : 0);
  }
});

test("a list of addresses has nothing else in it", () => {
  const check = atsType.schema?.allowFrom?.check ?? assert.fail();
  assert.equal(check(["10.0.0.0/8", "::1", "192.0.2.1"]), true);
  for (const wrong of ["10.0.0.0/33", "host.example", "", "10.0.0"]) {
    assert.equal(check([wrong]), false, wrong);
  }
});
