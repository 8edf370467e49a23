import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { test } from "node:test";
import { ForbiddenRequestError } from "../../receiver.ts";
import { SignatureVerifier, type SignedRequest, sign } from "./signature.ts";

const now = Date.UTC(2026, 0, 1);
const nonce = "0123456789abcdef0123456789abcdef";
const request: SignedRequest = {
  method: "POST",
  url: "https://sms.example/a/srv/im?x=1",
  body: '{"ž":1}',
};
const refuses = (check: Promise<void>) =>
  assert.rejects(check, ForbiddenRequestError);
const verify = (
  other: Partial<SignedRequest>,
  header: string | undefined,
  at = now,
  secret = "key",
) => new SignatureVerifier(secret).verify({ ...request, ...other }, header, at);

test("signs the method, the path, the time, the nonce and the body", async () => {
  const signed = `POST\n/a/srv/im\n${now}\n${nonce}\n{"ž":1}`;
  const mac = createHmac("sha256", "key").update(signed).digest("hex");
  assert.equal(
    await sign("key", request, now, nonce),
    `t=${now},n=${nonce},v1=${mac}`,
  );
});

test("accepts what it signed, as text or octets, for five minutes", async () => {
  const header = await sign("key", request, now);
  await verify({}, header);
  await verify({ body: new TextEncoder().encode('{"ž":1}') }, header);
  // What a proxy in between may change.
  await verify({ url: "http://127.0.0.1:80/a/srv/im" }, header);
  await verify({}, header, now + 300_000);
  await verify({}, header, now - 300_000);
  await refuses(verify({}, header, now + 300_001));
  await refuses(verify({}, header, now - 300_001));
});

test("refuses any other method, path, body, key, time, nonce or form", async () => {
  const header = await sign("key", request, now, nonce);
  await refuses(verify({ method: "PUT" }, header));
  await refuses(verify({ url: "https://sms.example/a/srv/status" }, header));
  await refuses(verify({ url: "https://sms.example/b/srv/im" }, header));
  await refuses(verify({ body: "{}" }, header));
  await refuses(verify({}, header, now, "kez"));
  for (const wrong of [
    header.replace(String(now), String(now + 1)),
    header.replace(nonce, nonce.replace("0", "1")),
    undefined,
    "",
    "t=1",
    `${header},`,
    header.slice(0, -1),
  ]) {
    await refuses(verify({}, wrong));
  }
});

test("accepts a signature once as long as it is not too old", async () => {
  const verifier = new SignatureVerifier("key");
  const header = await sign("key", request, now);
  // What was refused is not used up.
  await refuses(verifier.verify({ ...request, body: "" }, header, now));
  await verifier.verify(request, header, now);
  await refuses(verifier.verify(request, header, now));
  // Others in between do not make it forgotten before its time.
  const later = now + 300_000;
  await verifier.verify(request, await sign("key", request, later), later);
  await refuses(verifier.verify(request, header, later));
});

test("accepts one of two that come at once", async () => {
  const verifier = new SignatureVerifier("key");
  const header = await sign("key", request, now);
  const outcomes = await Promise.allSettled(
    [1, 2].map(() => verifier.verify(request, header, now)),
  );
  assert.deepEqual(outcomes.map(({ status }) => status).sort(), [
    "fulfilled",
    "rejected",
  ]);
});
