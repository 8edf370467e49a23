import assert from "node:assert/strict";
import { test } from "node:test";
import { IncomingMessage } from "./incoming-message.ts";

test("normalises both numbers and fills in the rest", () => {
  const before = Date.now();
  const message = new IncomingMessage("+1 23", "hi", { dst: "+4-5" });
  assert.equal(message.src, "123");
  assert.equal(message.dst, "45");
  assert.equal(message.msgid, null);
  assert.equal(message.provider, null);
  assert.deepEqual(message.meta, {});
  assert.ok(message.rtime.getTime() >= before);
});

test("an empty recipient is none", () => {
  assert.equal(new IncomingMessage("1", "hi", { dst: "" }).dst, null);
  assert.equal(new IncomingMessage("1", "hi", { dst: null }).dst, null);
});

test("keeps an alphanumeric sender in meta", () => {
  const meta = { a: 1 };
  const message = new IncomingMessage("Acme", "hi", { meta });
  assert.equal(message.src, "");
  assert.deepEqual(message.meta, { a: 1, rawSrc: "Acme" });
  assert.deepEqual(meta, { a: 1 });
});
