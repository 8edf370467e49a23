import assert from "node:assert/strict";
import { test } from "node:test";
import { fieldOf, readRawForm } from "./raw-form.ts";

const cases: readonly (readonly [
  encoded: string,
  name: string,
  value: string | undefined,
  charset?: string,
])[] = [
  ["", "a", undefined],
  ["a=1&b=2", "b", "2"],
  ["a=1&a=2", "a", "1"],
  ["a&b=", "a", ""],
  ["a&b=", "b", ""],
  ["a=b=c", "a", "b=c"],
  ["a=x+y%20z%2B", "a", "x y z+"],
  ["a=%2541", "a", "%41"],
  ["a=100%&b=1", "a", "100%"],
  ["a=%4g", "a", "%4g"],
  ["moMsg%49d=7", "moMsgId", "7"],
  ["a=%C3%A9", "a", "\u00e9"],
  ["a=%e9%FF", "a", "\u00e9\u00ff", "ISO-8859-1"],
  ["a=%04%1F%00+", "a", "\u041f ", "UTF-16BE"],
  ["a=%C3%A9", "a", "\u00e9", "x-nobody-knows"],
  ["a=%C3%A9", "a", "\u00e9", ""],
];

for (const [encoded, name, value, charset] of cases) {
  test(`${name} of ${encoded || "nothing"} in ${charset || "UTF-8"}`, () => {
    assert.equal(fieldOf(readRawForm(encoded), name, charset), value);
  });
}

test("reads a hundred fields, and refuses more", () => {
  assert.equal(fieldOf(readRawForm(`${"b&".repeat(99)}a=1`), "a"), "1");
  assert.throws(() => readRawForm(`${"b&".repeat(100)}a=1`), {
    name: "MalformedRequestError",
  });
});
