import assert from "node:assert/strict";
import { test } from "node:test";
import { findStoredId } from "./stored-id.ts";

const naming = { noun: "sms", word: "text" } as const;
const first = `aaaaaaaa1${"0".repeat(23)}`;
const second = `aaaaaaaa2${"0".repeat(23)}`;

function find(text: string, ids: readonly string[] = []): Promise<string> {
  async function* list() {
    for (const id of ids) yield { id };
  }
  return findStoredId(list, naming, text);
}

test("one is found by the beginning of its id", async () => {
  const ids = [`${first}-0`, `${second}-0`, `${second}-1`];
  assert.equal(await find("aaaaaaaa1", ids), `${first}-0`);
  assert.equal(await find("aaaaaaaa1-0", ids), `${first}-0`);
  assert.equal(await find("aaaaaaaa2-1", ids), `${second}-1`);
  assert.equal(await find(second.concat("-1"), []), `${second}-1`);
});

test("what is none, too short, or several is refused", async () => {
  const ids = [`${first}-0`, `${second}-0`];
  for (const [text, expected] of [
    ["aaaaaaaa", `2 texts begin with aaaaaaaa: ${first}-0, ${second}-0.`],
    ["aaaa", /"aaaa" is too short for a text's id: give 8 digits/],
    ["aaaa-0", /too short/],
    ["bbbbbbbb", /^None of the newest 1000 texts begins with bbbbbbbb/],
    ["aaaaaaaa1-7", /^None of the newest/],
    ["x", /^There is no text "x": carillon sms list shows/],
    ["AAAAAAAA1", /^There is no text/],
    ["aaaaaaaa-", /^There is no text/],
  ] as const) {
    await assert.rejects(find(text, ids), (error) => {
      assert.ok(error instanceof Error);
      if (typeof expected === "string") assert.equal(error.message, expected);
      else assert.match(error.message, expected);
      return true;
    });
  }
});

test("no more than the newest 1000 are looked at", async () => {
  let read = 0;
  async function* list() {
    for (;;) {
      read++;
      yield { id: `${first}-${read}` };
    }
  }
  await assert.rejects(findStoredId(list, naming, "bbbbbbbb"), /None of/);
  assert.equal(read, 1000);
});
