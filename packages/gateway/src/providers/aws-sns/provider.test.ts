import assert from "node:assert/strict";
import { test } from "node:test";
import { PublishCommand, SNSClient } from "@aws-sdk/client-sns";
import { testCarrierContract } from "@carillon/testing/carrier-contract";
import {
  type FakeSns,
  type FakeSnsOptions,
  refusal,
  type SnsEnvelope,
  startFakeSns,
} from "@carillon/testing/fake-carriers/aws-sns";
import { createCertifiedKey } from "@carillon/testing/fake-carriers/self-signed-certificate";
import { Gateway } from "../../gateway.ts";
import type { HttpClient, HttpRequest } from "../../http.ts";
import { createHttpClient } from "../../node-http-client.ts";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { numbers, openCarrierWorld } from "../../testing/carrier-world.ts";
import type { AwsSnsConfig } from "./config.ts";
import { AwsSnsProvider, awsSnsType } from "./provider.ts";

const region = "eu-central-1";
const credentials = {
  accessKeyId: "AKIDEXAMPLE0EXAMPLE0",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: "a token/with+signs==",
};
const topicArn = `arn:aws:sns:${region}:123456789012:texts`;
const { answering, refusing, silent } = numbers;

/** Amazon's own names lead to the fake; all else is as it is. */
function httpTo(sns: FakeSns) {
  const client = createHttpClient();
  const fetched: string[] = [];
  const http: HttpClient = {
    request: ({ url, ...request }) => {
      if (request.method === "GET") fetched.push(url);
      return client.request({
        ...request,
        url: url.replace(`${sns.origin}/`, `${sns.baseUrl}/`),
      });
    },
  };
  return { http, fetched };
}

/** A gateway with the provider alone, its routes, and an SNS of our own. */
async function open(
  answer?: FakeSnsOptions["answer"],
  config: Partial<AwsSnsConfig> = {},
) {
  const sns = await startFakeSns({
    region,
    ...credentials,
    ...(answer && { answer }),
  });
  const { http, fetched } = httpTo(sns);
  const world = await openCarrierWorld({
    type: awsSnsType,
    carrier: sns,
    http,
    settings: ({ baseUrl }) => ({
      region,
      ...credentials,
      topicArns: [topicArn],
      baseUrl,
      ...config,
    }),
  });
  const url = `${world.callbackUrl}/im`;
  const call = async (envelope: SnsEnvelope, version = "1") =>
    sns.call(url, await sns.signed(envelope, { version }));
  return Object.assign(world, { sns, url, call, fetched });
}

/** Without one of its fields. */
function without(envelope: SnsEnvelope, name: string): SnsEnvelope {
  const { [name]: _, ...others } = envelope;
  return others;
}

const nothing = "SNS does not tell what becomes of a text.";

testCarrierContract(
  "aws-sns",
  async () => {
    const world = await open(({ PhoneNumber }) => {
      if (PhoneNumber === `+${refusing}`) {
        return refusal(400, "OptedOut", "The number is opted out");
      }
      return PhoneNumber === `+${silent}` ? "silence" : undefined;
    });
    const { sns, url, call } = world;
    const handOver = (number: string, text: string) =>
      call(sns.textFrom(number, text));
    const hello = sns.textFrom("491511234567", "Hello");
    const send = (given: SnsEnvelope) => sns.call(url, given);
    return Object.assign(world, {
      arrived: () => sns.texts.map(({ fields }) => fields.Message ?? ""),
      fields: () => sns.texts.at(-1)?.fields ?? {},
      handOver,
      calls: {
        urls: [url],
        handOver,
        forged: {
          "without a signature": () => send(hello),
          "without a version": async () =>
            send(without(await sns.signed(hello), "SignatureVersion")),
          "with a version that nobody knows": () => call(hello, "3"),
          "with the signature of the other version": async () =>
            send({ ...(await sns.signed(hello)), SignatureVersion: "2" }),
          "with another text": async () =>
            send({
              ...(await sns.signed(hello)),
              Message: hello.Message?.replace("Hello", "Bye") ?? "",
            }),
          "with a subject that is not signed": async () =>
            send({ ...(await sns.signed(hello)), Subject: "Hi" }),
          "as another type": async () =>
            send({
              ...(await sns.signed(hello)),
              ...sns.confirmation("UnsubscribeConfirmation"),
            }),
          "by another's key": async () => {
            const now = Date.now();
            const key = await createCertifiedKey({
              notBefore: new Date(now - 1000),
              notAfter: new Date(now + 60_000),
            });
            return send(await sns.signed(hello, { key }));
          },
          "of another topic": () =>
            call({ ...hello, TopicArn: `${topicArn}-of-others` }),
          "with a certificate of another host": () =>
            call({ ...hello, SigningCertURL: `${sns.baseUrl}/a.pem` }),
          "with a certificate that is not there": () =>
            call({ ...hello, SigningCertURL: `${sns.origin}/a.pem` }),
          "that asks to confirm elsewhere": () =>
            call({
              ...sns.confirmation(),
              SubscribeURL: `${sns.baseUrl}/?Action=ConfirmSubscription`,
            }),
        },
      },
    });
  },
  {
    secrets: [credentials.secretAccessKey],
    quote: (words) => refusal(400, "InvalidParameter", words),
    skip: { "reports what became of a text by its id": nothing },
    wishes: [
      {
        title: "sends with no more than whom and what",
        fields: {
          Action: "Publish",
          PhoneNumber: `+${answering}`,
          Message: "Hi",
          "AWS.SNS.SMS.SenderID": undefined,
          "AWS.SNS.SMS.SMSType": undefined,
          "AWS.SNS.SMS.MaxPrice": undefined,
          "AWS.MM.SMS.OriginationNumber": undefined,
        },
      },
      {
        title: "takes an empty sender for none",
        from: "",
        options: { senderId: "" },
        fields: {
          "AWS.SNS.SMS.SenderID": undefined,
          "AWS.MM.SMS.OriginationNumber": undefined,
        },
      },
      {
        title: "sends from a name",
        from: "447700900123",
        options: { senderId: "Acme" },
        fields: {
          "AWS.SNS.SMS.SenderID": "Acme",
          "AWS.MM.SMS.OriginationNumber": undefined,
        },
      },
      {
        title: "sends from a number",
        from: "447700900123",
        fields: {
          "AWS.SNS.SMS.SenderID": undefined,
          "AWS.MM.SMS.OriginationNumber": "+447700900123",
        },
      },
      {
        title: "sends from a number as it is written",
        from: "+44 (7700) 900-123",
        fields: { "AWS.MM.SMS.OriginationNumber": "+447700900123" },
      },
      {
        title: "sends from a short code",
        options: { senderId: "12345" },
        fields: { "AWS.MM.SMS.OriginationNumber": "12345" },
      },
      {
        title: "says that a text is urgent",
        options: { escalate: true, messageClass: "bulk" },
        fields: { "AWS.SNS.SMS.SMSType": "Transactional" },
      },
      ...[
        ["otp", "Transactional"],
        ["transactional", "Transactional"],
        ["bulk", "Promotional"],
        ["another", undefined],
      ].map(([messageClass, smsType]) => ({
        title: `says the type of a text of the class ${messageClass}`,
        options: { messageClass },
        fields: { "AWS.SNS.SMS.SMSType": smsType },
      })),
      {
        title: "passes over what SNS cannot do",
        options: { expires: 5, allowReply: false, statusReport: true },
        fields: { PhoneNumber: `+${answering}`, Message: "Hi" },
      },
      {
        title: "lets raw parameters say all but whom and what",
        from: "447700900123",
        options: { escalate: true },
        params: {
          MaxPrice: 0.05,
          SMSType: "Promotional",
          SenderID: "Other",
          OriginationNumber: null,
          EntityId: "110155",
          "AWS.MM.SMS.TemplateId": 7,
          "AWS.MM.SMS.Other": "x",
          Action: "DeleteTopic",
          PhoneNumber: "+15550100100",
          TopicArn: topicArn,
          TargetArn: topicArn,
          Message: "Bye",
          MessageStructure: "json",
          "MessageAttributes.entry.1.Name": "x",
          message: "Bye",
          phone_number: "+15550100100",
          Subject: "Hello",
        },
        fields: {
          Action: "Publish",
          PhoneNumber: `+${answering}`,
          TopicArn: undefined,
          TargetArn: undefined,
          message: undefined,
          phone_number: undefined,
          Message: "Hi",
          MessageStructure: undefined,
          "AWS.SNS.SMS.MaxPrice": "0.05",
          "AWS.SNS.SMS.SMSType": "Promotional",
          "AWS.SNS.SMS.SenderID": "Other",
          "AWS.MM.SMS.OriginationNumber": undefined,
          "AWS.MM.SMS.EntityId": "110155",
          "AWS.MM.SMS.TemplateId": "7",
          "AWS.MM.SMS.Other": "x",
          Subject: "Hello",
        },
      },
    ],
    refusals: [
      {
        title: "throttling within a status that says nothing of it",
        answer: refusal(400, "Throttling", "Rate exceeded"),
        error: "LimitsError",
        retryable: true,
      },
      {
        title: "a time to wait",
        answer: {
          ...refusal(429, "Throttled", "Rate exceeded"),
          headers: { "content-type": "text/xml", "retry-after": "3" },
        },
        error: "LimitsError",
        retryable: true,
        retryAfterMs: 3000,
      },
      {
        title: "credentials that have expired",
        answer: refusal(403, "ExpiredToken", "The token is expired"),
        error: "AuthError",
        retryable: false,
      },
      {
        title: "a recipient that opted out",
        answer: refusal(400, "OptedOut", "Phone number is opted out"),
        error: "RequestError",
        retryable: false,
      },
      {
        title: "an account that has spent its quota",
        answer: refusal(400, "Throttled", "No quota left for account"),
        error: "CreditError",
        retryable: false,
      },
      {
        title: "a failure of SNS",
        answer: refusal(500, "InternalError", "Sorry"),
        error: "ServerError",
        retryable: true,
      },
      {
        title: "an unknown error within a success",
        answer: { ...refusal(400, "NewCode", "No"), status: 200 },
        error: "RequestError",
        retryable: false,
      },
      {
        title: "an error within a success",
        answer: {
          ...refusal(400, "InvalidParameter", "PhoneNumber"),
          status: 200,
        },
        error: "RequestError",
        retryable: false,
      },
    ],
    unreadable: {
      "has no id": {
        body: "<PublishResponse><PublishResult/></PublishResponse>",
      },
      "has an empty id": {
        body: "<PublishResponse><PublishResult><MessageId/></PublishResult></PublishResponse>",
      },
      "is one to another question": {
        body: "<CreateTopicResponse><MessageId>1</MessageId></CreateTopicResponse>",
      },
      "has an error's page and no code": { body: "<ErrorPage/>" },
    },
  },
);

test("signs as Amazon's own client does", async () => {
  for (const [path, { sessionToken, ...keys }] of [
    ["", credentials],
    ["/", { ...credentials, sessionToken: undefined }],
    ["/a%20proxy/*for'sns/", credentials],
  ] as const) {
    const account = { ...keys, ...(sessionToken && { sessionToken }) };
    await using sns = await startFakeSns({ region, ...account });
    const text = "Grüße & 你好 = 100 % + {~} *!'()";
    const client = new SNSClient({
      region,
      endpoint: sns.baseUrl + path,
      credentials: account,
      maxAttempts: 1,
    });
    const given = await client.send(
      new PublishCommand({
        PhoneNumber: `+${answering}`,
        Message: text,
        MessageAttributes: {
          "AWS.SNS.SMS.SenderID": { DataType: "String", StringValue: "Acme" },
          "AWS.SNS.SMS.MaxPrice": { DataType: "Number", StringValue: "0.5" },
        },
      }),
    );
    client.destroy();

    await using gateway = new Gateway();
    gateway.addProvider(
      "aws-sns",
      new AwsSnsProvider({ region, ...account, baseUrl: sns.baseUrl + path }),
    );
    const sent = await gateway.send(
      new OutgoingMessage(answering, text, "Acme").params({ MaxPrice: 0.5 }),
    );
    const [first, second] = sns.texts;
    assert.deepEqual(second?.fields, first?.fields);
    assert.deepEqual(
      [first?.messageId, second?.messageId],
      [given.MessageId, sent.msgid],
    );
    const fields = sns.requests.map((request) =>
      [...new URLSearchParams(request.text)].sort(),
    );
    assert.deepEqual(fields[1], fields[0]);
  }
});

test("what is not signed by the account is refused", async () => {
  for (const [wrong, code] of [
    [{ secretAccessKey: "another" }, "SignatureDoesNotMatch"],
    [{ accessKeyId: "AKIDANOTHER0ANOTHER0" }, "InvalidClientTokenId"],
    [{ sessionToken: "another" }, "InvalidClientTokenId"],
    [{ region: "eu-west-1" }, "SignatureDoesNotMatch"],
  ] as const) {
    await using world = await open(undefined, wrong);
    await assert.rejects(world.send(answering, "Hi"), (error: Error) => {
      assert.equal(error.name, "AuthError");
      assert.equal("code" in error && error.code, code);
      assert.doesNotMatch(String(error), /another|token\/with/);
      return true;
    });
  }
});

test("expects no receipt, for there is none", async () => {
  await using world = await open();
  const message = new OutgoingMessage(answering, "Hi");
  const sent = await world.gateway.send(
    message.options({ statusReport: true }),
  );
  assert.equal(sent.providerOptions.statusReport, false);
  assert.deepEqual(Object.keys(sent.meta ?? {}), ["requestId"]);
});

test("sends by what the configuration says where the text does not", async () => {
  await using world = await open(undefined, {
    from: "Acme",
    smsType: "Promotional",
    maxPrice: 0.25,
  });
  await world.send(answering, "Hi");
  await world.send(answering, "Hi", {
    from: "447700900123",
    options: { messageClass: "otp" },
    params: { MaxPrice: null },
  });
  const names = ["SenderID", "SMSType", "MaxPrice"].map(
    (it) => `AWS.SNS.SMS.${it}`,
  );
  assert.deepEqual(
    world.sns.texts.map(({ fields }) => names.map((name) => fields[name])),
    [
      ["Acme", "Promotional", "0.25"],
      [undefined, "Transactional", undefined],
    ],
  );
});

test("refuses what SNS does not take before anything is sent", async () => {
  await using world = await open();
  const isRefused = { name: "RequestError", outcomeUnknown: false };
  await world.send(answering, "x".repeat(1530));
  // 533 characters of 3 octets each.
  await world.send(answering, `${"你".repeat(533)}x`);
  await assert.rejects(world.send(answering, `${"你".repeat(533)}xy`), {
    ...isRefused,
    code: "TEXT_TOO_LONG",
  });
  for (const senderId of ["Twelve Chars", "ABCDEFGHIJKL", "Été", "12"]) {
    await assert.rejects(
      world.send(answering, "Hi", { options: { senderId } }),
      {
        ...isRefused,
        code: "INVALID_SENDER",
      },
    );
  }
  assert.equal(world.sns.requests.length, 2);
});

test("calls its region's host", async () => {
  for (const [given, host] of [
    ["us-gov-west-1", "sns.us-gov-west-1.amazonaws.com"],
    ["cn-north-1", "sns.cn-north-1.amazonaws.com.cn"],
  ] as const) {
    const requests: HttpRequest[] = [];
    const http: HttpClient = {
      async request(request) {
        requests.push(request);
        return { status: 503, headers: {}, body: new Uint8Array() };
      },
    };
    await using gateway = new Gateway({ http });
    gateway.addProvider(
      "aws-sns",
      new AwsSnsProvider({ region: given, ...credentials }),
    );
    const sending = gateway.send(new OutgoingMessage(answering, "Hi"));
    await assert.rejects(sending, { name: "ServerError", retryable: true });
    assert.deepEqual(
      requests.map(({ url }) => url),
      [`https://${host}/`],
    );
  }
});

test("hands over texts from phones, signed in either version", async () => {
  await using world = await open();
  const { sns, call, received, fetched } = world;
  for (const version of ["1", "2"]) {
    const envelope = sns.textFrom("14255550182", `Žluť ${version}`);
    const subject = { ...envelope, Subject: "A text" };
    assert.equal(await call(subject, version), 200);
    const message = received().at(-1);
    const text = JSON.parse(envelope.Message ?? "");
    assert.deepEqual(
      [message?.src, message?.dst, message?.body, message?.msgid],
      ["14255550182", "15005550006", `Žluť ${version}`, text.inboundMessageId],
    );
    assert.deepEqual(message?.meta, {
      topicArn,
      messageId: envelope.MessageId,
      timestamp: envelope.Timestamp,
      keyword: "KEYWORD_123456789012",
      inReplyTo: text.previousPublishedMessageId,
    });
  }
  assert.equal(received().length, 2);
  assert.deepEqual(fetched, [sns.textFrom("1", "").SigningCertURL]);
});

test("gives a repeated text the same id, by which it is known", async () => {
  await using world = await open();
  const { sns, call, received } = world;
  const envelope = sns.textFrom("14255550182", "Hi");
  assert.equal(await call(envelope), 200);
  // By another subscription: another message of the same text.
  assert.equal(await call({ ...envelope, MessageId: "another" }), 200);
  const ids = received().map(({ msgid }) => msgid);
  assert.equal(ids.length, 2);
  assert.equal(ids[0], ids[1]);

  const { inboundMessageId: _, ...text } = JSON.parse(envelope.Message ?? "");
  const bare = { ...envelope, Message: JSON.stringify(text) };
  assert.equal(await call(bare), 200);
  assert.equal(received().at(-1)?.msgid, envelope.MessageId);
});

test("answers 400 to what others publish to the topic", async () => {
  await using world = await open();
  const envelope = world.sns.textFrom("14255550182", "Hi");
  assert.equal(await world.call({ ...envelope, Message: "Hello" }), 400);
  assert.deepEqual(world.received(), []);
});

test("confirms subscriptions of its topics, and leaves ended ones ended", async () => {
  await using world = await open();
  const { sns, call, provider, fetched, received } = world;
  assert.ok(provider instanceof AwsSnsProvider);
  assert.equal(await call(sns.confirmation(), "2"), 200);
  assert.deepEqual(sns.confirmed, [topicArn]);
  assert.deepEqual([...provider.subscriptions], [[topicArn, "confirmed"]]);

  assert.equal(await call(sns.confirmation("UnsubscribeConfirmation")), 200);
  assert.deepEqual(sns.confirmed, [topicArn]);
  assert.deepEqual([...provider.subscriptions], [[topicArn, "ended"]]);
  assert.equal(fetched.length, 2);
  assert.deepEqual(received(), []);
});

test("gets nothing of what somebody else names", async () => {
  await using world = await open();
  const { sns, url, call, fetched } = world;
  const confirmation = sns.confirmation();
  const others = `${topicArn}-of-others`;
  assert.equal(await call({ ...confirmation, TopicArn: others }), 403);
  const host = "https://sns.s3-us-west-2.amazonaws.com/a.pem";
  assert.equal(await call({ ...confirmation, SigningCertURL: host }), 403);
  const unsigned = { ...confirmation, SignatureVersion: "2" };
  assert.equal(await sns.call(url, unsigned), 403);
  assert.deepEqual(fetched, []);

  const forged = { ...(await sns.signed(confirmation)), Token: "another" };
  assert.equal(await sns.call(url, forged), 403);
  const elsewhere = {
    ...confirmation,
    SubscribeURL: `${sns.origin}/?Action=A`,
  };
  assert.equal(await call(elsewhere), 403);
  assert.deepEqual(fetched, [confirmation.SigningCertURL]);
  assert.deepEqual(sns.confirmed, []);
});

test("asks SNS to come again while something cannot be fetched", async () => {
  const { pem } = await createCertifiedKey({
    notBefore: new Date(0),
    notAfter: new Date(Date.now() + 60_000),
  });
  for (const fault of [
    "cut",
    { status: 500 },
    { status: 429 },
    { status: 302, headers: { location: "/other.pem" } },
    { body: "<html>Please log in</html>" },
    { body: pem + "\n".repeat(65 * 1024) },
  ] as const) {
    await using world = await open();
    const { sns, call, received } = world;
    sns.failNext(fault);
    const envelope = sns.textFrom("14255550182", "Hi");
    assert.equal(await call(envelope), 503, JSON.stringify(fault));
    assert.equal(sns.requests.length, 1);
    assert.deepEqual(received(), []);
    // The certificate is there; now the confirmation is not.
    await world.restart();
    assert.equal(await call(envelope), 200);
    if (typeof fault === "object" && "body" in fault) continue;
    sns.failNext(fault);
    assert.equal(await call(sns.confirmation()), 503);
    assert.deepEqual(sns.confirmed, []);
    assert.equal(await call(sns.confirmation()), 200);
  }
});

test("takes a certificate only while it is good", async () => {
  const now = Date.now();
  for (const [from, to, status] of [
    [-60_000, 60_000, 200],
    [-60_000, -1000, 403],
    [60_000, 120_000, 403],
  ] as const) {
    await using world = await open();
    const { sns, url } = world;
    const key = await createCertifiedKey({
      notBefore: new Date(now + from),
      notAfter: new Date(now + to),
    });
    sns.failNext({ body: key.pem });
    const envelope = sns.textFrom("14255550182", "Hi");
    const signed = await sns.signed(envelope, { key });
    assert.equal(await sns.call(url, signed), status);
    assert.equal(world.received().length, status === 200 ? 1 : 0);
  }
});

test("cannot be called where no topic is configured", async () => {
  await using gateway = new Gateway();
  const config = { region, ...credentials };
  gateway.addProvider("aws-sns", new AwsSnsProvider(config));
  const handler = gateway.receiverHandler({ prefix: "sms" });
  assert.equal(handler.matches("/sms/aws-sns/im"), false);
});

test("says what a code means", () => {
  const provider = new AwsSnsProvider({ region, ...credentials });
  assert.match(provider.describeCode("OptedOut") ?? "", /opted out/);
  assert.equal(provider.describeCode("New"), undefined);
});
