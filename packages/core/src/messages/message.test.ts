import assert from "node:assert/strict";
import { test } from "node:test";
import { defineTestProtocol } from "@carillon/testing";
import { createProtocols } from "../subscriptions/protocol.ts";
import {
  checkSubject,
  checkText,
  maxMessageBytes,
  parseTimeToLive as parse,
  parseMessageStructure,
  selectText,
} from "./message.ts";

const protocols = createProtocols([
  defineTestProtocol("sms"),
  defineTestProtocol("email"),
]);
const parseTimeToLive = (value: unknown) => parse(value, protocols);

test("a structure gives each protocol its own text, else the default", () => {
  const content = parseMessageStructure(
    JSON.stringify({ default: "d", sms: "s", https: "h", pigeon: "p" }),
  );
  assert.equal(selectText(content, { name: "sms" }), "s");
  assert.equal(selectText(content, { name: "https" }), "h");
  // http and https are separate keys with no fallback between them.
  assert.equal(selectText(content, { name: "http" }), "d");
  assert.equal(selectText(content, { name: "email" }), "d");
});

test("a structure that cannot be used is refused with the reason", () => {
  const cases: readonly [unknown, RegExp][] = [
    [{ default: "x" }, /no string/],
    ["nope", /not JSON/],
    ["[]", /not a JSON object/],
    ["null", /not a JSON object/],
    ['{"email":"x"}', /"default" is missing/],
    ['{"default":"a\\ud800"}', /half of a surrogate pair/],
    ['{"default":"a","\\udc00":"b"}', /half of a surrogate pair/],
    ['{"default":""}', /"default" is missing/],
    ['{"default":"x","sms":{"a":1}}', /"sms" is no string/],
    [
      JSON.stringify({
        default: "x",
        ...Object.fromEntries(Array.from({ length: 100 }, (_, i) => [i, "x"])),
      }),
      /more than 100 members/,
    ],
    [`{"default":${"[".repeat(1000)}`, /nested deeply/],
    [JSON.stringify({ default: "x".repeat(maxMessageBytes) }), /256 KB/],
  ];
  for (const [structure, message] of cases) {
    assert.throws(() => parseMessageStructure(structure), {
      code: "MESSAGE_STRUCTURE_INVALID",
      message,
    });
  }
});

test("keys of a structure never reach an object's prototype", () => {
  const content = parseMessageStructure(
    '{"default":"d","__proto__":"p","constructor":"c"}',
  );
  assert.equal(selectText(content, { name: "email" }), "d");
  assert.equal(({} as Record<string, unknown>).p, undefined);
});

test("a text is 1 byte to 256 KB of UTF-8", () => {
  assert.equal(checkText("x"), "x");
  const largest = "é".repeat(maxMessageBytes / 2);
  assert.equal(checkText(largest), largest);
  for (const text of ["", `${largest}x`, 7, null, undefined, {}]) {
    assert.throws(() => checkText(text), { code: "MESSAGE_INVALID" });
  }
});

test("a subject is one line of at most 512 characters", () => {
  assert.equal(checkSubject(undefined), undefined);
  assert.equal(checkSubject(""), undefined);
  const longest = "😀".repeat(512);
  assert.equal(checkSubject(longest), longest);
  for (const subject of [`${longest}x`, "a\r\nBcc: b", 7, {}]) {
    assert.throws(() => checkSubject(subject), { code: "SUBJECT_INVALID" });
  }
});

test("a time to live is whole seconds within a week, as text or number", () => {
  assert.equal(parseTimeToLive(undefined), undefined);
  assert.equal(parseTimeToLive("1"), 1);
  assert.equal(parseTimeToLive(604_800), 604_800);
  for (const value of ["0", "-1", "1.5", "604801", "x", 0, 1.5, Infinity, {}]) {
    assert.throws(() => parseTimeToLive(value), {
      code: "TIME_TO_LIVE_INVALID",
    });
  }
});

test("a time to live may differ by protocol", () => {
  assert.deepEqual(parseTimeToLive({ sms: 60, email: "600" }), {
    sms: 60,
    email: 600,
  });
  for (const value of [[], { sms: 0 }, { sms: null }, { fax: 60 }, [60]]) {
    assert.throws(() => parseTimeToLive(value), {
      code: "TIME_TO_LIVE_INVALID",
    });
  }
  assert.throws(() => parseTimeToLive({ sms: 604_801 }), /of sms: .*604800/);
});
