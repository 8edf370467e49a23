import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CatalogueError,
  ConnectionError,
  InvalidOptionsError,
} from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { toFailure } from "./failure-sentence.ts";

const url = "https://notify.example.com:8443";

/** Those that no server on this machine brings about: see test/cli-bad-input. */
const sentences: readonly (readonly [code: string, sentence: RegExp])[] = [
  ["ENOTFOUND", /^There is no host notify\.example\.com: /],
  ["EAI_AGAIN", /^The address of notify\.example\.com cannot be looked up/],
  ["ETIMEDOUT", /^notify\.example\.com:8443 does not take connections/],
  ["UND_ERR_CONNECT_TIMEOUT", /does not take connections within the time/],
  ["EHOSTUNREACH", /^There is no way to notify.* \(EHOSTUNREACH\)/],
  ["ENETUNREACH", /^There is no way to notify.* \(ENETUNREACH\)/],
  ["ECONNRESET", /closed the connection .* of the proxy before it\.$/],
  ["CERT_NOT_YET_VALID", /is not valid yet: set this machine's clock/],
  ["SELF_SIGNED_CERT_IN_CHAIN", /authority that this machine does not trust/],
  ["EMFILE", /was not reached \(EMFILE\)/],
];

for (const [code, sentence] of sentences) {
  test(`${code} has a sentence`, () => {
    assert.match(
      sentenceOf(failed(Object.assign(new Error(code), { code }))),
      sentence,
    );
  });
}

test("the first of several addresses counts", () => {
  const refused = Object.assign(new Error(), { code: "ECONNREFUSED" });
  const other = Object.assign(new Error(), { code: "ENETUNREACH" });
  const error = failed(new AggregateError([refused, other]));
  assert.match(sentenceOf(error), /^No server answers at https:/);
});

test("what cannot be asked for is exit code 2", () => {
  const failure = toFailure(new InvalidOptionsError("No."), url, "x");
  assert.ok(failure instanceof CommandFailure);
  assert.deepEqual([failure.exitCode, failure.message], [2, "No."]);
});

test("a catalogue without SMN is no Carillon's", () => {
  assert.match(sentenceOf(new CatalogueError("none")), /is it a Carillon\?$/);
});

test("other errors stay as they are", () => {
  const own = new TypeError("a fault of ours");
  assert.equal(toFailure(own, url, "x"), own);
});

/** As Node's fetch fails. */
function failed(cause: Error): ConnectionError {
  return new ConnectionError("got no answer", {
    cause: new TypeError("fetch failed", { cause }),
    outcomeUnknown: false,
  });
}

function sentenceOf(error: unknown): string {
  const failure = toFailure(error, url, "CARILLON_ACCESS_KEY");
  assert.ok(failure instanceof CommandFailure);
  return failure.message;
}
