import assert from "node:assert/strict";
import { test } from "node:test";
import { MessageSendError, ProviderConnectionError } from "./errors.ts";
import { OutgoingMessage } from "./outgoing-message.ts";
import { AtsProvider } from "./providers/ats/provider.ts";
import { NullProvider } from "./providers/null/provider.ts";
import { SmsOperatorProvider } from "./providers/sms-operator/provider.ts";
import { TwilioProvider } from "./providers/twilio/provider.ts";
import { senderDataOf } from "./sender-data.ts";

const account = { username: "acme", password: "secret" };
const ats = new AtsProvider({
  ...account,
  keyword: "KW",
  from: "9001103",
  prefix: "shop",
  textid: "T",
});
const smsOperator = new SmsOperatorProvider({ ...account, prefix: "shop" });
const twilio = new TwilioProvider({
  accountSid: `AC${"0".repeat(32)}`,
  authToken: "hush",
  from: "+15005550006",
});

function message(
  { sender, src = null }: { sender?: string; src?: string | null } = {},
  meta: Record<string, unknown> | null = null,
) {
  const made = new OutgoingMessage("420777123456", "Hello", src);
  if (sender !== undefined) made.options({ senderId: sender });
  made.meta = meta;
  return made;
}

for (const [title, given, expected] of [
  [
    "ATS as pymess kept it",
    [ats, message({}, { code: 0 })],
    {
      sender: "9001103",
      prefix: "shop",
      validity: 60,
      kw: "KW",
      textid: "T",
      sender_state: 0,
    },
  ],
  [
    "the sender of the message is known already",
    [ats, message({ sender: "ACME" }, { code: 0 })],
    {
      prefix: "shop",
      validity: 60,
      kw: "KW",
      textid: "T",
      sender_state: 0,
    },
  ],
  [
    "SMS Operator as pymess kept it",
    [smsOperator, message({}, { code: 1 })],
    { prefix: "shop", sender_state: 1 },
  ],
  [
    "a refusal's code",
    [smsOperator, message(), new MessageSendError("no", { code: 5 })],
    { prefix: "shop", sender_state: 5 },
  ],
  [
    "no code of ours",
    [
      smsOperator,
      message(),
      new ProviderConnectionError("cut", { code: "ECONNRESET" }),
    ],
    { prefix: "shop" },
  ],
  [
    "what Twilio told, and the sender of a policy",
    [twilio, message({ src: "Shop" }, { status: "queued", price: null })],
    { sender: "Shop", status: "queued", price: null },
  ],
  ["nothing", [new NullProvider(), message()], undefined],
  [
    "flat, whatever was told",
    [
      new NullProvider(),
      message(
        {},
        {
          list: [1, { a: 2 }],
          big: 10n,
          late: Number.POSITIVE_INFINITY,
          long: "x".repeat(5000),
          nothing: undefined,
        },
      ),
    ],
    {
      list: '[1,{"a":2}]',
      big: "",
      late: "Infinity",
      long: "x".repeat(500),
    },
  ],
] as const) {
  test(`what is kept with a text: ${title}`, () => {
    const [provider, sent, error] = given;
    assert.deepEqual(senderDataOf(provider, sent, error), expected);
  });
}

test("no more than 50 members are kept", () => {
  const meta = Object.fromEntries(
    Array.from({ length: 1000 }, (_, n) => [`m${n}`, n]),
  );
  const kept = senderDataOf(new NullProvider(), message({}, meta));
  assert.equal(Object.keys(kept ?? {}).length, 50);
});
