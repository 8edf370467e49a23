/** Explaining where a text would go. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { DeliveryPolicy, Gateway, NullProvider } from "@carillon/gateway";
import { startTestServer } from "../../../test-support/test-server.ts";

function createGateway() {
  const gateway = new Gateway({
    policy: new DeliveryPolicy({
      currency: "EUR",
      providers: { a: { costPerSegment: 0.05, senders: ["111"] } },
      rules: [
        { name: "us", when: { country: ["US"] }, use: "b" },
        { name: "codes", when: { class: ["otp"] }, use: "a || b" },
        { name: "acme", when: { sender: ["ACME"] }, use: "b", sticky: true },
      ],
    }),
  });
  const sent: string[] = [];
  for (const name of ["a", "b"]) gateway.addProvider(name, new NullProvider());
  gateway.onSend.add(({ dst }) => void sent.push(dst));
  return { gateway, sent };
}

const text = { recipient: "+420777123456", text: "Ahoj, kód je 123456" };

test("says rule, providers, segments and cost, and sends nothing", async () => {
  const { gateway, sent } = createGateway();
  await using server = await startTestServer({ gateway });
  const explain = async (body: object) =>
    await server.call("POST", "/api/v2/sms/explain", body);
  const code = await explain({ ...text, class: "otp" });
  assert.equal(code.status, 200);
  assert.deepEqual(code.body, {
    provider: "a",
    by: "policy",
    rule: "codes",
    use: "a || b",
    sticky: false,
    reason: 'rule "codes" matched: the class is otp',
    considered: [
      { rule: "us", matched: false, reason: "the country is CZ, not US" },
      { rule: "codes", matched: true, reason: "the class is otp" },
      { rule: "acme", matched: false, reason: 'rule "codes" comes before it' },
    ],
    candidates: [
      {
        provider: "a",
        sender: "111",
        breaker: "closed",
        paused: false,
        estimatedCost: { amount: 0.05, currency: "EUR" },
      },
      { provider: "b", breaker: "closed", paused: false },
    ],
    encoding: "ucs2",
    segments: 1,
    estimatedCost: { amount: 0.05, currency: "EUR" },
    problems: [],
  });
  const acme = await explain({ ...text, sender: "acme" });
  assert.deepEqual([acme.body.rule, acme.body.sticky], ["acme", true]);
  const other = await explain({ ...text, text: "x".repeat(1001) });
  assert.deepEqual(
    [other.body.by, other.body.provider, other.body.rule, other.body.segments],
    ["default", "a", undefined, 7],
  );
  assert.deepEqual(other.body.estimatedCost, { amount: 0.35, currency: "EUR" });
  assert.match(other.body.problems.join(), /1001 characters.* may have 1000/);
  assert.deepEqual(sent, []);
  const { body } = await server.call("GET", "/api/v2/messages");
  assert.deepEqual(body.messages, []);
});

test("refuses what is no text, and says what is wrong", async () => {
  const { gateway } = createGateway();
  await using server = await startTestServer({ gateway });
  for (const [body, code] of [
    [{ ...text, recipient: "0777" }, "ENDPOINT_INVALID"],
    [{ text: "hi" }, "ENDPOINT_INVALID"],
    [{ recipient: text.recipient }, "MESSAGE_INVALID"],
    [{ ...text, class: "loud" }, "MESSAGE_OPTION_INVALID"],
    [{ ...text, sender: "x".repeat(21) }, "MESSAGE_OPTION_INVALID"],
  ] as const) {
    const answer = await server.call("POST", "/api/v2/sms/explain", body);
    assert.deepEqual([answer.status, answer.body.code], [400, code]);
  }
});
