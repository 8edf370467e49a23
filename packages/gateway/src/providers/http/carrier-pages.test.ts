/** The carriers whose pages come with the gateway, each with a carrier behind. */

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CarrierUnderTest,
  testCarrierContract,
} from "@carillon/testing/carrier-contract";
import {
  recipient,
  startFakeAfricastalking,
} from "@carillon/testing/fake-carriers/africastalking";
import type { FakeCarrier } from "@carillon/testing/fake-carriers/fake-carrier";
import { startFakeGatewayapi } from "@carillon/testing/fake-carriers/gatewayapi";
import { startFakePswin } from "@carillon/testing/fake-carriers/pswin";
import { startFakeTelerivet } from "@carillon/testing/fake-carriers/telerivet";
import { startFakeVianett } from "@carillon/testing/fake-carriers/vianett";
import { startFakeYunpian } from "@carillon/testing/fake-carriers/yunpian";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { numbers, openCarrierWorld } from "../../testing/carrier-world.ts";
import { carrierPageTypes } from "./carrier-pages.ts";

const { answering, refusing, silent } = numbers;
const from = "447700900123";

/** A world of a page, its settings, and a carrier. */
async function openPage(
  name: string,
  carrier: FakeCarrier,
  settings: Readonly<Record<string, string>>,
) {
  const type = carrierPageTypes.find((it) => it.type === name);
  assert.ok(type);
  return await openCarrierWorld({
    type,
    carrier,
    settings: (urls) => ({ ...urls, ...settings }),
  });
}

/** What a fake answers to numbers that stand for something. */
function answerTo<T>(number: unknown, refusal: T): T | "silence" | undefined {
  const digits = String(number).replace(/\D/g, "");
  if (digits === refusing) return refusal;
  return digits === silent ? "silence" : undefined;
}

type State = "accepted" | "delivered" | "failed";

const noUnicode = "The carrier's calls are in ISO-8859-1.";

async function openPswin() {
  let url = "";
  const pswin = await startFakePswin({
    user: "acme",
    password: "secret",
    statusUrl: () => `${url}/status`,
    answer: ({ RCV }) => answerTo(RCV, { body: "3 Unknown receiver" }),
  });
  const settings = { user: "acme", password: "secret", from };
  const world = await openPage("pswin", pswin, settings);
  url = world.callbackUrl;
  const states = {
    accepted: "ACCEPTD",
    delivered: "DELIVRD",
    failed: "UNDELIV",
  };
  const handOver = (number: string, text: string) =>
    callLatin(`${url}/im`, { SND: number, RCV: "2077", TXT: text });
  return Object.assign(world, {
    pswin,
    arrived: () => pswin.texts.map(({ text }) => text),
    fields: () => pswin.texts.at(-1)?.fields ?? {},
    handOver,
    calls: {
      urls: [`${url}/status`, `${url}/im`],
      report: (msgid: string, state: State) =>
        pswin.report(`${url}/status`, msgid, states[state]),
      handOver,
    },
  });
}

testCarrierContract("pswin", openPswin, {
  secrets: ["secret"],
  quote: (words) => ({ body: `3 ${words}` }),
  skip: { "hands over texts from phones": noUnicode },
  wishes: [
    {
      title: "sends what ISO-8859-1 holds as it is",
      text: "Grüße",
      fields: { TXT: "Grüße", CT: "1", HEX: undefined, SND: from },
    },
    {
      title: "sends anything else as hexadecimal UTF-16",
      text: "Ž€",
      fields: { TXT: undefined, CT: "9", HEX: "017D20AC" },
    },
    {
      title: "asks for a report",
      fields: { RCPREQ: "Y" },
    },
    {
      title: "asks for no report",
      options: { statusReport: false },
      fields: { RCPREQ: undefined },
    },
    {
      title: "lets raw parameters say all but whom and what",
      params: {
        ...{ SND: "2077", NET: "x", RCV: "1", TXT: "no", USER: "evil" },
        ...{ rcv: "1", txt: "no", hex: "006E", "Rcv[]": "1", pw: "x" },
      },
      fields: {
        ...{ SND: "2077", NET: "x", RCV: answering, TXT: "Hi", USER: "acme" },
        ...{ rcv: undefined, txt: undefined, hex: undefined },
        ...{ "Rcv[]": undefined, pw: undefined, PW: "secret" },
      },
    },
  ],
  refusals: [
    {
      title: "a wrong password within a success",
      answer: { body: "1 Invalid username or password" },
      error: "MessageSendError",
      retryable: false,
    },
  ],
  unreadable: {
    "begins with no number": { body: "OK 4A4B0034DB" },
    "has a number that none of its codes is": { body: "1000000 What" },
  },
});

async function openVianett(more: Readonly<Record<string, string>> = {}) {
  let url = "";
  const vianett = await startFakeVianett({
    username: "acme",
    password: "secret",
    statusUrl: () => `${url}/status`,
    answer: ({ tel }) =>
      answerTo(tel, {
        headers: { "content-type": "text/xml" },
        body: '<ack refno="0" errorcode="113">Bad number</ack>',
      }),
  });
  const settings = { username: "acme", password: "secret", from, ...more };
  const world = await openPage("vianett", vianett, settings);
  url = world.callbackUrl;
  const states = {
    accepted: "BUFFERD",
    delivered: "DELIVRD",
    failed: "UNDELIV",
  };
  const handOver = (number: string, message: string) =>
    callLatin(`${url}/im`, {
      sourceaddr: number,
      destinationaddr: "2077",
      message,
      refno: "8",
    });
  return Object.assign(world, {
    vianett,
    arrived: () => vianett.texts.map(({ fields }) => fields.msg ?? ""),
    fields: () => vianett.texts.at(-1)?.fields ?? {},
    handOver,
    calls: {
      urls: [`${url}/status`, `${url}/im`],
      report: async (msgid: string, state: State) =>
        (await vianett.report(`${url}/status`, msgid, states[state])).status,
      handOver,
    },
  });
}

testCarrierContract("vianett", () => openVianett(), {
  unreadable: {
    "has a word for a code": {
      headers: { "content-type": "text/xml" },
      body: '<ack refno="7" errorcode="OK">Sent</ack>',
    },
  },
  secrets: ["secret"],
  quote: (words) => ({
    headers: { "content-type": "text/xml" },
    body: `<ack refno="" errorcode="106">${words}</ack>`,
  }),
  skip: {
    "hands over texts from phones": noUnicode,
    "carries every script as it was written": "It takes ISO-8859-1 only.",
  },
  wishes: [
    {
      title: "sends from a number",
      fields: {
        tel: answering,
        msg: "Hi",
        SenderAddress: from,
        SenderAddressType: "1",
        Priority: undefined,
        ReplyPathValue: "1440",
      },
    },
    {
      title: "sends from a short code",
      from: "2077",
      fields: { SenderAddress: "2077", SenderAddressType: "2" },
    },
    {
      title: "sends from a name, in haste, and wants no reply",
      options: { senderId: "Acme", escalate: true, allowReply: false },
      fields: {
        SenderAddress: "Acme",
        SenderAddressType: "5",
        Priority: "1",
        ReplyPathValue: undefined,
      },
    },
    {
      title: "lets no raw parameter say whom, whose, or what",
      params: { Tel: "1", MSG: "no", UserName: "evil", msgid: "1", note: "a" },
      fields: {
        ...{ tel: answering, msg: "Hi", username: "acme", note: "a" },
        ...{ Tel: undefined, MSG: undefined, UserName: undefined },
      },
    },
  ],
  refusals: (
    [
      [106, "Wrong username or password", "AuthError"],
      [107, "Not enough credits", "CreditError"],
      [113, "Bad number", "RequestError"],
    ] as const
  ).map(([code, words, error]) => ({
    title: `errorcode ${code} within a success`,
    answer: {
      headers: { "content-type": "text/xml" },
      body: `<ack refno="" errorcode="${code}">${words}</ack>`,
    },
    error,
    retryable: false,
  })),
});

const gatewayapiSecret = "jwt-secret";

async function openGatewayapi() {
  let url = "";
  const gatewayapi = await startFakeGatewayapi({
    token: "token",
    secret: gatewayapiSecret,
    callbackUrl: () => `${url}/callback`,
    answer: ({ recipients }) =>
      answerTo(recipients[0]?.msisdn, {
        status: 422,
        body: { code: "0x0213", message: "Invalid %1", variables: ["msisdn"] },
      }),
  });
  const settings = { token: "token", secret: gatewayapiSecret, from };
  const world = await openPage("gatewayapi", gatewayapi, settings);
  url = world.callbackUrl;
  const states = {
    accepted: "ENROUTE",
    delivered: "DELIVERED",
    failed: "UNDELIVERABLE",
  };
  const status = { id: 7, status: "DELIVERED" };
  const handOver = (number: string, message: string) =>
    gatewayapi.call(`${url}/callback`, {
      id: 1000001,
      msisdn: Number(number),
      receiver: 451204,
      message,
      senttime: 1450000000,
    });
  return Object.assign(world, {
    arrived: () => gatewayapi.texts.map(({ message }) => message),
    fields: () => {
      const { recipients, ...others } = gatewayapi.texts.at(-1) ?? {};
      return { ...others, recipients: JSON.stringify(recipients) } as Record<
        string,
        string
      >;
    },
    handOver,
    calls: {
      urls: [`${url}/callback`],
      report: (msgid: string, state: State) =>
        gatewayapi.report(`${url}/callback`, msgid, states[state]),
      handOver,
      forged: {
        "without a token": () => callJson(`${url}/callback`, status, {}),
        "with a token of another key": () =>
          gatewayapi.call(`${url}/callback`, status, "another"),
        "with a token that says there is no signature": () =>
          callJson(`${url}/callback`, status, {
            "x-gwapi-signature": "eyJhbGciOiJub25lIn0.e30.",
          }),
      },
    },
  });
}

testCarrierContract("gatewayapi", openGatewayapi, {
  secrets: ["token", gatewayapiSecret],
  quote: (message) => ({ status: 422, body: { code: "0x0213", message } }),
  wishes: [
    {
      title: "sends to a number as a number",
      fields: {
        message: "Hi",
        recipients: `[{"msisdn":${answering}}]`,
        sender: from,
        class: undefined,
        validity_period: undefined,
      },
    },
    {
      title: "sends in haste, from a name, for a while",
      options: { escalate: true, senderId: "Acme", expires: 5 },
      text: "Ž",
      fields: { sender: "Acme", class: "premium", encoding: "UCS2" },
    },
  ],
  refusals: (
    [
      [400, "0x0216", "CreditError"],
      [400, "0x1092", "CreditError"],
      [400, "0x0200", "RequestError"],
      [400, "0x0311", "RequestError"],
      [403, "0x0001", "AuthError"],
      [418, "0x0312", "MessageSendError"],
    ] as const
  ).map(([status, code, error]) => ({
    title: `${code} with HTTP ${status}`,
    answer: { status, body: { code, message: "No", variables: [] } },
    error,
    retryable: false,
  })),
});

test("gatewayapi puts the values into what it says", async () => {
  await using world = await openGatewayapi();
  await assert.rejects(world.send(refusing, "Hi"), {
    code: "0x0213",
    message: "GatewayAPI refused the text: Invalid msisdn",
  });
});

async function openTelerivet() {
  let url = "";
  const telerivet = await startFakeTelerivet({
    apiKey: "key",
    projectId: "PJ1",
    answer: ({ to_number }) =>
      answerTo(to_number, {
        status: 400,
        body: { error: { code: "invalid_param", message: "Invalid number" } },
      }),
  });
  const settings = { apiKey: "key", projectId: "PJ1", secret: "s3cret" };
  const world = await openPage("telerivet", telerivet, settings);
  url = world.callbackUrl;
  const states = {
    accepted: "sent",
    delivered: "delivered",
    failed: "not_delivered",
  };
  const report = (id: string, state: State, secret = "s3cret") =>
    telerivet.call(`${url}/status`, {
      event: "send_status",
      id,
      status: states[state],
      secret,
    });
  const handOver = (number: string, content: string) =>
    telerivet.call(`${url}/im`, {
      event: "incoming_message",
      id: "SM8",
      from_number: `+${number}`,
      to_number: "+15005550006",
      content,
      time_created: "1450000000",
      secret: "s3cret",
    });
  return Object.assign(world, {
    arrived: () => telerivet.texts.map(({ content }) => String(content)),
    fields: () => telerivet.texts.at(-1) as Record<string, string>,
    handOver,
    calls: {
      urls: [`${url}/status`, `${url}/im`],
      report: (msgid: string, state: State) => report(msgid, state),
      handOver,
      forged: {
        "with a wrong secret": () => report("1", "delivered", "s3cres"),
        "with no secret": () => report("1", "delivered", ""),
      },
    },
  });
}

testCarrierContract("telerivet", openTelerivet, {
  secrets: ["s3cret"],
  quote: (message) => ({
    status: 400,
    body: { error: { code: "invalid_param", message } },
  }),
  wishes: [
    {
      title: "asks for reports with the secret",
      fields: {
        to_number: `+${answering}`,
        content: "Hi",
        status_secret: "s3cret",
        route_id: undefined,
      },
    },
    {
      title: "asks for no reports",
      options: { statusReport: false },
      params: { priority: "2" },
      fields: { status_url: undefined, priority: "2" },
    },
    {
      title: "lets no raw parameter say whom, what, or where to report",
      params: {
        TO_NUMBER: "+1",
        Content: "no",
        contact_id: "CT1",
        "media_urls[]": "https://a.example/x.png",
        Status_URL: "https://a.example",
        status_secret: "x",
        route_id: "PN1",
      },
      fields: {
        to_number: `+${answering}`,
        content: "Hi",
        status_secret: "s3cret",
        TO_NUMBER: undefined,
        Content: undefined,
        contact_id: undefined,
        "media_urls[]": undefined,
        Status_URL: undefined,
        route_id: undefined,
      },
    },
  ],
  refusals: [
    {
      title: "a wrong parameter",
      answer: {
        status: 400,
        body: { error: { code: "invalid_param", message: "No" } },
      },
      error: "RequestError",
      retryable: false,
    },
  ],
});

async function openAfricastalking() {
  let url = "";
  const africastalking = await startFakeAfricastalking({
    username: "acme",
    apiKey: "key",
    statusUrl: () => `${url}/status`,
    answer: ({ to = "" }) =>
      answerTo(to, recipient(to, 403, "InvalidPhoneNumber")),
  });
  const settings = { username: "acme", apiKey: "key", from: "ACME" };
  const world = await openPage("africastalking", africastalking, settings);
  url = world.callbackUrl;
  const states = {
    accepted: "Buffered",
    delivered: "Success",
    failed: "Rejected",
  };
  const handOver = (number: string, text: string) =>
    africastalking.call(`${url}/im`, {
      from: `+${number}`,
      to: "22334",
      text,
      id: "7",
      date: "2026-01-01 10:00:00",
      linkId: "SampleLinkId123",
    });
  return Object.assign(world, {
    arrived: () => africastalking.texts.map(({ message }) => message ?? ""),
    fields: () => africastalking.texts.at(-1) ?? {},
    handOver,
    calls: {
      urls: [`${url}/status`, `${url}/im`],
      report: (id: string, state: State) =>
        africastalking.call(`${url}/status`, { id, status: states[state] }),
      handOver,
    },
  });
}

const takenWithoutCode = {
  status: 201,
  body: {
    SMSMessageData: {
      Message: "Sent to 1/1 Total Cost: KES 0.8000",
      Recipients: [{ status: "Success", messageId: "ATXid_1" }],
    },
  },
};

testCarrierContract("africastalking", openAfricastalking, {
  unreadable: {
    "says that it was taken, without a code": takenWithoutCode,
    "has a code that nobody knows": recipient("+1", 499, "New") as object,
  },
  secrets: ["acme"],
  quote: (words) => recipient("+1", 403, words) as object,
  wishes: [
    {
      title: "sends from the configured name",
      fields: { to: `+${answering}`, message: "Hi", from: "ACME" },
    },
  ],
  refusals: [
    ...(
      [
        [401, "UnsupportedError", false],
        [402, "RequestError", false],
        [403, "RequestError", false],
        [404, "UnsupportedError", false],
        [405, "CreditError", false],
        [406, "RequestError", false],
        [407, "UnsupportedError", false],
        [409, "RequestError", false],
        [500, "ServerError", true],
        [501, "ServerError", true],
        [502, "ServerError", true],
      ] as const
    ).map(([code, error, retryable]) => ({
      title: `statusCode ${code} within a success`,
      answer: recipient("+1", code, "No") as object,
      error,
      retryable,
    })),
    {
      title: "a success without recipients",
      answer: {
        status: 201,
        body: {
          SMSMessageData: { Message: "InvalidSenderId", Recipients: [] },
        },
      },
      error: "RequestError",
      retryable: false,
    },
  ],
});

testCarrierContract(
  "yunpian",
  async () => {
    const yunpian = await startFakeYunpian({
      apiKey: "yunpian-key",
      answer: ({ mobile }) =>
        answerTo(mobile, {
          status: 400,
          body: { code: 2, msg: "Invalid mobile" },
        }),
    });
    const settings = { apiKey: "yunpian-key" };
    const world = await openPage("yunpian", yunpian, settings);
    return Object.assign(world, {
      arrived: () => yunpian.texts.map(({ text }) => text ?? ""),
      fields: () => yunpian.texts.at(-1) ?? {},
      handOver: async () => {},
    });
  },
  {
    secrets: ["yunpian-key"],
    quote: (msg) => ({ status: 400, body: { code: 2, msg } }),
    skip: {
      "reports what became of a text by its id": "It reports nothing.",
      "hands over texts from phones": "It takes none.",
    },
    wishes: [
      {
        title: "sends by a form",
        fields: { apikey: "yunpian-key", mobile: `+${answering}`, text: "Hi" },
      },
    ],
    refusals: [
      {
        title: "a code within a success",
        answer: { body: { code: 22, msg: "Too often" } },
        error: "MessageSendError",
        retryable: false,
      },
    ],
  } satisfies Parameters<typeof testCarrierContract>[2],
);

test("yunpian puts the signature before a text", async () => {
  const yunpian = await startFakeYunpian({ apiKey: "key" });
  const settings = { apiKey: "key", signature: "【Acme】" };
  await using world = await openPage("yunpian", yunpian, settings);
  await world.send(answering, "Hi");
  assert.deepEqual(
    yunpian.texts.map(({ text }) => text),
    ["【Acme】Hi"],
  );
});

test("vianett refuses what ISO-8859-1 lacks before anything is sent", async () => {
  await using world = await openVianett();
  await assert.rejects(world.send(answering, "Ž"), {
    name: "UnsupportedError",
    outcomeUnknown: false,
  });
  assert.deepEqual(world.carrier.requests, []);
});

test("pswin expects no receipt of a text that it gave no reference", async () => {
  await using world = await openPswin();
  const reportsOf = async () => {
    const text = new OutgoingMessage(answering, "Hi");
    const sent = await world.gateway.send(text.options({ statusReport: true }));
    return sent.providerOptions.statusReport;
  };
  assert.equal(await reportsOf(), true);
  world.carrier.failNext({ body: "0 OK" });
  assert.equal(await reportsOf(), false);
});

test("telerivet's own status is kept, not that of HTTP", async () => {
  await using world = await openTelerivet();
  world.carrier.failNext({ body: { id: "SM1", status: "queued" } });
  const text = new OutgoingMessage(answering, "Hi");
  const { meta } = await world.gateway.send(text);
  assert.deepEqual(meta, { status: "queued" });
});

test("vianett's prefix stands before a text, or beside it", async () => {
  for (const [usePrefix, body] of [
    [undefined, "STOP all"],
    ["false", "STOP all"],
    ["true", "all"],
  ] as const) {
    await using world = await openVianett(usePrefix && { usePrefix });
    const sourceaddr = "4790000000";
    const call = { sourceaddr, prefix: "STOP", message: "all", refno: "8" };
    await callLatin(`${world.callbackUrl}/im`, call);
    const [received] = world.received();
    assert.deepEqual(
      [received?.body, received?.meta],
      [body, { prefix: "STOP" }],
    );
  }
});

test("pswin gives a text an id of ours where it has none", async () => {
  await using world = await openPswin();
  const options = { statusReport: false };
  const ids = new Set<string | null>();
  for (let n = 0; n < 3; n++) {
    ids.add((await world.send(answering, "Hi", { options })).msgid);
  }
  assert.equal(ids.size, 3);
});

test("texts from phones are read as ISO-8859-1 where carriers write it", async () => {
  for (const open of [openPswin, openVianett]) {
    await using world: CarrierUnderTest & AsyncDisposable = await open();
    await world.handOver("4790000000", "Grüße & Küsse");
    assert.deepEqual(
      world.received().map(({ src, body }) => [src, body]),
      [["4790000000", "Grüße & Küsse"]],
    );
  }
});

test("vianett is answered with its own reference", async () => {
  await using world = await openVianett();
  const { vianett, callbackUrl } = world;
  const answer = await vianett.report(
    `${callbackUrl}/status`,
    '1"<2',
    "DELIVRD",
  );
  assert.equal(
    answer.body,
    '<?xml version="1.0"?><ack refno="1&#34;&#60;2" errorcode="0" />',
  );
  for (const [fields, kind] of [
    [{ ErrorCode: "200" }, "delivered"],
    [{ ErrorCode: "204", ErrorDescription: "Late", Status: "S" }, "error"],
    [{ errorcode: "0" }, "delivered"],
    [{ errorcode: "1" }, "error"],
  ] as const) {
    const call = { requesttype: "mtstatus", refno: "5", ...fields };
    await vianett.call(`${callbackUrl}/status`, call as Record<string, string>);
    assert.equal(world.statuses().at(-1)?.kind, kind);
  }
});

async function callLatin(
  url: string,
  fields: Readonly<Record<string, string>>,
): Promise<number> {
  const query = Object.entries(fields)
    .map(([name, value]) => `${name}=${escape(value)}`)
    .join("&");
  return (await fetch(`${url}?${query.replaceAll("+", "%2B")}`)).status;
}

async function callJson(
  url: string,
  body: object,
  headers: Readonly<Record<string, string>>,
): Promise<number> {
  const init = { method: "POST", headers, body: JSON.stringify(body) };
  return (await fetch(url, init)).status;
}
