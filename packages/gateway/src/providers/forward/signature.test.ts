import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { ForbiddenRequestError } from "../../receiver.ts";
import { sign, verify } from "./signature.ts";

const now = Date.UTC(2026, 0, 1);
const refuses = (check: Promise<void>) =>
  assert.rejects(check, ForbiddenRequestError);

test("signs the time and the body", async () => {
  const mac = createHmac("sha256", "key").update(`${now}.{"ž":1}`);
  const expected = `t=${now},v1=${mac.digest("hex")}`;
  assert.equal(await sign("key", '{"ž":1}', now), expected);
});

test("accepts what it signed, as text or octets, for five minutes", async () => {
  const header = await sign("key", "body", now);
  await verify("key", "body", header, now);
  await verify("key", new TextEncoder().encode("body"), header, now);
  await verify("key", "body", header, now + 300_000);
  await verify("key", "body", header, now - 300_000);
  await refuses(verify("key", "body", header, now + 300_001));
  await refuses(verify("key", "body", header, now - 300_001));
});

test("refuses any other body, key, time or form", async () => {
  const header = await sign("key", "body", now);
  await refuses(verify("key", "bodY", header, now));
  await refuses(verify("kez", "body", header, now));
  const later = header.replace(String(now), String(now + 1));
  await refuses(verify("key", "body", later, now));
  for (const wrong of [
    undefined,
    "",
    "t=1",
    `${header},`,
    header.slice(0, -1),
  ]) {
    await refuses(verify("key", "body", wrong, now));
  }
});
