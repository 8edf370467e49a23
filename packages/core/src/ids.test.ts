import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import {
  createTimeOrderedIds,
  isHexId,
  type MessageId,
  parseDeliveryId,
  toDeliveryId,
} from "./ids.ts";
import { systemClock } from "./ports/clock.ts";
import { toEpochMs } from "./time.ts";

const randomHex = (n: number) => randomBytes(n).toString("hex");

test("ids are 32 hexadecimal characters that sort by time", () => {
  let now = 1_700_000_000_000;
  const newId = createTimeOrderedIds(() => toEpochMs(now++), randomHex);
  const ids = Array.from({ length: 2000 }, newId);
  assert.ok(ids.every(isHexId));
  assert.deepEqual(ids, [...ids].sort());
});

test("ids of one instant differ", () => {
  const newId = createTimeOrderedIds(
    () => toEpochMs(1_700_000_000_000),
    randomHex,
  );
  assert.equal(new Set(Array.from({ length: 20_000 }, newId)).size, 20_000);
});

test("ids carry version 7 and the variant of RFC 9562", () => {
  const newId = createTimeOrderedIds(systemClock.now, randomHex);
  for (let i = 0; i < 1000; i++) {
    assert.match(newId(), /^[0-9a-f]{12}7[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  }
});

test("a delivery id names its message and target", () => {
  const message = "0123456789abcdef0123456789abcdef" as MessageId;
  const id = toDeliveryId(message, 42);
  assert.deepEqual(parseDeliveryId(id), { message, target: 42 });
  for (const text of [
    "",
    "x",
    `${message}-`,
    `${message}-x`,
    `${message}1-1`,
  ]) {
    assert.equal(parseDeliveryId(text), undefined, text);
  }
});
