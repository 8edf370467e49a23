import assert from "node:assert/strict";
import { test } from "node:test";
import { addMs, type MessageId, toEpochMs } from "@carillon/core";
import { bounceTokenDays, createBounceAddresses } from "./bounce-address.ts";

const now = toEpochMs(Date.UTC(2026, 0, 1));
const messageId = "0189f5c2a7b37c4d8e9f001122334455" as MessageId;
const options = {
  key: new Uint8Array(32).fill(7),
  domain: "bounces.example.com",
  mailbox: "bounce",
};
const addresses = createBounceAddresses(options);

test("reads the mail back from the address it was sent from", () => {
  for (const target of [0, 1, 35, 36, 999_999_999_999_999]) {
    const address = addresses.addressOf({ messageId, target }, now);
    assert.match(address, /^bounce\+[a-z0-9]+@bounces\.example\.com$/);
    assert.ok(address.indexOf("@") <= 64, address);
    const read = { kind: "mail", mail: { messageId, target } };
    assert.deepEqual(addresses.read(address, now), read);
    assert.deepEqual(addresses.read(address.toUpperCase(), now), read);
  }
});

test("knows no address that it has not made", () => {
  const address = addresses.addressOf({ messageId, target: 5 }, now);
  const at = address.indexOf("@");
  const begin = "bounce+".length;
  for (let n = begin; n < at; n++) {
    for (const other of ["a", "b", "7", "z"]) {
      if (address[n] === other) continue;
      const forged = address.slice(0, n) + other + address.slice(n + 1);
      const { kind } = addresses.read(forged, now);
      // The last two bits of the id stand for nothing.
      const isSame = n === begin + 25 && kind === "mail";
      assert.ok(kind === "unknown" || isSame, forged);
    }
  }
  for (const forged of [
    `${address.slice(0, at)}1${address.slice(at)}`,
    address.slice(0, at - 1) + address.slice(at),
    address.replace("bounce+", "other+"),
    address.replace("@bounces.", "@other."),
    address.replace("+", "-"),
    "bounce+@bounces.example.com",
    "postmaster@bounces.example.com",
    "@bounces.example.com",
    "bounce",
    "",
    `bounce+${"a".repeat(100_000)}@bounces.example.com`,
  ]) {
    assert.equal(addresses.read(forged, now).kind, "unknown", forged);
  }
  const others = createBounceAddresses({
    ...options,
    key: new Uint8Array(32).fill(8),
  });
  assert.equal(others.read(address, now).kind, "unknown");
});

test("knows an address for some time, and its mailbox for ever", () => {
  const address = addresses.addressOf({ messageId, target: 5 }, now);
  const dayMs = 86_400_000;
  const last = addMs(now, bounceTokenDays * dayMs);
  assert.equal(addresses.read(address, last).kind, "mail");
  assert.equal(addresses.read(address, addMs(last, dayMs)).kind, "expired");
  const mailbox = "Bounce@bounces.example.com";
  assert.equal(addresses.read(mailbox, last).kind, "mailbox");
});
