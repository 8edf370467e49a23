import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { toHex } from "./hex.ts";
import { importHmacKey } from "./hmac.ts";

for (const hash of ["SHA-1", "SHA-256"] as const) {
  test(`signs with ${hash} as others do, and verifies no other`, async () => {
    const key = await importHmacKey("schlüssel", hash);
    const mac = await key.sign("Grüße");
    const other = createHmac(hash.replace("-", ""), "schlüssel");
    assert.equal(toHex(mac), other.update("Grüße").digest("hex"));
    const octets = new TextEncoder().encode("Grüße");
    assert.equal(await key.verify(mac, octets), true);
    assert.equal(await key.verify(mac, "Grüsse"), false);
    assert.equal(await key.verify(mac.subarray(1), octets), false);
  });
}
