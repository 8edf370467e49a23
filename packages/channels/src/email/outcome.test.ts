import assert from "node:assert/strict";
import { test } from "node:test";
import { outcomeOfError, outcomeOfReply, outcomeOfTimeout } from "./outcome.ts";
import { secretsOfSmtpUrl } from "./smtp-url.ts";

for (const [reply, statusCode] of [
  ["250 2.0.0 queued", 250],
  ["250-queued", 250],
  ["250", 250],
  ["25", undefined],
  ["2500 queued", undefined],
  [`${"2".repeat(400)} queued`, undefined],
  ["queued", undefined],
  ["", undefined],
] as const) {
  test(`the reply "${reply.slice(0, 20)}" has the code ${statusCode}`, () => {
    const expected = statusCode === undefined ? {} : { statusCode };
    assert.deepEqual(outcomeOfReply(reply), {
      outcome: "delivered",
      ...expected,
    });
  });
}

test("keeps none of the secrets that the mail server quotes", () => {
  const sent = Buffer.from("ann:p@ssword").toString("base64");
  const response = `535 5.7.8 ann: ${sent} p@ssword refused`;
  const error = Object.assign(new Error(response), {
    code: "EAUTH",
    response,
    responseCode: 535,
  });
  const secrets = secretsOfSmtpUrl("smtp://ann:p%40ssword@mail.test");
  assert.equal(
    outcomeOfError(error, secrets).error,
    "The mail server answered 535 5.7.8 ann: *** *** refused",
  );
});

for (const digits of ["5500", "99999999999999999999", "5".repeat(400), "55"]) {
  test(`a refusal with the code ${digits.slice(0, 20)} is none`, () => {
    const response = `${digits} no such user`;
    const error = Object.assign(new Error(response), {
      code: "EENVELOPE",
      response,
      responseCode: Number(digits),
    });
    const result = outcomeOfError(error);
    assert.equal(result.outcome, "deferred");
    assert.equal(result.statusCode, undefined);
    assert.match(result.error, /^The mail server answered \d+/);
  });
}

test("a mail whose time was up says what it waited for", () => {
  assert.match(
    outcomeOfTimeout(30_000).error,
    /server did not take .* 30 s\.$/,
  );
  assert.equal(outcomeOfTimeout(30_000).errorClass, "timeout");
  for (const [waitedFor, error] of [
    ["memory", /^The mail waited 30 s for others with files/],
    ["turn", /^The mail waited 30 s for its turn/],
  ] as const) {
    const result = outcomeOfTimeout(30_000, waitedFor);
    assert.match(result.error, error);
    // Nothing is known of the server, nor of the recipient.
    assert.equal(result.errorClass, "internal");
  }
});
