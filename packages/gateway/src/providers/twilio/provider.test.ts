import assert from "node:assert/strict";
import { test } from "node:test";
import { testCarrierContract } from "@carillon/testing/carrier-contract";
import {
  type FakeTwilioOptions,
  startFakeTwilio,
} from "@carillon/testing/fake-carriers/twilio";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { numbers, openCarrierWorld } from "../../testing/carrier-world.ts";
import type { TwilioConfig } from "./config.ts";
import { twilioType } from "./provider.ts";
import { knownCodes } from "./status.ts";

const accountSid = `AC${"0".repeat(31)}1`;
const authToken = "test-auth-token";
const messagingServiceSid = `MG${"a".repeat(32)}`;
const { answering, refusing, silent } = numbers;

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
  const world = await openCarrierWorld({
    type: twilioType,
    carrier: twilio,
    settings: (urls) => ({
      accountSid,
      authToken,
      from: "15005550006",
      ...urls,
      ...config,
    }),
  });
  return Object.assign(world, { twilio });
}

/** Calls with a form that bears this signature. */
async function callWith(
  url: string,
  signature: string,
  fields: Readonly<Record<string, string>>,
): Promise<number> {
  const { status } = await fetch(url, {
    method: "POST",
    headers: { "x-twilio-signature": signature },
    body: new URLSearchParams(fields),
  });
  return status;
}

testCarrierContract(
  "twilio",
  async () => {
    const world = await open(({ To }) => {
      if (To === `+${refusing}`) {
        return { status: 400, body: { code: 21614, message: "No mobile" } };
      }
      return To === `+${silent}` ? "silence" : undefined;
    });
    const { twilio, callbackUrl } = world;
    const statusUrl = `${callbackUrl}/status`;
    const status = { MessageSid: "SM1", MessageStatus: "delivered" };
    const handOver = (number: string, text: string) =>
      twilio.handOver(`${callbackUrl}/im`, {
        MessageSid: `SM${"b".repeat(32)}`,
        From: `+${number}`,
        To: "+15005550006",
        Body: text,
      });
    return Object.assign(world, {
      arrived: () => twilio.texts.map(({ fields }) => fields.Body ?? ""),
      fields: () => twilio.texts.at(-1)?.fields ?? {},
      handOver,
      calls: {
        urls: [statusUrl, `${callbackUrl}/im`],
        report: (msgid: string, state: "accepted" | "delivered" | "failed") =>
          twilio.report(statusUrl, msgid, state),
        handOver,
        forged: {
          "without a signature": () => callWith(statusUrl, "", status),
          "with another's": () =>
            callWith(statusUrl, "0/KCTR6DLpKmkAf8muzZqo1nDgQ=", status),
        },
      },
    });
  },
  {
    secrets: [authToken],
    quote: (message) => ({ status: 400, body: { code: 21609, message } }),
    wishes: [
      {
        title: "sends from the configured number",
        fields: { To: `+${answering}`, Body: "Hi", From: "+15005550006" },
      },
      {
        title: "sends from a name",
        options: { senderId: "Acme" },
        fields: { From: "Acme" },
      },
      {
        title: "sends from a number",
        from: "447700900123",
        fields: { From: "+447700900123" },
      },
      {
        title: "sends from a short code",
        from: "12345",
        fields: { From: "12345" },
      },
      {
        title: "asks for no receipt where none is wanted",
        options: { statusReport: false },
        fields: { StatusCallback: undefined },
      },
      {
        title: "says for how long a text is good",
        options: { expires: 1 },
        fields: { ValidityPeriod: "60" },
      },
      {
        title: "says the shortest time for one that is over",
        options: { expires: 0 },
        fields: { ValidityPeriod: "1" },
      },
      {
        title: "says the longest time that Twilio takes",
        options: { expires: 10_000 },
        fields: { ValidityPeriod: "36000" },
      },
      {
        title: "lets raw parameters say all but whom and what",
        params: {
          MaxPrice: 0.05,
          SmartEncoded: true,
          From: "Other",
          To: "+15550100100",
          Body: "Bye",
          to: "+15550100100",
          BODY: "Bye",
          ContentSid: "HX1",
          ContentVariables: "{}",
          MediaUrl: "https://a.example/x.png",
          MediaUrl1: "https://a.example/y.png",
          StatusCallback: "https://a.example",
          ApplicationSid: "AP1",
        },
        fields: {
          To: `+${answering}`,
          Body: "Hi",
          to: undefined,
          BODY: undefined,
          ContentSid: undefined,
          ContentVariables: undefined,
          MediaUrl: undefined,
          MediaUrl1: undefined,
          ApplicationSid: undefined,
          From: "Other",
          MaxPrice: "0.05",
          SmartEncoded: "true",
        },
      },
    ],
    refusals: [
      {
        title: "a full queue",
        answer: { status: 429, body: { code: 20429, message: "Too Many" } },
        error: "LimitsError",
        retryable: true,
      },
      {
        title: "a price above the limit",
        answer: { status: 400, body: { code: 30010 } },
        error: "LimitsError",
        retryable: false,
      },
      {
        title: "a suspended account without money",
        answer: { status: 400, body: { code: 30002, message: "No balance" } },
        error: "CreditError",
        retryable: false,
      },
      {
        title: "a text that failed within a success",
        answer: {
          status: 201,
          body: { sid: "SM1", status: "failed", error_code: 30007 },
        },
        error: "RequestError",
        retryable: false,
      },
    ],
    unreadable: {
      "has no id": { status: 201, body: { status: "queued" } },
      "has an id of another type": { status: 201, body: { sid: 7 } },
    },
  },
);

test("sends by a messaging service where there is one", async () => {
  await using world = await open(undefined, { messagingServiceSid });
  await world.send(answering, "Hi");
  await world.send(answering, "Hi", { options: { senderId: "Acme" } });
  assert.deepEqual(
    world.twilio.texts.map(({ fields }) => [
      fields.From,
      fields.MessagingServiceSid,
    ]),
    [
      [undefined, messagingServiceSid],
      ["Acme", undefined],
    ],
  );
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
    // In case a call was lost; else it is the only way.
    const firstAfterMs = has ? 3_600_000 : 30_000;
    assert.equal(gateway.pollingOf("other")?.firstAfterMs, firstAfterMs);
    assert.equal("StatusCallback" in (twilio.texts[0]?.fields ?? {}), has);
  }
});

test("uses an API key for requests where there is one", async () => {
  const apiKey = { sid: accountSid, secret: "wrong" };
  await using world = await open(undefined, { apiKey });
  const sending = world.gateway.send(new OutgoingMessage(answering, "Hi"));
  await assert.rejects(sending, { name: "AuthError", code: 20003 });
});

test("asks for receipts where the gateway says that they can arrive", async () => {
  await using world = await open();
  const { gateway, twilio, callbackUrl } = world;
  const { baseUrl } = twilio;
  const settings = { accountSid, authToken, from: "1", baseUrl };
  gateway.addProvider(
    "other one",
    twilioType.create(settings, { logger: { info() {} } }),
  );
  gateway.callbackBase = `${callbackUrl.replace("/twilio", "")}/`;
  const message = new OutgoingMessage(answering, "Hi", null, "other one");
  await gateway.send(message.options({ statusReport: true }));
  assert.equal(
    twilio.texts[0]?.fields.StatusCallback,
    `${callbackUrl.replace("/twilio", "/other%20one")}/status`,
  );
  assert.deepEqual(
    world.statuses().map(({ kind, entry }) => [kind, entry]),
    [
      ["accepted", "other one"],
      ["delivered", "other one"],
    ],
  );
});

test("lets no raw parameter say where Twilio reports", async () => {
  await using world = await open();
  const params = { StatusCallback: "https://a.example" };
  await world.send(answering, "Hi", { params });
  assert.equal(
    world.twilio.texts[0]?.fields.StatusCallback,
    `${world.callbackUrl}/status`,
  );
});

test("says what codes mean, each that it knows of", () => {
  const provider = twilioType.create(
    { accountSid, authToken },
    { logger: { info() {} } },
  );
  assert.match(provider.describeCode?.(30003) ?? "", /out of reach/);
  assert.match(provider.describeCode?.("21610") ?? "", /opted out/);
  assert.equal(provider.describeCode?.("a new word"), undefined);
  for (const code of knownCodes) {
    assert.ok(provider.describeCode?.(code), String(code));
  }
});

test("hands over what Twilio says of a failure, and words nobody knows", async () => {
  await using world = await open();
  const url = `${world.callbackUrl}/status`;
  const { twilio, statuses } = world;
  const more = { ErrorCode: "30003", ErrorMessage: "Unreachable" };
  assert.equal(await twilio.report(url, "SM1", "undelivered", more), 204);
  assert.equal(await twilio.report(url, "SM1", "sent"), 204);
  assert.equal(await twilio.report(url, "SM1", "a new word"), 204);
  assert.deepEqual(
    statuses().map(({ kind, statusCode }) => [kind, statusCode]),
    [
      ["error", 30003],
      ["accepted", "sent"],
      ["unknown", "a new word"],
    ],
  );
  assert.deepEqual(statuses()[0]?.meta, { errorMessage: "Unreachable" });
  assert.equal(await twilio.report(url, "", "sent"), 400);
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
  const [message] = world.received();
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
  assert.deepEqual(statuses(), []);
  const ids = [sent.msgid ?? "", `SM${"c".repeat(32)}`];
  const found = (await provider.fetchStatuses?.(ids)) ?? [];
  assert.deepEqual(
    found.map(({ msgid, kind }) => [msgid, kind]),
    [[sent.msgid, "accepted"]],
  );
});
