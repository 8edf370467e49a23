import assert from "node:assert/strict";
import { test } from "node:test";
import { OutgoingMessage } from "./outgoing-message.ts";
import { rawParams } from "./raw-params.ts";

const namesLeft = (given: readonly string[], fixed: readonly string[]) => {
  const params = Object.fromEntries(given.map((name) => [name, 1]));
  const message = new OutgoingMessage("491510000000", "Hi").params(params);
  return rawParams(message, fixed).map(([name]) => name);
};

test("leaves out what is fixed, however it is spelt", () => {
  const spellings = ["To", "to", "TO", "To[]", "to[0]", "t-o", "to."];
  assert.deepEqual(namesLeft([...spellings, "Tom", "toll"], ["To"]), [
    "Tom",
    "toll",
  ]);
  assert.deepEqual(namesLeft(["statusUrl", "x"], ["status_url"]), ["x"]);
});

test("a star stands for every end of a name", () => {
  const given = ["MediaUrl", "mediaurl1", "MediaUrls[0]", "Media"];
  assert.deepEqual(namesLeft(given, ["MediaUrl*"]), ["Media"]);
});

test("keeps everything else in its order, with its value", () => {
  const params = { b: [1, null], a: "x" };
  const message = new OutgoingMessage("491510000000", "Hi").params(params);
  assert.deepEqual(rawParams(message, ["To"]), Object.entries(params));
});
