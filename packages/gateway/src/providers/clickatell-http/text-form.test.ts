import assert from "node:assert/strict";
import { test } from "node:test";
import { OutgoingMessage } from "../../outgoing-message.ts";
import { textForm } from "./text-form.ts";

function formOf(text: string, params: Record<string, unknown> = {}) {
  const message = new OutgoingMessage("491510000000", text).params(params);
  return Object.fromEntries(textForm(message, {}));
}

/** Parts as phones count them, and whether GSM-7 holds the text. */
const texts: readonly (readonly [
  title: string,
  text: string,
  parts: number,
  isUnicode: boolean,
])[] = [
  ["160 letters", "a".repeat(160), 1, false],
  ["161 letters", "a".repeat(161), 2, false],
  ["306 letters", "a".repeat(306), 2, false],
  ["307 letters", "a".repeat(307), 3, false],
  ["1530 letters", "a".repeat(1530), 10, false],
  ["80 of two septets", "\u20ac".repeat(80), 1, false],
  ["81 of two septets", "\u20ac".repeat(81), 2, false],
  [
    "an escape at the end of a part",
    `${"a".repeat(152)}\u20ac${"a".repeat(152)}`,
    3,
    false,
  ],
  ["letters of GSM-7 that are not ASCII", "\u00e9\u00df\u0394\u00c7", 1, false],
  ["a small c with a cedilla", "\u00e7", 1, true],
  ["70 Cyrillic letters", "\u0451".repeat(70), 1, true],
  ["71 Cyrillic letters", "\u0451".repeat(71), 2, true],
  ["135 Cyrillic letters", "\u0451".repeat(135), 3, true],
  ["36 surrogate pairs", "\ud83d\ude00".repeat(36), 2, true],
  ["67 surrogate pairs", "\ud83d\ude00".repeat(67), 3, true],
];

for (const [title, text, parts, isUnicode] of texts) {
  test(`${title}: ${parts} ${isUnicode ? "of UTF-16" : "of GSM-7"}`, () => {
    const { concat, unicode, text: sent = "", req_feat } = formOf(text);
    assert.equal(concat, parts > 1 ? String(parts) : undefined);
    assert.equal(unicode, isUnicode ? "1" : undefined);
    const shown = isUnicode
      ? Buffer.from(sent, "hex").swap16().toString("utf16le")
      : sent;
    assert.equal(shown, text);
    const features = 1 + (isUnicode ? 8 : 0) + (parts > 1 ? 16384 : 0);
    assert.equal(req_feat, String(features));
  });
}

const features: readonly (readonly [
  params: Record<string, unknown>,
  features: number,
])[] = [
  [{}, 1],
  [{ binary: 1 }, 1 + 2],
  [{ udh: "060504" }, 1 + 4],
  [{ from: "Acme" }, 1 + 16],
  [{ from: "447700900123" }, 1 + 32],
  [{ msg_type: "SMS_FLASH" }, 1 + 512],
  [{ msg_type: "SMS_TEXT" }, 1],
  [{ deliv_ack: true }, 1 + 8192],
  [{ deliv_ack: 0 }, 1],
  [{ concat: 3 }, 1 + 16384],
  [{ concat: 1 }, 1],
  [{ req_feat: 7 }, 7],
];

for (const [params, expected] of features) {
  test(`${JSON.stringify(params)} needs the features ${expected}`, () => {
    assert.equal(formOf("Hi", params).req_feat, String(expected));
  });
}
