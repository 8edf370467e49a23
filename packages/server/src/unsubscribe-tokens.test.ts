import assert from "node:assert/strict";
import { test } from "node:test";
import type { SubscriptionId } from "@carillon/core";
import { createUnsubscribeTokens } from "./unsubscribe-tokens.ts";

const id = "fedcba9876543210fedcba9876543210" as SubscriptionId;
const tokens = createUnsubscribeTokens(new Uint8Array(32).fill(1));

test("a token leads back to its subscription", () => {
  const token = tokens.tokenOf(id);
  assert.match(token, /^[A-Za-z0-9_-]{32}$/);
  assert.equal(tokens.idOf(token), id);
});

test("what was altered or made under another key leads nowhere", () => {
  const token = tokens.tokenOf(id);
  for (let at = 0; at < token.length; at++) {
    const other = token[at] === "A" ? "B" : "A";
    const altered = token.slice(0, at) + other + token.slice(at + 1);
    assert.equal(tokens.idOf(altered), undefined);
  }
  const foreign = createUnsubscribeTokens(new Uint8Array(32).fill(2));
  for (const bad of ["", "x", `${token}A`, foreign.tokenOf(id), id]) {
    assert.equal(tokens.idOf(bad), undefined, bad);
  }
});
