import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CertificateRefusedError,
  NotificationError,
  type NotificationFault,
} from "../errors.ts";
import {
  confirmationFields,
  createSender,
  notificationFields,
} from "../testing/sender.ts";
import { createCertificateFetcher } from "./certificate-fetcher.ts";
import { verifyNotification } from "./verify.ts";

const sender = createSender();
const { certificate } = sender;
const options = { certificate };

function fails(fault: NotificationFault) {
  return (error: unknown) => {
    assert.ok(error instanceof NotificationError);
    assert.equal(error.fault, fault);
    return true;
  };
}

test("answers the content of a signed notification", async () => {
  const fields = notificationFields({ subject: "demo", unsubscribe_url: "u" });
  assert.deepEqual(await verifyNotification(sender.sign(fields), options), {
    type: "Notification",
    messageId: fields.message_id,
    topicUrn: fields.topic_urn,
    message: "Disk is full ü\n{}",
    timestamp: "2026-01-15T08:30:00Z",
    subject: "demo",
    unsubscribeUrl: "u",
  });
});

test("takes the body as text and as bytes", async () => {
  const text = JSON.stringify(sender.sign(notificationFields()));
  for (const body of [
    text,
    Buffer.from(text),
    new TextEncoder().encode(text),
  ]) {
    const { message } = await verifyNotification(body, options);
    assert.equal(message, "Disk is full ü\n{}");
  }
});

for (const type of [
  "SubscriptionConfirmation",
  "UnsubscribeConfirmation",
] as const) {
  test(`answers a signed ${type}`, async () => {
    const fields = { ...confirmationFields("https://a.example/c"), type };
    const content = await verifyNotification(sender.sign(fields), options);
    assert.equal(content.type, type);
    assert.equal("subscribeUrl" in content, true);
  });
}

test("takes an empty subject, signed or not", async () => {
  const unsigned = sender.sign(notificationFields());
  const signed = sender.sign(notificationFields({ subject: "" }));
  for (const body of [signed, { ...unsigned, subject: "" }]) {
    await verifyNotification(body, options);
  }
});

for (const [field, value] of [
  ["message", "Disk is fine"],
  ["message_id", "f".repeat(32)],
  ["subject", "added"],
  ["timestamp", "2027-01-15T08:30:00Z"],
  ["topic_urn", "urn:smn:eu-de:0f3c5d1e2a4b46788899aabbccddeeff:other"],
] as const) {
  test(`sees that ${field} was changed`, async () => {
    const body = { ...sender.sign(notificationFields()), [field]: value };
    await assert.rejects(
      verifyNotification(body, options),
      fails("bad-signature"),
    );
  });
}

test("sees that the link was changed", async () => {
  const fields = sender.sign(confirmationFields("https://a.example/c"));
  const body = { ...fields, subscribe_url: "https://evil.example/c" };
  await assert.rejects(
    verifyNotification(body, options),
    fails("bad-signature"),
  );
});

test("sees that another key signed", async () => {
  const body = createSender().sign(notificationFields());
  await assert.rejects(
    verifyNotification(body, options),
    fails("bad-signature"),
  );
});

test("refuses signatures that are no base64 or empty", async () => {
  for (const signature of ["", "%%%", "AAAA"]) {
    const body = { ...sender.sign(notificationFields()), signature };
    await assert.rejects(
      verifyNotification(body, options),
      fails("bad-signature"),
    );
  }
});

test("refuses a body whose fields are cut differently", async () => {
  // A publisher who puts field names into the text must not get a message
  // whose signed text reads like another one.
  const signed = sender.sign(
    notificationFields({ message: "a\nmessage_id\nb" }),
  );
  const body = {
    ...signed,
    message: "a",
    message_id: `b\nmessage_id\n${signed.message_id}`,
  };
  await assert.rejects(verifyNotification(body, options), fails("malformed"));
});

test("refuses what is not a notification", async () => {
  const { message: _, ...incomplete } = sender.sign(notificationFields());
  const unknown = sender.sign(notificationFields({ type: "Other" }));
  for (const body of [
    "",
    "hello",
    "[]",
    "null",
    "{}",
    [],
    Buffer.of(0xff, 0xfe),
    incomplete,
    unknown,
    { ...unknown, type: "constructor" },
    { ...sender.sign(notificationFields()), message: { a: 1 } },
  ]) {
    await assert.rejects(verifyNotification(body, options), fails("malformed"));
  }
});

test("refuses signature versions it does not know", async () => {
  const fields = sender.sign(notificationFields());
  await verifyNotification({ ...fields, signature_version: "V1" }, options);
  const body = { ...fields, signature_version: "v2" };
  await assert.rejects(
    verifyNotification(body, options),
    fails("unknown-version"),
  );
});

test("refuses topics that are not expected", async () => {
  const body = sender.sign(notificationFields());
  const topicUrns = [String(body.topic_urn)];
  await verifyNotification(body, { ...options, topicUrns });
  await assert.rejects(
    verifyNotification(body, { ...options, topicUrns: ["urn:smn:other"] }),
    fails("unexpected-topic"),
  );
});

test("fetches the certificate that the body names", async () => {
  const urls: string[] = [];
  await verifyNotification(sender.sign(notificationFields()), {
    fetchCertificate: async (url) => {
      urls.push(url);
      return certificate;
    },
  });
  assert.deepEqual(urls, ["https://smn.example.test/smn/SMN_x.pem"]);
});

test("does not let the sender choose whose certificate counts", async () => {
  const attacker = createSender({
    signingCertUrl: "https://evil.example/SMN_x.pem",
  });
  const fetchCertificate = createCertificateFetcher({
    allowedHosts: ["smn.example.test"],
    fetch: async () => new Response(attacker.certificate),
  });
  await assert.rejects(
    verifyNotification(attacker.sign(notificationFields()), {
      fetchCertificate,
    }),
    CertificateRefusedError,
  );
});
