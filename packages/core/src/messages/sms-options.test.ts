import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  checkSmsIsSent,
  checkSmsOptions,
  checkSmsProvider,
  type SmsOptions,
  smsOptionLimits,
} from "./sms-options.ts";

const most = smsOptionLimits;

/** Lists inside each other, so many deep. */
function nested(depth: number): unknown {
  return depth === 0 ? 1 : [nested(depth - 1)];
}

function members(count: number): Record<string, number> {
  return Object.fromEntries(
    Array.from({ length: count }, (_, n) => [`p${n}`, n]),
  );
}

test("takes what fits, as it was given", () => {
  for (const options of [
    { sender: "ACME" },
    { sender: "A" },
    { sender: "ACME Ltd." },
    { sender: "24-7 A&B_c" },
    { sender: "x".repeat(most.senderNameLength) },
    { sender: "1234567890a" },
    { sender: "123" },
    { sender: "+4915112345678" },
    { sender: "123456789012345" },
    { provider: "twilio" },
    { validityMinutes: 1 },
    { validityMinutes: most.validityMinutes },
    { allowReply: false, escalate: true, statusReport: false },
    { params: {} },
    { params: { campaign: "spring", "tags[0]": "a", a: [1, { b: null }] } },
    { params: members(most.params) },
    { params: { a: nested(most.paramsDepth - 1) } },
    { params: { a: "x".repeat(most.paramsBytes - 8) } },
    { params: { a: "\\u0000 as text" } },
    // Of what a provider calls so inside one of its own parameters.
    { params: { data: { to: "a" } } },
  ] satisfies SmsOptions[]) {
    assert.deepEqual(checkSmsOptions(options), options);
  }
});

test("what is not given is no member, and nothing at all is no object", () => {
  assert.equal(checkSmsOptions({}), undefined);
  assert.equal(checkSmsOptions({ sender: null, params: undefined }), undefined);
  assert.deepEqual(checkSmsOptions({ sender: null, escalate: false }), {
    escalate: false,
  });
});

test("refuses what does not fit, and names it", () => {
  for (const [options, named, problem] of [
    ["ACME", "sms", /an object is expected/],
    [["ACME"], "sms", /an object is expected/],
    [null, "sms", /an object is expected/],
    [{ senderId: "A" }, "sms", /no member senderId; there are sms\.sender, /],
    ...["", " A", "A ", "x".repeat(12), "12", "1".repeat(16), "+", "+ACME"].map(
      (sender) => [{ sender }, "sms.sender", /a letter/] as const,
    ),
    ...["Zürich", "A\nB", "A\u0000", "++123", "12 34", "..."].map(
      (sender) => [{ sender }, "sms.sender", /a letter/] as const,
    ),
    [{ sender: 12345 }, "sms.sender", /a letter/],
    [{ provider: "" }, "sms.provider", /name of a provider/],
    [{ provider: "x".repeat(65) }, "sms.provider", /64 characters/],
    [{ provider: 1 }, "sms.provider", /name of a provider/],
    ...[0, -1, 1.5, most.validityMinutes + 1, "5", Number.NaN].map(
      (validityMinutes) =>
        [{ validityMinutes }, "sms.validityMinutes", /1 to 10080/] as const,
    ),
    [{ allowReply: "no" }, "sms.allowReply", /true or false/],
    [{ escalate: 1 }, "sms.escalate", /true or false/],
    [{ statusReport: "true" }, "sms.statusReport", /true or false/],
    [{ params: [] }, "sms.params", /JSON object/],
    [{ params: "a=b" }, "sms.params", /JSON object/],
    [{ params: members(most.params + 1) }, "sms.params", /at most 32 members/],
    [
      { params: { a: members(most.params) } },
      "sms.params",
      /at most 32 members/,
    ],
    [{ params: { a: Array(200).fill(1) } }, "sms.params", /128 values/],
    [{ params: { a: nested(most.paramsDepth) } }, "sms.params", /4 deep/],
    [
      { params: { a: "x".repeat(most.paramsBytes - 7) } },
      "sms.params",
      /4096 bytes/,
    ],
    [{ params: { a: "ü".repeat(most.paramsBytes / 2) } }, "sms.params", /4096/],
    [{ params: { a: "\u0000" } }, "sms.params", /U\+0000/],
    [{ params: { "": 1 } }, "sms.params", /a name is/],
    [{ params: { "a b": 1 } }, "sms.params", /a name is/],
    [{ params: { ["x".repeat(65)]: 1 } }, "sms.params", /a name is/],
    [{ params: JSON.parse('{"__proto__":1}') }, "sms.params", /__proto__/],
  ] as const) {
    assert.throws(
      () => checkSmsOptions(options),
      (error: Error & { code?: string }) =>
        error.code === "MESSAGE_OPTION_INVALID" &&
        error.message.startsWith(`Invalid ${named}: `) &&
        problem.test(error.message),
      JSON.stringify(options),
    );
  }
});

test("no raw parameter stands for recipient or text, however it is spelt", () => {
  const spelling = fc.constantFrom(
    (it: string) => it,
    (it: string) => it.toUpperCase(),
    (it: string) => it.replace(/^./, (first) => first.toUpperCase()),
    (it: string) => [...it].join("_"),
    (it: string) => `-${it}.`,
    (it: string) => `${it}[0]`,
  );
  const name = fc.constantFrom(
    ...["to", "dst", "recipient", "recipients", "phoneNumber", "msisdn"],
    ...["body", "text", "message", "content", "short_message"],
    ...["Tel", "rcv", "txt", "HEX", "to_number", "ContentSid", "MediaUrl"],
  );
  fc.assert(
    fc.property(name, spelling, (it, spell) => {
      assert.throws(
        () => checkSmsOptions({ params: { [spell(it)]: "x" } }),
        /may not be given: recipient and text are those of the message/,
      );
    }),
  );
});

test("no raw parameter names another account, or where to report", () => {
  for (const name of ["USER", "username", "Api_Id", "status_url", "PW[]"]) {
    assert.throws(
      () => checkSmsOptions({ params: { [name]: "x" } }),
      /may not be given: account and callbacks are those of the provider/,
    );
  }
});

test("what it takes stays within its bounds, whatever is given", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (params) => {
      let checked: SmsOptions | undefined;
      try {
        checked = checkSmsOptions({ params });
      } catch (error) {
        assert.match(String(error), /^CarillonError: Invalid sms\.params: /);
        return;
      }
      const json = JSON.stringify(checked?.params);
      assert.ok(Buffer.byteLength(json) <= most.paramsBytes);
      assert.ok(Object.keys(checked?.params ?? {}).length <= most.params);
    }),
  );
  fc.assert(
    fc.property(fc.string(), (sender) => {
      try {
        checkSmsOptions({ sender });
      } catch {
        return;
      }
      assert.match(sender, /^(\+?\d{3,15}|(?=.*[A-Za-z])[\w .&-]{1,11})$/);
    }),
  );
});

test("says which providers there are", () => {
  checkSmsProvider("b", ["a", "b"]);
  assert.throws(() => checkSmsProvider('c"', ["a", "b"]), {
    code: "MESSAGE_OPTION_INVALID",
    message:
      'Invalid sms.provider: there is no provider called "c\\""; leave it out, or ask an operator for its name.',
  });
  assert.throws(() => checkSmsProvider("c", [], () => "sms_options.provider"), {
    message:
      'Invalid sms_options.provider: there is no provider called "c"; leave it out, or ask an operator for its name.',
  });
});

test("options of texts need a recipient that gets texts", () => {
  checkSmsIsSent(undefined, ["email"]);
  checkSmsIsSent({ escalate: true }, ["email", "sms"]);
  assert.throws(() => checkSmsIsSent({ escalate: true }, ["email", "https"]), {
    code: "MESSAGE_OPTION_INVALID",
    message: "Invalid sms: none of the recipients is reached by SMS.",
  });
});
