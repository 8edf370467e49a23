import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type FakeTwilioAnswer,
  type FakeTwilioOptions,
  startFakeTwilio,
} from "@carillon/testing/fake-carriers/twilio";
import { testProviderContract } from "@carillon/testing/provider-contract";
import type { ProviderError } from "../../errors.ts";
import { Gateway } from "../../gateway.ts";
import type { IncomingMessage } from "../../incoming-message.ts";
import type { MessageStatus } from "../../message-status.ts";
import { toNodeListener } from "../../node-http.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { serve } from "../../testing/serve.ts";
import type { TwilioConfig } from "./config.ts";
import { twilioType } from "./provider.ts";

const accountSid = `AC${"0".repeat(31)}1`;
const authToken = "test-auth-token";
const messagingServiceSid = `MG${"a".repeat(32)}`;
const answering = "491510000000";
const refusing = "491510000001";
const silent = "491510000002";

/** A gateway with the provider alone, its routes, and a Twilio of our own. */
async function open(
  answer?: FakeTwilioOptions["answer"],
  config: Partial<TwilioConfig> = {},
) {
  const twilio = await startFakeTwilio({
    accountSid,
    authToken,
    ...(answer && { answer }),
  });
  const gateway = new Gateway({ sendTimeoutMs: 500 });
  const statuses: MessageStatus[] = [];
  const received: IncomingMessage[] = [];
  gateway.onStatus.add((status) => void statuses.push(status));
  gateway.onReceive.add((message) => void received.push(message));
  const handler = gateway.receiverHandler({ prefix: "sms" });
  const routes = await serve(toNodeListener(handler));
  const callbackUrl = `${routes.url}/sms/twilio`;
  const { baseUrl } = twilio;
  const settings: TwilioConfig = {
    accountSid,
    authToken,
    from: "15005550006",
    callbackUrl,
    baseUrl,
    ...config,
  };
  const provider = twilioType.create(settings, { logger: { info() {} } });
  gateway.addProvider("twilio", provider);
  return {
    twilio,
    gateway,
    statuses,
    received,
    callbackUrl,
    provider,
    async [Symbol.asyncDispose]() {
      await gateway.stop();
      await routes[Symbol.asyncDispose]();
      await twilio[Symbol.asyncDispose]();
    },
  };
}

const refusal = {
  status: 400,
  body: { code: 21614, message: "'To' number is not valid", status: 400 },
};

testProviderContract("twilio", async () => {
  const world = await open(({ To }) => {
    if (To === `+${refusing}`) return refusal;
    return To === `+${silent}` ? "silence" : undefined;
  });
  const { twilio, gateway, callbackUrl } = world;
  return {
    send: (number, text) =>
      gateway.send(
        new OutgoingMessage(number, text).options({ statusReport: true }),
      ),
    arrived: () => twilio.texts.map(({ fields }) => fields.Body ?? ""),
    statuses: () => world.statuses,
    received: () => world.received,
    handOver: (number, text) =>
      twilio.handOver(`${callbackUrl}/im`, {
        MessageSid: `SM${"b".repeat(32)}`,
        From: `+${number}`,
        To: "+15005550006",
        Body: text,
      }),
    answering,
    refusing,
    silent,
    stop: () => world[Symbol.asyncDispose](),
  };
});

/** The form of one text, as Twilio got it. */
async function formOf(
  message: OutgoingMessage,
  config: Partial<TwilioConfig> = {},
): Promise<Readonly<Record<string, string>>> {
  await using world = await open(undefined, config);
  await world.gateway.send(message);
  const { StatusCallback: _, ...fields } = world.twilio.texts[0]?.fields ?? {};
  return fields;
}

test("sends what options say, in Twilio's words", async () => {
  const text = () => new OutgoingMessage("+420 777 123 456", "Hi");
  const To = "+420777123456";
  const basic = { To, Body: "Hi" };
  assert.deepEqual(await formOf(text()), { ...basic, From: "+15005550006" });
  assert.deepEqual(await formOf(text().options({ senderId: "Acme" })), {
    ...basic,
    From: "Acme",
  });
  const from = new OutgoingMessage(To, "Hi", "447700900123");
  assert.equal((await formOf(from)).From, "+447700900123");
  const short = new OutgoingMessage(To, "Hi", "12345");
  assert.equal((await formOf(short)).From, "12345");
  assert.deepEqual(await formOf(text(), { messagingServiceSid }), {
    ...basic,
    MessagingServiceSid: messagingServiceSid,
  });
  for (const [expires, seconds] of [
    [1, "60"],
    [0, "1"],
    [10_000, "36000"],
  ] as const) {
    const { ValidityPeriod } = await formOf(text().options({ expires }));
    assert.equal(ValidityPeriod, seconds);
  }
  const params = {
    MaxPrice: 0.05,
    SmartEncoded: true,
    From: "Other",
    // Whom it goes to, and what it says, is no parameter.
    To: "+15550100100",
    Body: "Bye",
  };
  assert.deepEqual(await formOf(text().params(params)), {
    ...basic,
    From: "Other",
    MaxPrice: "0.05",
    SmartEncoded: "true",
  });
});

test("asks for receipts only where they can arrive", async () => {
  for (const has of [true, false]) {
    await using world = await open();
    const { gateway, twilio, callbackUrl } = world;
    const provider = twilioType.create(
      {
        accountSid,
        authToken,
        from: "1",
        baseUrl: twilio.baseUrl,
        ...(has && { callbackUrl }),
      },
      { logger: { info() {} } },
    );
    gateway.addProvider("other", provider);
    const message = new OutgoingMessage(answering, "Hi", null, "other");
    const sent = await gateway.send(message.options({ statusReport: true }));
    assert.equal(sent.providerOptions.statusReport, has);
    assert.equal("StatusCallback" in (twilio.texts[0]?.fields ?? {}), has);
  }
});

test("uses an API key for requests where there is one", async () => {
  const apiKey = { sid: accountSid, secret: "wrong" };
  await using world = await open(undefined, { apiKey });
  const sending = world.gateway.send(new OutgoingMessage(answering, "Hi"));
  await assert.rejects(sending, { name: "AuthError", code: 20003 });
});

interface OtherAnswer {
  readonly answer: FakeTwilioAnswer;
  readonly expected: Partial<ProviderError>;
}

const answers: Readonly<Record<string, OtherAnswer>> = {
  "a limit with a time to wait": {
    answer: {
      status: 429,
      headers: { "retry-after": "7" },
      body: { code: 20429, message: "Too Many Requests" },
    },
    expected: { name: "LimitsError", retryable: true, retryAfterMs: 7000 },
  },
  "a failure without JSON": {
    answer: { status: 503, body: "<html>Sorry</html>" },
    expected: { name: "ServerError", retryable: true, code: 503 },
  },
  "a success without an id": {
    answer: { status: 201, body: {} },
    expected: { code: "INVALID_ANSWER", outcomeUnknown: true },
  },
  "a success that is cut off": {
    answer: { status: 201, body: '{"sid": "SM' },
    expected: { code: "INVALID_ANSWER", outcomeUnknown: true },
  },
  "a success that is a failure": {
    answer: {
      status: 201,
      body: { sid: "SM1", status: "failed", error_code: 30007 },
    },
    expected: { name: "RequestError", code: 30007, outcomeUnknown: false },
  },
};

for (const [name, { answer, expected }] of Object.entries(answers)) {
  test(`${name} is told as what it is`, async () => {
    await using world = await open(() => answer);
    const sending = world.gateway.send(new OutgoingMessage(answering, "Hi"));
    await assert.rejects(sending, { ...expected, provider: "twilio" });
  });
}

test("refuses calls that the account did not sign, and changes nothing", async () => {
  await using world = await open();
  const fields = new URLSearchParams({
    MessageSid: "SM1",
    MessageStatus: "delivered",
  });
  for (const signature of ["", "AAAA", "0/KCTR6DLpKmkAf8muzZqo1nDgQ="]) {
    const response = await fetch(`${world.callbackUrl}/status`, {
      method: "POST",
      headers: { "x-twilio-signature": signature },
      body: fields,
    });
    assert.equal(response.status, 403);
  }
  assert.deepEqual(world.statuses, []);
});

test("hands over statuses twice, out of order and of unknown texts", async () => {
  await using world = await open();
  const url = `${world.callbackUrl}/status`;
  const { twilio, statuses } = world;
  const more = { ErrorCode: "30003", ErrorMessage: "Unreachable" };
  assert.equal(await twilio.report(url, "SM1", "undelivered", more), 204);
  assert.equal(await twilio.report(url, "SM1", "undelivered", more), 204);
  assert.equal(await twilio.report(url, "SM1", "sent"), 204);
  assert.equal(await twilio.report(url, "SM1", "a new word"), 204);
  assert.deepEqual(
    statuses.map(({ kind, statusCode }) => [kind, statusCode]),
    [
      ["error", 30003],
      ["error", 30003],
      ["accepted", "sent"],
      ["unknown", "a new word"],
    ],
  );
  assert.deepEqual(statuses[0]?.meta, { errorMessage: "Unreachable" });
  assert.equal(await twilio.report(url, "", "sent"), 400);
});

test("a status that cannot be kept is answered so that it comes again", async () => {
  await using world = await open();
  world.gateway.onStatus.add(() => {
    throw new Error("no room");
  });
  const url = `${world.callbackUrl}/status`;
  assert.equal(await world.twilio.report(url, "SM1", "sent"), 500);
});

test("hands over pictures and our number with a text", async () => {
  await using world = await open();
  const status = await world.twilio.handOver(`${world.callbackUrl}/im`, {
    MessageSid: "MM1",
    From: "+420777123456",
    To: "+15005550006",
    Body: "",
    NumMedia: "1",
    MediaUrl0: "https://api.twilio.com/media/1",
    MediaContentType0: "image/png",
  });
  assert.equal(status, 200);
  const [message] = world.received;
  assert.deepEqual(
    [message?.src, message?.dst, message?.msgid, message?.body],
    ["420777123456", "15005550006", "MM1", ""],
  );
  assert.deepEqual(message?.meta, {
    numSegments: "1",
    media: [{ url: "https://api.twilio.com/media/1", type: "image/png" }],
  });
});

test("asks for the states of texts, and passes over those that are gone", async () => {
  await using world = await open();
  const { gateway, provider, statuses } = world;
  const sent = await gateway.send(new OutgoingMessage(answering, "Hi"));
  assert.deepEqual(statuses, []);
  const ids = [sent.msgid ?? "", `SM${"c".repeat(32)}`];
  const found = (await provider.fetchStatuses?.(ids)) ?? [];
  assert.deepEqual(
    found.map(({ msgid, kind }) => [msgid, kind]),
    [[sent.msgid, "accepted"]],
  );
});
