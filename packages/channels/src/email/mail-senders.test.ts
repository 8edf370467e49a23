import assert from "node:assert/strict";
import { test } from "node:test";
import { createSenderCheck, problemWithMailSender } from "./mail-senders.ts";

const isSender = createSenderCheck("noreply@carillon.example", [
  "Billing@Shop.example",
  "news.example",
  "bücher.example",
]);

for (const [address, expected] of [
  ["noreply@carillon.example", true],
  ["NoReply@Carillon.example", true],
  ["ceo@carillon.example", false],
  ["billing@shop.example", true],
  ["other@shop.example", false],
  ["anybody@news.example", true],
  ["anybody@sub.news.example", false],
  ["anybody@evilnews.example", false],
  ["a@bücher.example", true],
  ["a@xn--bcher-kva.example", true],
] as const) {
  test(`${address} ${expected ? "may" : "may not"} be a sender`, () => {
    assert.equal(isSender(address), expected);
  });
}

test("with nothing configured the service's own address is the only one", () => {
  const isOnly = createSenderCheck("a@b.example");
  assert.equal(isOnly("a@b.example"), true);
  assert.equal(isOnly("c@b.example"), false);
});

for (const [entry, isGood] of [
  ["billing@example.com", true],
  ["example.com", true],
  ["bücher.example", true],
  ["*.example.com", false],
  ["@example.com", false],
  ["Jane <a@b.example>", false],
  ["", false],
] as const) {
  test(`${entry || "nothing"} is ${isGood ? "a" : "no"} sender`, () => {
    assert.equal(problemWithMailSender(entry) === undefined, isGood);
  });
}
