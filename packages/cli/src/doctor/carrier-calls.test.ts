import assert from "node:assert/strict";
import { test } from "node:test";
import { checkCarrierCalls } from "./carrier-calls.ts";

const us = { type: "twilio", name: "us" };

test("warns of carriers that are not told where to call", () => {
  const [found] = checkCarrierCalls({ sms: { providers: [us, "null"] } });
  assert.equal(found?.result, "warning");
  assert.match(found.found, /publicUrl is not set: us is not told/);
});

test("says nothing where there is no carrier, and that all is well where it is", () => {
  assert.deepEqual(checkCarrierCalls({ sms: { providers: ["null"] } }), []);
  const peer = { type: "forward-client", name: "peer" };
  assert.deepEqual(checkCarrierCalls({ sms: { providers: [peer] } }), []);
  const sms = { providers: [us] };
  const publicUrl = "https://sms.example.com";
  assert.equal(checkCarrierCalls({ sms, publicUrl })[0]?.result, "ok");
  const own = { ...us, callbackUrl: "https://in.example.com/us" };
  assert.equal(
    checkCarrierCalls({ sms: { providers: [own] } })[0]?.result,
    "ok",
  );
});
