import assert from "node:assert/strict";
import { test } from "node:test";
import { AccountIds } from "./account-ids.ts";

test("an id has its dash without a prefix, too", () => {
  const account = ["acme", "tom"];
  for (const [prefix, beginning] of [
    ["1", "1-15-"],
    ["", "-15-"],
    [undefined, "-15-"],
    ["a-", "a--15-"],
  ] as const) {
    const id = new AccountIds(prefix, account).toId("15");
    assert.match(id.slice(beginning.length), /^[0-9a-f]{8}$/);
    assert.ok(id.startsWith(beginning), id);
  }
});

test("ids of an account are its own under every prefix, and no other's", () => {
  const ids = new AccountIds("shop", ["acme", "tom"]);
  const own = ids.toId("15");
  assert.ok(ids.isOwn(own));
  assert.ok(new AccountIds("", ["acme", "tom"]).isOwn(own));
  for (const account of [["acme", "tim"], ["acne", "tom"], ["acmetom"], []]) {
    assert.ok(!new AccountIds("shop", account).isOwn(own), String(account));
  }
  assert.ok(!ids.isOwn("shop-15"));
  assert.ok(!ids.isOwn(""));
});
