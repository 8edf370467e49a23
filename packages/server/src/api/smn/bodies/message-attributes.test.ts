import assert from "node:assert/strict";
import { test } from "node:test";
import { CarillonError } from "@carillon/core";
import fc from "fast-check";
import { readMessageAttributes } from "./message-attributes.ts";

const refused = { code: "MESSAGE_ATTRIBUTES_INVALID" };

test("the three types of attributes are read, unknown members dropped", () => {
  const attributes = [
    { name: "severity", type: "STRING", value: "critical" },
    { name: "teams", type: "STRING_ARRAY", value: ["ops", "db"] },
    { name: "smn_protocol", type: "PROTOCOL", value: ["https", "email"] },
  ];
  assert.deepEqual(
    readMessageAttributes(attributes.map((one) => ({ ...one, more: 1 }))),
    attributes,
  );
});

test("no attributes are an empty list", () => {
  for (const none of [undefined, null, []]) {
    assert.deepEqual(readMessageAttributes(none), []);
  }
});

test("names are short, lower case, with single underscores inside", () => {
  const parse = (name: unknown) =>
    readMessageAttributes([{ name, type: "STRING", value: "x" }]);
  for (const name of ["a", "0", "a_b_c", "smn_x", "x".repeat(32)]) {
    assert.equal(parse(name)[0]?.name, name);
  }
  for (const name of [
    "",
    "_a",
    "a_",
    "a__b",
    "A",
    "a-b",
    "ä",
    "a\n",
    "x".repeat(33),
    7,
    undefined,
  ]) {
    assert.throws(() => parse(name), refused);
  }
});

test("values are letters of any language, digits and underscores", () => {
  const parse = (value: unknown) =>
    readMessageAttributes([{ name: "a", type: "STRING", value }]);
  for (const value of [
    "x",
    "_",
    "Größe_7",
    "紧急",
    "हिन्दी",
    "٣",
    "𠀀".repeat(32),
  ]) {
    assert.equal(parse(value)[0]?.value, value);
  }
  for (const value of [
    "",
    "a b",
    "a-b",
    "😀",
    "a\n",
    "x".repeat(33),
    7,
    null,
    ["x"],
  ]) {
    assert.throws(() => parse(value), refused);
  }
});

test("a list has 1 to 10 different values", () => {
  const parse = (value: unknown) =>
    readMessageAttributes([{ name: "a", type: "STRING_ARRAY", value }]);
  const ten = Array.from({ length: 10 }, (_, i) => `v${i}`);
  assert.deepEqual(parse(ten)[0]?.value, ten);
  for (const value of [[], [...ten, "v10"], ["x", "x"], ["x", ""], [7], "x"]) {
    assert.throws(() => parse(value), refused);
  }
});

test("protocols are those of SMN", () => {
  const parse = (value: unknown) =>
    readMessageAttributes([{ name: "p", type: "PROTOCOL", value }]);
  assert.deepEqual(parse(["sms", "functionstage", "sms"])[0]?.value, [
    "sms",
    "functionstage",
  ]);
  for (const value of [[], ["pigeon"], ["default"], ["SMS"], "sms", [7]]) {
    assert.throws(() => parse(value), refused);
  }
});

test("names are unique, at most one is a PROTOCOL, at most 10 in all", () => {
  const string = (name: string) => ({ name, type: "STRING", value: "x" });
  const protocol = (name: string) => ({
    name,
    type: "PROTOCOL",
    value: ["sms"],
  });
  const ten = Array.from({ length: 10 }, (_, i) => string(`a${i}`));
  assert.equal(readMessageAttributes(ten).length, 10);
  for (const attributes of [
    [string("a"), string("a")],
    [protocol("p"), protocol("q")],
    [...ten, string("b")],
    [{ name: "a", type: "NUMBER", value: "1" }],
    [{ name: "a", value: "1" }],
    [null],
    ["a"],
    [[]],
    { name: "a" },
    "a",
  ]) {
    assert.throws(() => readMessageAttributes(attributes), refused);
  }
});

test("whatever comes, attributes or the one error come out", () => {
  const attribute = fc.record(
    {
      name: fc.oneof(fc.string(), fc.constantFrom("a", "b"), fc.jsonValue()),
      type: fc.oneof(
        fc.constantFrom("STRING", "STRING_ARRAY", "PROTOCOL"),
        fc.jsonValue(),
      ),
      value: fc.oneof(fc.string(), fc.array(fc.string()), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  fc.assert(
    fc.property(fc.oneof(fc.array(attribute), fc.jsonValue()), (input) => {
      try {
        for (const { name, value } of readMessageAttributes(input)) {
          assert.match(name, /^[a-z0-9_]{1,32}$/);
          assert.ok(value.length > 0);
        }
      } catch (error) {
        assert.ok(error instanceof CarillonError);
        assert.equal(error.code, refused.code);
      }
    }),
  );
});
