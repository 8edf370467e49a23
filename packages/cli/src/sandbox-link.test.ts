import assert from "node:assert/strict";
import { test } from "node:test";
import { linkIn } from "./sandbox-link.ts";

test("finds the link that confirms, or else the first", () => {
  const confirm = "http://127.0.0.1:7070/c/0f3c";
  const long = "http://127.0.0.1:7070/smn/confirm?token=0f3c&action=confirm";
  assert.equal(
    linkIn(`See http://a.example/ and\n${confirm}\nor not`),
    confirm,
  );
  assert.equal(linkIn(JSON.stringify({ url: "http://a/", x: long })), long);
  assert.equal(
    linkIn("at https://b.example/u/1 and http://c/"),
    "https://b.example/u/1",
  );
  assert.equal(linkIn("nothing"), undefined);
});
