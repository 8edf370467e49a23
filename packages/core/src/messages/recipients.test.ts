import assert from "node:assert/strict";
import { test } from "node:test";
import { defineTestProtocol } from "@carillon/testing";
import { createProtocols } from "../subscriptions/protocol.ts";
import {
  checkRecipients as check,
  maxRecipients,
  type RecipientRequest,
} from "./recipients.ts";

/** Each takes endpoints that begin in one way. */
const protocols = createProtocols(
  [
    ["sms", "+"],
    ["email", "name@"],
    ["https", "https://"],
  ].map(([name = "", begin = ""]) =>
    defineTestProtocol(name, {
      problemWithEndpoint: (endpoint) =>
        endpoint.startsWith(begin)
          ? undefined
          : `it does not start with ${begin}`,
    }),
  ),
);
const checkRecipients = (list: readonly RecipientRequest[]) =>
  check(list, protocols);

const phone = (n: number) => ({
  protocol: "sms",
  endpoint: `+49151${10_000_000 + n}`,
});

test("takes each recipient once, in order", () => {
  const mail = { protocol: "email", endpoint: "name@example.com" };
  const hook = { protocol: "https", endpoint: "https://example.com/hook" };
  assert.deepEqual(checkRecipients([mail, phone(1), hook, phone(1), mail]), [
    mail,
    phone(1),
    hook,
  ]);
  const most = Array.from({ length: maxRecipients }, (_, n) => phone(n));
  assert.deepEqual(checkRecipients(most), most);
});

test("sends nothing directly to who fetches", () => {
  const list = [phone(1), { protocol: "email", endpoint: "name@till" }];
  assert.throws(() => check(list, protocols, (it) => it === "email"), {
    code: "RECIPIENTS_INVALID",
    message: /recipients\[1\]: .*\(email\).*subscribe the mailbox to a topic/,
  });
});

test("names each that cannot be used, up to ten", () => {
  const secret = "4915198765432";
  for (const [list, expected] of [
    [[], /1 to 1000 are expected, 0 were given/],
    [Array(maxRecipients + 1).fill(phone(1)), /1001 were given/],
    [
      [
        phone(1),
        { protocol: "sms", endpoint: secret },
        { protocol: "fax", endpoint: "1" },
      ],
      /2 of 3 cannot be used, and nothing was accepted\. recipients\[1\]: Invalid endpoint: protocol sms .* start with \+\. recipients\[2\]: Invalid protocol/,
    ],
    [
      Array(12).fill({ protocol: "sms", endpoint: secret }),
      /12 of 12 .* recipients\[9\]: .* And 2 more\.$/,
    ],
    [[{ protocol: "https", endpoint: "http://a/" }], /recipients\[0\]/],
    [[{ protocol: "email", endpoint: undefined }], /recipients\[0\]/],
  ] as const) {
    assert.throws(
      () => checkRecipients(list),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "RECIPIENTS_INVALID");
        assert.match(error.message, expected);
        assert.ok(!error.message.includes(secret));
        return true;
      },
    );
  }
});
