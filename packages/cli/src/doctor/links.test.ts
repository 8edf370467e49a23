import assert from "node:assert/strict";
import { test } from "node:test";
import { checkLinks, isLoopback } from "./links.ts";

test("links that others cannot open are found", () => {
  const result = (host: string, publicUrl?: string, sandbox = false) =>
    checkLinks({ host, publicUrl, sandbox }).result;
  const outside = "https://notify.example.com";
  assert.equal(result("0.0.0.0", outside), "ok");
  assert.equal(result("127.0.0.1", outside), "ok");
  assert.equal(result("0.0.0.0"), "failed");
  assert.equal(result("192.0.2.1", "http://localhost:7070"), "failed");
  assert.equal(result("0.0.0.0", undefined, true), "warning");
  assert.equal(result("127.0.0.1"), "warning");
  assert.equal(result("127.0.0.1", "http://127.0.0.1:7070"), "warning");
  assert.equal(result("localhost", undefined, true), "ok");
  const { found, advice } = checkLinks({ host: "0.0.0.0", sandbox: false });
  assert.equal(
    found,
    "the server listens on 0.0.0.0, and its links lead to 127.0.0.1",
  );
  assert.match(advice ?? "", /Set publicUrl/);
});

test("loopback has many names", () => {
  const loopback = ["localhost", "a.localhost.", "127.9.0.1", "[::1]", "::1"];
  for (const host of loopback) assert.ok(isLoopback(host), host);
  const others = ["example.com", "128.0.0.1", "localhost.example", "::2"];
  for (const host of others) assert.ok(!isLoopback(host), host);
});
