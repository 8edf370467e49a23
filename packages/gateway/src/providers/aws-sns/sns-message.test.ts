import assert from "node:assert/strict";
import { test } from "node:test";
import {
  isCertificateUrl,
  isConfirmationUrl,
  parseSnsMessage,
  parseSnsText,
} from "./sns-message.ts";

const name = "SimpleNotificationService-0123456789abcdef.pem";

for (const url of [
  `https://sns.us-east-1.amazonaws.com/${name}`,
  `https://sns.us-gov-west-1.amazonaws.com/${name}`,
  `https://sns.ap-southeast-3.amazonaws.com/${name}`,
  `https://sns.cn-north-1.amazonaws.com.cn/${name}`,
]) {
  test(`${url} is an address of certificates`, () => {
    assert.equal(isCertificateUrl(url), true);
  });
}

for (const url of [
  "",
  name,
  `http://sns.us-east-1.amazonaws.com/${name}`,
  `HTTPS://SNS.US-EAST-1.AMAZONAWS.COM/${name}`,
  `https://sns.us-east-1.amazonaws.com:443/${name}`,
  `https://sns.us-east-1.amazonaws.com:8443/${name}`,
  `https://sns@sns.us-east-1.amazonaws.com/${name}`,
  `https://sns.us-east-1.amazonaws.com@evil.example/${name}`,
  `https://sns.us-east-1.amazonaws.com.evil.example/${name}`,
  `https://sns.us-east-1.amazonaws.com.cn.evil.example/${name}`,
  `https://evil.example/sns.us-east-1.amazonaws.com/${name}`,
  `https://evil-sns.us-east-1.amazonaws.com/${name}`,
  `https://sns.us-east-1.evil.amazonaws.com/${name}`,
  `https://sns.us-east-1xamazonaws.com/${name}`,
  `https://sns.amazonaws.com/${name}`,
  // Buckets of anybody who had the name.
  `https://sns.s3.amazonaws.com/${name}`,
  `https://sns.s3-us-west-2.amazonaws.com/${name}`,
  `https://sns.s3.us-west-2.amazonaws.com/${name}`,
  `https://sns.s3-website-us-west-2.amazonaws.com/${name}`,
  `https://sns.us-east-1.amazonaws.com/${name}.txt`,
  `https://sns.us-east-1.amazonaws.com/${name}?x=.pem`,
  `https://sns.us-east-1.amazonaws.com/?x=${name}`,
  `https://sns.us-east-1.amazonaws.com/x#${name}`,
  `https://sns.us-east-1.amazonaws.com\\@evil.example/${name}`,
  `https://sns.us-east-1.amazonaws.com/%2e%2e/${name}`,
  ` https://sns.us-east-1.amazonaws.com/${name}`,
  `https://sns.us-east-1.amazonaws.com/${name}\n`,
  `https://evil.example/\nhttps://sns.us-east-1.amazonaws.com/${name}`,
]) {
  test(`${JSON.stringify(url)} is none`, () => {
    assert.equal(isCertificateUrl(url), false);
  });
}

const topicArn = "arn:aws:sns:us-east-1:123456789012:texts";
const origin = "https://sns.us-east-1.amazonaws.com";
const query = `Action=ConfirmSubscription&TopicArn=${topicArn}&Token=abc`;

test("a confirmation is that of the topic, by the token, and nothing else", () => {
  const of = (url: string) =>
    isConfirmationUrl(url, { topicArn, token: "abc" });
  assert.equal(of(`${origin}/?${query}`), true);
  assert.equal(of(`${origin}/?${query.replaceAll(":", "%3A")}`), true);
  for (const url of [
    "",
    `http://sns.us-east-1.amazonaws.com/?${query}`,
    `${origin}:444/?${query}`,
    `https://a@sns.us-east-1.amazonaws.com/?${query}`,
    `https://169.254.169.254/?${query}`,
    `https://sns.us-east-1.amazonaws.com.evil.example/?${query}`,
    `https://sns.s3-us-west-2.amazonaws.com/?${query}`,
    `${origin}/path?${query}`,
    `${origin}/?${query.replace("Confirm", "Delete")}`,
    `${origin}/?${query}&Action=DeleteTopic`,
    `${origin}/?${query.replace(":texts", ":others")}`,
    `${origin}/?${query}d`,
    `${origin}/?Action=ConfirmSubscription`,
    `${origin}/?${query} x`,
    `${origin}/?${query}\r\nHost: evil.example`,
  ]) {
    assert.equal(of(url), false, url);
  }
});

const notification = {
  Type: "Notification",
  MessageId: "1",
  TopicArn: topicArn,
  Message: "Two\nlines",
  Timestamp: "2026-01-01T00:00:00.000Z",
  SignatureVersion: "2",
  Signature: "c2lnbmVk",
  SigningCertURL: `${origin}/${name}`,
};
const confirmation = {
  ...notification,
  Type: "SubscriptionConfirmation",
  SubscribeURL: `${origin}/?${query}`,
  Token: "abc",
};

function parse(given: unknown) {
  return parseSnsMessage(new TextEncoder().encode(JSON.stringify(given)));
}

test("knows what the signature covers", () => {
  assert.equal(
    parse(notification).signedText,
    `Message\nTwo\nlines\nMessageId\n1\nTimestamp\n2026-01-01T00:00:00.000Z\nTopicArn\n${topicArn}\nType\nNotification\n`,
  );
  assert.equal(
    parse({ ...notification, Subject: "Hi" }).signedText,
    `Message\nTwo\nlines\nMessageId\n1\nSubject\nHi\nTimestamp\n2026-01-01T00:00:00.000Z\nTopicArn\n${topicArn}\nType\nNotification\n`,
  );
  for (const type of ["SubscriptionConfirmation", "UnsubscribeConfirmation"]) {
    assert.equal(
      parse({ ...confirmation, Type: type, Subject: "x" }).signedText,
      `Message\nTwo\nlines\nMessageId\n1\nSubscribeURL\n${origin}/?${query}\nTimestamp\n2026-01-01T00:00:00.000Z\nToken\nabc\nTopicArn\n${topicArn}\nType\n${type}\n`,
    );
  }
  assert.equal(parse(notification).hash, "SHA-256");
  assert.equal(parse({ ...notification, SignatureVersion: "1" }).hash, "SHA-1");
  for (const version of ["3", "", 1, null]) {
    const { hash } = parse({ ...notification, SignatureVersion: version });
    assert.equal(hash, undefined);
  }
});

test("refuses what is no message of a topic", () => {
  const wrong: readonly unknown[] = [
    null,
    7,
    [notification],
    {},
    { ...notification, Type: "Other" },
    { ...notification, Type: "toString" },
    { ...notification, Type: ["Notification"] },
    { ...notification, Message: 7 },
    { ...notification, MessageId: "" },
    { ...notification, TopicArn: null },
    { ...notification, Subject: 7 },
    // Lines that could be told to be another field.
    { ...notification, MessageId: "1\nSubject\nHi" },
    { ...notification, Subject: "Hi\nTimestamp\n1" },
    { ...notification, Type: "SubscriptionConfirmation" },
    { ...confirmation, Token: "" },
  ];
  for (const given of wrong) {
    assert.throws(() => parse(given), { name: "MalformedRequestError" });
  }
});

test("reads a text from a phone, and refuses what else is published", () => {
  const text = {
    originationNumber: "+14255550182",
    destinationNumber: "+12125550101",
    messageKeyword: "JOIN",
    messageBody: "",
    inboundMessageId: "cae173d2",
    previousPublishedMessageId: "wJalrXUt",
  };
  assert.deepEqual(parseSnsText(JSON.stringify(text)), {
    from: "+14255550182",
    to: "+12125550101",
    body: "",
    id: "cae173d2",
    keyword: "JOIN",
    inReplyTo: "wJalrXUt",
  });
  for (const given of [
    "Hello",
    "[]",
    "{}",
    JSON.stringify({ ...text, messageBody: undefined }),
    JSON.stringify({ ...text, originationNumber: "" }),
  ]) {
    assert.throws(() => parseSnsText(given), { name: "MalformedRequestError" });
  }
});
