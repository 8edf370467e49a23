import assert from "node:assert/strict";
import { test } from "node:test";
import { testCarrierContract } from "@carillon/testing/carrier-contract";
import {
  type FakeClickatellHttpOptions,
  startFakeClickatellHttp,
} from "@carillon/testing/fake-carriers/clickatell-http";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { numbers, openCarrierWorld } from "../../testing/carrier-world.ts";
import { clickatellHttpType } from "./provider.ts";

const account = { apiId: "3442105", user: "acme", password: "test-password" };
const { answering, refusing, silent } = numbers;
const states = { accepted: 3, delivered: 4, failed: 7 } as const;

/** A gateway with the provider alone, its routes, and a Clickatell of our own. */
async function open(
  answer?: FakeClickatellHttpOptions["answer"],
  config: object = {},
) {
  const clickatell = await startFakeClickatellHttp({
    ...account,
    ...(answer && { answer }),
  });
  const world = await openCarrierWorld({
    type: clickatellHttpType,
    carrier: clickatell,
    settings: (urls) => ({
      ...account,
      from: "12027530410",
      ...urls,
      ...config,
    }),
  });
  const statusUrl = `${world.callbackUrl}/status`;
  const imUrl = `${world.callbackUrl}/im`;
  clickatell.setCallback(statusUrl);
  return Object.assign(world, { clickatell, statusUrl, imUrl });
}

function line(body: string) {
  return { headers: { "content-type": "text/html" }, body };
}

testCarrierContract(
  "clickatell-http",
  async () => {
    const world = await open(({ to }) => {
      if (to === refusing) return "ERR: 105, Invalid Destination Address";
      return to === silent ? "silence" : undefined;
    });
    const { clickatell, statusUrl, imUrl } = world;
    const handOver = (from: string, text: string) =>
      clickatell.handOver(imUrl, { from, to: "12027530410", text });
    return Object.assign(world, {
      arrived: () => clickatell.texts.map(({ text }) => text),
      fields: () => clickatell.texts.at(-1)?.fields ?? {},
      handOver,
      calls: {
        urls: [statusUrl, imUrl],
        report: (msgid: string, state: keyof typeof states) =>
          clickatell.report(statusUrl, msgid, states[state]),
        handOver,
        forged: {
          "a status of another API": () =>
            clickatell.report(statusUrl, "1", 4, { api_id: "3442106" }),
          "a text of another API": () =>
            clickatell.handOver(imUrl, {
              from: answering,
              to: "1",
              text: "Hi",
              api_id: "34421050",
            }),
        },
      },
    });
  },
  {
    secrets: [account.password],
    quote: (words) => ({ body: `ERR: 001, ${words}` }),
    wishes: [
      {
        title: "shows who it is, and sends from the configured number",
        fields: {
          api_id: "3442105",
          user: "acme",
          password: "test-password",
          to: answering,
          text: "Hi",
          from: "12027530410",
          unicode: undefined,
          concat: undefined,
          escalate: undefined,
          validity: undefined,
          mo: "1",
          deliv_ack: "1",
          callback: "3",
          req_feat: String(1 + 32 + 8192),
        },
      },
      {
        title: "sends from a name, which wins over a number",
        from: "+447700900123",
        options: { senderId: "Acme", statusReport: false },
        fields: {
          from: "Acme",
          deliv_ack: undefined,
          callback: undefined,
          req_feat: String(1 + 16),
        },
      },
      {
        title: "sends from another number, without its plus",
        from: "+447700900123",
        fields: { from: "447700900123" },
      },
      {
        title:
          "says that a text is urgent, that no reply is wanted, and its life",
        options: { escalate: true, allowReply: false, expires: 5 },
        fields: { escalate: "1", mo: undefined, validity: "5" },
      },
      {
        title: "says the shortest time for one that is over",
        options: { expires: 0 },
        fields: { validity: "1" },
      },
      {
        title: "says the longest time that Clickatell takes",
        options: { expires: 10_000 },
        fields: { validity: "1440" },
      },
      {
        title: "sends what GSM-7 holds as it is",
        text: "Gr\u00fc\u00dfe @ \u20ac5 {\u0394}",
        fields: {
          text: "Gr\u00fc\u00dfe @ \u20ac5 {\u0394}",
          unicode: undefined,
        },
      },
      {
        title: "sends what GSM-7 lacks in hexadecimal UTF-16",
        text: "\u017d\ud83d\ude00",
        fields: {
          text: "017dd83dde00",
          unicode: "1",
          concat: undefined,
          req_feat: String(1 + 8 + 32 + 8192),
        },
      },
      {
        title: "says how many parts a text takes",
        text: "a".repeat(307),
        fields: { concat: "3", req_feat: String(1 + 32 + 8192 + 16384) },
      },
      {
        title: "counts what takes two septets",
        text: "\u20ac".repeat(153),
        fields: { concat: "3" },
      },
      {
        title: "says how many parts a text of UTF-16 takes",
        text: "\u0451".repeat(135),
        fields: { concat: "3", req_feat: String(1 + 8 + 32 + 8192 + 16384) },
      },
      {
        title: "lets raw parameters say all but whom, what, and who pays",
        params: {
          cliMsgId: "our-7",
          deliv_time: 15,
          msg_type: "SMS_FLASH",
          from: "4477",
          mo: false,
          escalate: true,
          callback: null,
          to: "15550100100",
          text: "Bye",
          TO: "15550100100",
          unicode: 1,
          api_id: "7",
          user: "x",
          password: "x",
          session_id: "x",
        },
        fields: {
          to: answering,
          text: "Hi",
          unicode: undefined,
          api_id: "3442105",
          user: "acme",
          password: "test-password",
          session_id: undefined,
          TO: undefined,
          cliMsgId: "our-7",
          deliv_time: "15",
          from: "4477",
          mo: "0",
          escalate: "1",
          callback: undefined,
          req_feat: String(1 + 32 + 512 + 8192),
        },
      },
      {
        title: "takes the features that are asked for",
        params: { req_feat: 48 },
        fields: { req_feat: "48" },
      },
    ],
    refusals: [
      {
        title: "a refusal within a success",
        answer: line("ERR: 301, No Credit Left"),
        error: "CreditError",
        retryable: false,
      },
      {
        title: "a refusal in another status",
        answer: { status: 500, body: "ERR: 122, Destination opted out" },
        error: "MessageSendError",
        retryable: false,
      },
      {
        title: "a session that is none",
        answer: line("ERR: 003, Session ID expired"),
        error: "RequestError",
        retryable: false,
      },
      {
        title: "a code that nobody knows",
        answer: line("ERR: 999, What is this"),
        error: "ProviderError",
        retryable: false,
      },
      {
        title: "a route that is not there now, with a time to wait",
        answer: {
          headers: { "content-type": "text/html", "retry-after": "4" },
          body: "ERR: 114, Cannot route message",
        },
        error: "ServerError",
        retryable: true,
        retryAfterMs: 4000,
      },
    ],
    unreadable: {
      "has no id": line("ID: "),
      "has an id that is a page": line("ID: <br>\n<html>It works!</html>"),
      "is an error without a number": line("ERR: something"),
      "is another method's": line("Credit: 12.5"),
    },
  },
);

test("waits for receipts only where they arrive", async () => {
  for (const has of [true, false]) {
    await using world = await open();
    const { gateway, clickatell, callbackUrl } = world;
    const { baseUrl } = clickatell;
    const provider = clickatellHttpType.create(
      { ...account, baseUrl: `${baseUrl}/`, ...(has && { callbackUrl }) },
      { logger: { info() {} } },
    );
    gateway.addProvider("other", provider);
    const message = new OutgoingMessage(answering, "Hi", null, "other");
    const sent = await gateway.send(message.options({ statusReport: true }));
    assert.equal(sent.providerOptions.statusReport, has);
    assert.equal("deliv_ack" in (clickatell.texts[0]?.fields ?? {}), has);
    // Without a sender, none is asked for.
    const features = 1 + (has ? 8192 : 0);
    assert.equal(clickatell.texts[0]?.fields.req_feat, String(features));
  }
});

test("shows no password in an error", async () => {
  const { password } = account;
  await using world = await open(() => `ERR: 001, Not ${password}: go away`);
  const sending = world.gateway.send(new OutgoingMessage(answering, "Hi"));
  await assert.rejects(sending, (error: Error) => {
    assert.equal(error.name, "AuthError");
    assert.match(error.message, /Not \*\*\*: go away/);
    return true;
  });
});

test("waits until the time that a limit names", async () => {
  const until = Math.ceil(Date.now() / 1000) + 86_400;
  await using world = await open(
    () => `ERR: 130, Maximum MT limit exceeded until ${until}`,
  );
  const sending = world.gateway.send(new OutgoingMessage(answering, "Hi"));
  const before = until * 1000 - Date.now();
  await assert.rejects(sending, (error: Error) => {
    assert.ok("retryAfterMs" in error);
    const waitMs = Number(error.retryAfterMs);
    assert.ok(waitMs > 0 && waitMs <= before, String(waitMs));
    return true;
  });
});

test("takes an id that names its recipient", async () => {
  await using world = await open(() => `ID: 0a1b2c To: ${answering}`);
  const message = new OutgoingMessage(answering, "Hi");
  const { msgid, meta } = await world.gateway.send(message);
  assert.deepEqual([msgid, meta], ["0a1b2c", null]);
});

test("says how many credits are left", async () => {
  await using world = await open();
  const { provider, clickatell } = world;
  assert.deepEqual(await provider.fetchBalance?.(), { amount: 120.35 });
  clickatell.failNext(line("Credit: -1.00"));
  assert.deepEqual(await provider.fetchBalance?.(), { amount: -1 });
  for (const wrong of ["Credit: ", "Credit: 1.2.3", "Credit: x", "ID: 7"]) {
    clickatell.failNext(line(wrong));
    await assert.rejects(async () => await provider.fetchBalance?.(), {
      name: "MessageSendError",
    });
  }
  clickatell.failNext(line("ERR: 007, IP Lockdown violation"));
  await assert.rejects(async () => await provider.fetchBalance?.(), {
    name: "AuthError",
    code: 7,
  });
});

test("reads texts in their charset, from a query and from a body", async () => {
  await using world = await open();
  const { clickatell, imUrl } = world;
  const cases = [
    ["ISO-8859-1", "Gr\u00fc\u00dfe + 100 %41 & more"],
    ["UTF-8", "P\u0159\u00edli\u0161 \u20ac"],
    ["UTF-16BE", "\u041f\u0440\u0438\u0432\u0435\u0442 \ud83d\udc4b & +"],
  ] as const;
  for (const method of ["GET", "POST"] as const) {
    for (const [charset, text] of cases) {
      const fields = { from: "+49 151", to: "12345", moMsgId: "m1", text };
      const how = { method, charset };
      assert.equal(await clickatell.handOver(imUrl, fields, how), 200);
      const message = world.received().at(-1);
      assert.deepEqual(
        [message?.body, message?.src, message?.dst, message?.msgid],
        [text, "49151", "12345", "m1"],
      );
      // 09:43:50 at GMT+2.
      assert.equal(message?.rtime.toISOString(), "2008-08-06T07:43:50.000Z");
      assert.deepEqual(message?.meta, { api_id: "3442105", charset, udh: "" });
    }
  }
});

test("hands on statuses, and answers OK", async () => {
  await using world = await open();
  const { clickatell, statusUrl } = world;
  const fields = {
    api_id: "3442105",
    from: "12027530410",
    to: answering,
    charge: "0.300000",
  };
  for (const method of ["GET", "POST"] as const) {
    for (const named of [
      { moMsgId: "m1" },
      { apiMsgId: "m1", cliMsgId: "7" },
    ]) {
      const answer = await clickatell.call(
        statusUrl,
        { ...fields, ...named, status: "004" },
        method,
      );
      assert.deepEqual(answer, { status: 200, body: "OK" });
      const status = world.statuses().at(-1);
      assert.deepEqual(
        [status?.msgid, status?.kind, status?.statusCode, status?.status],
        ["m1", "delivered", 4, "The recipient has the text."],
      );
      assert.deepEqual(status?.meta, {
        status: 4,
        api_id: "3442105",
        charge: 0.3,
        ...("cliMsgId" in named && { cliMsgId: "7" }),
      });
    }
  }
  assert.equal(await clickatell.report(statusUrl, "m2", 77), 200);
  const unknown = world.statuses().at(-1);
  assert.deepEqual([unknown?.kind, unknown?.statusCode], ["unknown", 77]);
});

test("takes the query's word where the body has another", async () => {
  await using world = await open();
  const { clickatell, statusUrl } = world;
  const url = `${statusUrl}?moMsgId=from-query&status=7#status=9`;
  assert.equal(await clickatell.report(url, "from-body", 4), 200);
  const [status] = world.statuses();
  assert.deepEqual([status?.msgid, status?.kind], ["from-query", "error"]);
});

test("refuses calls that lack a field or have a wrong one", async () => {
  await using world = await open();
  const { clickatell, statusUrl, imUrl } = world;
  const status = {
    api_id: "3442105",
    moMsgId: "m1",
    from: "1",
    to: "2",
    status: "004",
    charge: "1",
  };
  const im = {
    api_id: "3442105",
    moMsgId: "m1",
    from: "1",
    to: "2",
    timestamp: "2008-08-06 09:43:50",
    charset: "UTF-8",
    udh: "",
    text: "Hi",
  };
  const wrong: [string, Record<string, string>, string][] = [
    [statusUrl, { ...status, status: "x" }, "status"],
    [statusUrl, { ...status, status: "4.5" }, "status"],
    [statusUrl, { ...status, charge: "free" }, "charge"],
    [imUrl, { ...im, timestamp: "2008-02-30 09:43:50" }, "timestamp"],
    [imUrl, { ...im, timestamp: "yesterday" }, "timestamp"],
    [imUrl, { ...im, timestamp: "" }, "timestamp"],
  ];
  for (const [url, fields] of [
    [statusUrl, status],
    [imUrl, im],
  ] as const) {
    for (const name of Object.keys(fields)) {
      const others = Object.entries(fields).filter(([it]) => it !== name);
      // Where neither of its names is there, the other one is named.
      const named = url === statusUrl && name === "moMsgId" ? "MsgId" : name;
      wrong.push([url, Object.fromEntries(others), named]);
    }
  }
  for (const [url, fields, name] of wrong) {
    const answer = await clickatell.call(url, fields);
    assert.equal(answer.status, 400, `${name}: ${answer.body}`);
    assert.match(answer.body, new RegExp(name));
  }
  assert.deepEqual([...world.statuses(), ...world.received()], []);
  assert.equal((await clickatell.call(imUrl, im)).status, 200);
});
