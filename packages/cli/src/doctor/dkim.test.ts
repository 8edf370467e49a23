import assert from "node:assert/strict";
import { test } from "node:test";
import { checkDkim, type ResolveTxt } from "./dkim.ts";

const record = {
  domain: "example.com",
  name: "s1._domainkey.example.com",
  text: "v=DKIM1; k=rsa; p=AbC=",
};
const answer =
  (...texts: readonly string[][]): ResolveTxt =>
  async () =>
    texts;
const missing: ResolveTxt = async () => {
  throw Object.assign(new Error("queryTxt"), { code: "ENOTFOUND" });
};

for (const [what, from, resolve, result, found] of [
  [
    "the key, in pieces and with other tags",
    "a@example.com",
    answer(["other"], ["v=DKIM1; t=s; ", "p=A bC="]),
    "ok",
    /has the key/,
  ],
  [
    "the key of a domain above the sender's",
    "a@News.example.com",
    answer(["p=AbC="]),
    "ok",
    /has the key/,
  ],
  [
    "another key",
    "a@example.com",
    answer(["v=DKIM1; p=XyZ="]),
    "warning",
    /has another key/,
  ],
  ["no record", "a@example.com", missing, "warning", /not found \(ENOTFOUND\)/],
  [
    "another domain than the sender's",
    "a@badexample.com",
    answer(["p=AbC="]),
    "warning",
    /from badexample\.com are signed for example\.com/,
  ],
] as const) {
  test(`finds ${what}`, async () => {
    const [finding] = await checkDkim(record, from, { resolve });
    assert.equal(finding?.result, result);
    assert.match(finding?.found ?? "", found);
  });
}

test("says nothing of mails that are not signed, and what to publish of others", async () => {
  assert.deepEqual(await checkDkim(undefined, "a@b"), []);
  const options = { resolve: missing };
  const [finding] = await checkDkim(record, "a@example.com", options);
  assert.equal(
    finding?.advice,
    "Publish the TXT record s1._domainkey.example.com with the text: v=DKIM1; k=rsa; p=AbC=",
  );
});

test("an abort ends it", async () => {
  const reason = new Error("stop");
  await assert.rejects(
    checkDkim(record, "a@example.com", {
      signal: AbortSignal.abort(reason),
      resolve: missing,
    }),
    reason,
  );
});
