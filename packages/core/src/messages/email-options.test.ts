import assert from "node:assert/strict";
import { test } from "node:test";
import type { ProtocolDefinition } from "../subscriptions/protocol.ts";
import {
  checkEmailOptions,
  type EmailOptionPorts,
  emailOptionLimits,
} from "./email-options.ts";

const email: Partial<ProtocolDefinition> = {
  problemWithEndpoint: (text) =>
    /^[a-z]+@[a-z.]+$/.test(text) ? undefined : "it has no @",
};
const ports: EmailOptionPorts = {
  protocols: {
    find: (name) =>
      name === "email" ? (email as ProtocolDefinition) : undefined,
  },
  isEmailBackend: (name) => name === "bulk",
  isEmailSender: (address) => address.endsWith("@shop.example"),
};
const { senderNameLength, unsubscribeUrlLength } = emailOptionLimits;
const longUrl = `https://shop.example/${"x".repeat(unsubscribeUrlLength)}`;

for (const options of [
  { backend: "bulk" },
  { from: "news@shop.example" },
  { senderName: "Café “Zur Post”, 社" },
  { senderName: "x".repeat(senderNameLength) },
  { replyTo: "help@elsewhere.example" },
  { unsubscribeUrl: "https://shop.example/leave?u=1&t=a%20b" },
  { unsubscribeUrl: longUrl.slice(0, unsubscribeUrlLength) },
]) {
  test(`takes ${JSON.stringify(options).slice(0, 80)}`, () => {
    assert.deepEqual(checkEmailOptions(options, ports), options);
  });
}

test("what is absent, null or empty is no option", () => {
  for (const value of [undefined, null, {}, { from: null, replyTo: undefined }])
    assert.equal(checkEmailOptions(value, ports), undefined);
});

for (const [options, message] of [
  [[], /^Invalid email: an object/],
  ["x", /^Invalid email: an object/],
  [{ cc: "a@b" }, /no member cc; there are email\.backend, email\.from/],
  [{ backend: "other" }, /^Invalid email\.backend: the name of a backend/],
  [{ backend: 7 }, /^Invalid email\.backend: the name of a backend/],
  // Only the service sets it.
  [{ attachmentBytes: 5 }, /no member attachmentBytes/],
  [{ from: "x" }, /^Invalid email\.from: a mail address .*; it has no @\.$/],
  [{ from: 7 }, /^Invalid email\.from: a mail address/],
  [{ from: "a@b\r\nBcc: c@d" }, /^Invalid email\.from: a mail address/],
  [
    { from: "ceo@bank.example" },
    /may not be sent from ceo@bank\.example; .*email\.senders/,
  ],
  [{ replyTo: "Jane <a@b>" }, /^Invalid email\.replyTo: a mail address/],
  [{ replyTo: `${"a".repeat(400)}@b` }, /^Invalid email\.replyTo/],
  [{ senderName: "" }, /^Invalid email\.senderName: 1 to 128 char/],
  [{ senderName: "  " }, /^Invalid email\.senderName/],
  [{ senderName: "a\r\nBcc: c@d" }, /^Invalid email\.senderName.*one line/],
  [{ senderName: "a\u2028b" }, /^Invalid email\.senderName/],
  [{ senderName: "a\u0000" }, /^Invalid email\.senderName/],
  [{ senderName: "\ud83d" }, /^Invalid email\.senderName/],
  [
    { senderName: "x".repeat(senderNameLength + 1) },
    /^Invalid email\.senderName/,
  ],
  [
    { unsubscribeUrl: "http://shop.example/" },
    /^Invalid email\.unsubscribeUrl: an https URL/,
  ],
  [{ unsubscribeUrl: "mailto:leave@shop.example" }, /an https URL/],
  [{ unsubscribeUrl: "https://shop.example/>, <x" }, /an https URL/],
  [{ unsubscribeUrl: "https://a.example/\r\nX: 1" }, /an https URL/],
  [{ unsubscribeUrl: "https://u:secret@a.example/" }, /without user name/],
  [{ unsubscribeUrl: "https://" }, /an https URL/],
  [{ unsubscribeUrl: longUrl }, /an https URL of at most 900/],
] as const) {
  test(`refuses ${JSON.stringify(options).slice(0, 80)}`, () => {
    assert.throws(() => checkEmailOptions(options, ports), {
      code: "MESSAGE_OPTION_INVALID",
      message,
    });
  });
}

test("says of a service without e-mail that it has none", () => {
  assert.throws(
    () =>
      checkEmailOptions(
        { from: "a@shop.example" },
        { protocols: { find: () => undefined } },
      ),
    { message: /protocol email is not set up/ },
  );
});
