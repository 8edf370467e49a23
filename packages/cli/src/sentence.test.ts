import assert from "node:assert/strict";
import { test } from "node:test";
import { fitSentence, wrapWords } from "./sentence.ts";

const terminal = (columns: number) => ({ isTTY: true, columns });

test("on a terminal a sentence is broken between words", () => {
  const text = "There are no deliveries: nobody is subscribed.";
  assert.equal(
    fitSentence(text, terminal(24)),
    "There are no deliveries:\nnobody is subscribed.",
  );
  assert.equal(fitSentence(text, { isTTY: false, columns: 24 }), text);
  assert.equal(fitSentence(text, { isTTY: true }), text);
});

test("commands, links and lines to copy stay whole", () => {
  const id = "0198c2f4a1b27c3d8e4f5a6b7c8d9e0f";
  assert.equal(
    fitSentence(
      `Not yet; carillon deliveries ${id} --follow shows it.\n  carillon subscription confirm http://a.example/c/1`,
      terminal(40),
    ),
    `Not yet;\ncarillon deliveries ${id} --follow\nshows it.\n  carillon subscription confirm http://a.example/c/1`,
  );
});

test("lines of a list are broken too, where they are sentences", () => {
  const text =
    "2 configuration mistakes:\n  --port: expected a whole number, got x\n  host: none";
  assert.equal(
    fitSentence(text, terminal(30), "wrapped"),
    "2 configuration mistakes:\n  --port: expected a whole\n    number, got x\n  host: none",
  );
});

test("a word that is longer than the terminal has its own line", () => {
  assert.deepEqual(wrapWords("a 123456789 b", 4), ["a", "123456789", "b"]);
  assert.deepEqual(wrapWords("日本 日本", 7), ["日本", "日本"]);
});
