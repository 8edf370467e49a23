import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { isSignedJwt } from "./jwt.ts";

const now = new Date(1_450_000_000_000);
const seconds = now.getTime() / 1000;

function tokenOf(
  payload: unknown,
  { alg = "HS256", key = "key" }: { alg?: string; key?: string } = {},
): string {
  const text = [{ alg, typ: "JWT" }, payload]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  return `${text}.${createHmac("sha256", key).update(text).digest("base64url")}`;
}

test("takes a token that the key signed and that is good now", async () => {
  for (const payload of [
    {},
    { id: 1 },
    { exp: seconds + 1, nbf: seconds - 1 },
    // Clocks differ.
    { exp: seconds - 30, nbf: seconds + 30 },
  ]) {
    assert.ok(await isSignedJwt(tokenOf(payload), "key", now));
  }
});

for (const [title, token] of Object.entries({
  "another key's": tokenOf({}, { key: "another" }),
  "one without an algorithm": tokenOf({}, { alg: "none" }),
  "one of another algorithm": tokenOf({}, { alg: "HS512" }),
  "one that is over": tokenOf({ exp: seconds - 61 }),
  "one that is not good yet": tokenOf({ nbf: seconds + 61 }),
  "one without claims": tokenOf(null),
  "one that was changed": tokenOf({ id: 1 }).replace(/\.e/, ".f"),
  "one with a part too many": `${tokenOf({})}.x`,
  "one with a part too few": "e30.e30",
  nothing: "",
  "what is no base64": "***.***.***",
})) {
  test(`refuses ${title}`, async () => {
    assert.equal(await isSignedJwt(token, "key", now), false);
  });
}
