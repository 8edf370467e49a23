import assert from "node:assert/strict";
import { test } from "node:test";
import { createKeyedHash } from "./keyed-hash.ts";

const key = new Uint8Array(32).fill(1);

test("one list of parts has one name, for one key and purpose", () => {
  const hash = createKeyedHash(key, "a");
  assert.match(hash("x", "y"), /^[\w-]{43}$/);
  assert.equal(hash("x", "y"), createKeyedHash(key, "a")("x", "y"));
  const others = [
    hash("xy"),
    hash("x,y"),
    hash("x", "y", ""),
    hash('x","y'),
    createKeyedHash(key, "b")("x", "y"),
    createKeyedHash(new Uint8Array(32).fill(2), "a")("x", "y"),
  ];
  assert.equal(new Set([hash("x", "y"), ...others]).size, 7);
});
