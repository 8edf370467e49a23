import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "./hex.ts";

test("writes two digits for each octet, and reads them again", () => {
  const octets = Uint8Array.from({ length: 256 }, (_, at) => at);
  assert.match(toHex(octets), /^000102.*0f10.*fdfeff$/);
  assert.deepEqual(fromHex(toHex(octets)), octets);
  assert.equal(toHex(new Uint8Array()), "");
});
