import assert from "node:assert/strict";
import { test } from "node:test";
import { addMs, toEpochMs } from "@carillon/core";
import { Webhook } from "standardwebhooks";
import {
  problemWithSignature,
  problemWithWebhookSecret,
} from "./webhook-signature.ts";

const secret = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const other = "whsec_AAFVsBQIhrscChlQIMV+b5sSYspob7oD";
const now = toEpochMs(1_700_000_000_000);
const body = '{"events": []}';

function sign(key = secret, at: number = now) {
  return {
    id: "msg_1",
    timestamp: String(Math.floor(at / 1000)),
    signature: new Webhook(key).sign("msg_1", new Date(at), body),
  };
}

function check(
  headers: Parameters<typeof problemWithSignature>[1],
  text = body,
) {
  return problemWithSignature(secret, headers, Buffer.from(text), now);
}

test("takes what the library of the specification signs", () => {
  assert.equal(check(sign()), undefined);
  const { signature, ...rest } = sign();
  const several = `v1,aaaa v1a,bbbb ${signature}`;
  assert.equal(check({ ...rest, signature: several }), undefined);
});

test("refuses what is signed otherwise, changed, old or not at all", () => {
  const good = sign();
  const { signature } = good;
  for (const [headers, words] of [
    [sign(other), /signature is wrong/],
    [{ ...good, id: "msg_2" }, /signature is wrong/],
    [{ ...good, timestamp: `0${good.timestamp}` }, /signature is wrong/],
    [{ ...good, signature: signature.slice(3) }, /signature is wrong/],
    [
      { ...good, signature: `${"v1,a ".repeat(10)}${signature}` },
      /signature is wrong/,
    ],
    [{ ...good, signature: "" }, /are needed/],
    [{ ...good, id: undefined }, /are needed/],
    [{ ...good, id: "x".repeat(3000) }, /are needed/],
    [{ ...good, signature: ["a", "b"] }, /are needed/],
    [{ ...good, timestamp: "yesterday" }, /seconds since 1970/],
    [sign(secret, addMs(now, -301_000)), /more than 5 minutes/],
    [sign(secret, addMs(now, 301_000)), /more than 5 minutes/],
  ] as const) {
    assert.match(check(headers) ?? "", words);
  }
  assert.match(check(good, `${body} `) ?? "", /signature is wrong/);
  assert.equal(check(sign(secret, addMs(now, -299_000))), undefined);
});

test("a secret has its form", () => {
  assert.equal(problemWithWebhookSecret(secret), undefined);
  for (const wrong of [
    "",
    "secret",
    secret.slice(6),
    "whsec_",
    "whsec_AAAA",
    `whsec_${"A".repeat(400)}`,
    "whsec_not base64 at all, is it?",
    7,
  ]) {
    const problem = problemWithWebhookSecret(wrong) ?? "";
    assert.match(problem, /^expected whsec_/);
    assert.ok(wrong === "" || !problem.includes(String(wrong).slice(8) || "-"));
  }
});
