import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type ConfirmationGrant,
  type SubscriptionId,
  toEpochMs,
} from "@carillon/core";
import { seededRandom } from "@carillon/testing";
import { createSubscriptionTokens } from "./subscription-tokens.ts";

const tokens = createSubscriptionTokens(new Uint8Array(32).fill(1));
const foreign = createSubscriptionTokens(new Uint8Array(32).fill(2));
const random = seededRandom(8);
const below = (limit: number) => Math.floor(random() * limit);

function randomGrant(): ConfirmationGrant {
  const digits = Array.from({ length: 32 }, () => below(16).toString(16));
  return {
    subscriptionId: digits.join("") as SubscriptionId,
    generation: below(2) * below(0x1_000_000),
    expiresAt: toEpochMs(below(4_000_000_000) * 1000),
  };
}

/** The grant and all that differ from it in one thing. */
function neighbours(grant: ConfirmationGrant): ConfirmationGrant[] {
  const { subscriptionId, generation, expiresAt } = grant;
  const other = subscriptionId.startsWith("0") ? "1" : "0";
  return [
    grant,
    {
      ...grant,
      subscriptionId: `${other}${subscriptionId.slice(1)}` as SubscriptionId,
    },
    { ...grant, generation: generation ^ 1 },
    { ...grant, expiresAt: toEpochMs(expiresAt + 1000) },
  ];
}

test("a token is read back as what it was made for", () => {
  for (let run = 0; run < 200; run++) {
    const grant = randomGrant();
    const { subscriptionId, generation } = grant;
    const confirmation = tokens.confirmationToken(grant);
    assert.match(confirmation, /^[0-9a-f]{80}$/);
    assert.ok(!confirmation.includes(subscriptionId));
    assert.deepEqual(tokens.openConfirmationToken(confirmation), grant);
    const leaving = tokens.unsubscribeToken(grant);
    assert.match(leaving, /^[A-Za-z0-9_-]{36}$/);
    assert.deepEqual(tokens.openUnsubscribeToken(leaving), {
      subscriptionId,
      generation,
    });
    const code = tokens.confirmationCode(grant);
    assert.match(code, /^\d{6}$/);
    assert.ok(tokens.isConfirmationCode(code, grant));
  }
});

test("an instant within a second is the second's", () => {
  const grant = { ...randomGrant(), expiresAt: toEpochMs(1999) };
  const opened = tokens.openConfirmationToken(tokens.confirmationToken(grant));
  assert.equal(opened?.expiresAt, 1000);
});

test("no token of one purpose, subscription, generation or expiry is that of another", () => {
  for (let run = 0; run < 50; run++) {
    const near = neighbours(randomGrant());
    const confirmations = near.map((it) => tokens.confirmationToken(it));
    assert.equal(new Set(confirmations).size, near.length);
    const leaving = near.map((it) => tokens.unsubscribeToken(it));
    // The last differs in its expiry alone, which these do not have.
    assert.equal(new Set(leaving).size, near.length - 1);
    for (const [n, token] of confirmations.entries()) {
      assert.deepEqual(tokens.openConfirmationToken(token), near[n]);
      assert.equal(tokens.openUnsubscribeToken(token), undefined);
      // The bytes of one with the code of another.
      const next = confirmations[(n + 1) % near.length] ?? "";
      const mixed = token.slice(0, 48) + next.slice(48);
      assert.equal(tokens.openConfirmationToken(mixed), undefined);
    }
    for (const [n, token] of leaving.entries()) {
      assert.equal(tokens.openConfirmationToken(token), undefined);
      const hex = Buffer.from(token, "base64url").toString("hex");
      assert.equal(tokens.openConfirmationToken(hex), undefined);
      // The first half of a confirmation's code is none for leaving.
      const bytes = Buffer.from(confirmations[n] ?? "", "hex");
      const cut = Buffer.concat([
        bytes.subarray(0, 19),
        bytes.subarray(24, 32),
      ]);
      const retold = cut.toString("base64url");
      assert.equal(tokens.openUnsubscribeToken(retold), undefined);
    }
  }
});

test("a code is good for its grant, but for chance", () => {
  let hits = 0;
  for (let run = 0; run < 300; run++) {
    const [grant, ...others] = neighbours(randomGrant());
    assert.ok(grant);
    const code = tokens.confirmationCode(grant);
    hits += others.filter((it) => tokens.isConfirmationCode(code, it)).length;
    if (foreign.isConfirmationCode(code, grant)) hits++;
  }
  // 1,200 comparisons, each of which agrees once in a million.
  assert.ok(hits <= 1);
  const [grant] = neighbours(randomGrant());
  assert.ok(grant);
  for (const bad of ["", "12345", "1234567", "12345x", "１２３４５６"]) {
    assert.equal(tokens.isConfirmationCode(bad, grant), false, bad);
  }
});

test("a token with any bit flipped is none", () => {
  const grant = randomGrant();
  const kinds = [
    [tokens.confirmationToken(grant), "hex", tokens.openConfirmationToken],
    [tokens.unsubscribeToken(grant), "base64url", tokens.openUnsubscribeToken],
  ] as const;
  for (const [token, encoding, open] of kinds) {
    const bytes = Buffer.from(token, encoding);
    assert.equal(bytes.toString(encoding), token);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = Buffer.from(bytes);
      flipped.writeUInt8(
        flipped.readUInt8(bit >> 3) ^ (1 << (bit & 7)),
        bit >> 3,
      );
      assert.equal(open(flipped.toString(encoding)), undefined, `bit ${bit}`);
    }
    for (const bad of ["", "x", token.slice(1), `${token}0`, ` ${token}`]) {
      assert.equal(open(bad), undefined, bad);
    }
  }
  // The same bytes in capitals.
  const [confirmation] = kinds[0];
  const capitals = confirmation.toUpperCase();
  assert.equal(tokens.openConfirmationToken(capitals), undefined);
});

test("tokens made under another key are none", () => {
  const grant = randomGrant();
  const confirmation = foreign.confirmationToken(grant);
  assert.equal(tokens.openConfirmationToken(confirmation), undefined);
  const leaving = foreign.unsubscribeToken(grant);
  assert.equal(tokens.openUnsubscribeToken(leaving), undefined);
});
