import assert from "node:assert/strict";
import { test } from "node:test";
import { parseMessageId } from "./mail-key.ts";

const messageId = "0189f5c2a7b37c4d8e9f001122334455";

for (const text of [
  `<${messageId}.7@example.com>`,
  `${messageId}.7@example.com`,
  `${messageId}.7`,
]) {
  test(`reads ${text}`, () => {
    assert.deepEqual(parseMessageId(text), { messageId, target: 7 });
  });
}

for (const text of [
  "",
  messageId,
  `${messageId.slice(1)}.7`,
  `${messageId}.-7`,
  `${messageId}.7@`,
  `<somebody@elsewhere.example>`,
]) {
  test(`finds no mail of ours in "${text}"`, () => {
    assert.equal(parseMessageId(text), undefined);
  });
}
