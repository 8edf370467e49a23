import assert from "node:assert/strict";
import { test } from "node:test";
import { toRequestTarget } from "./request-target.ts";

for (const [url, path] of [
  ["http://a.test", "/"],
  ["http://a.test?x=1", "/?x=1"],
  ["http://a.test/p?", "/p"],
  ["http://a.test/p?x='y'", "/p?x='y'"],
  ["http://a.test/it's?x='y'#z'", "/it's?x='y'"],
  ["http://a.test/p?a='%27'&b[]=1&c={2}|^`\\~", "/p?a='%27'&b[]=1&c={2}|^`\\~"],
  ["http://a.test/p?%27", "/p?%27"],
  ["http://u:p'@a.test?'", "/?'"],
  // What is no URL without escapes.
  ["http://a.test/p?'ü'", "/p?%27%C3%BC%27"],
  ["http://a.test/p?'\"'", "/p?%27%22%27"],
  ["http://a.test/ü?ü", "/%C3%BC?%C3%BC"],
  // Dot segments are resolved before a request is sent (RFC 3986 §5.2.4).
  ["http://a.test/a/../b?'..'", "/b?'..'"],
] as const) {
  test(`asks for ${path} at ${url}`, () => {
    assert.equal(toRequestTarget(url)?.path, path);
  });
}

for (const [userInfo, credentials] of [
  ["user:secret", "user:secret"],
  ["user", "user:"],
  [":secret", ":secret"],
  ["user:", "user:"],
  ["us%20er:p%40%2F%23%3a", "us er:p@/#:"],
  ["user:a:b", "user:a:b"],
  ["üser:ß", "üser:ß"],
  ["user:100%", "user:100%"],
] as const) {
  test(`sends ${userInfo}@ as Basic authentication`, () => {
    const target = toRequestTarget(`https://${userInfo}@a.test:8443/x`);
    assert.deepEqual(target, {
      origin: "https://a.test:8443",
      path: "/x",
      authorization: `Basic ${Buffer.from(credentials).toString("base64")}`,
    });
  });
}

test("sends no credentials where there are none", () => {
  for (const url of [
    "http://a.test/@b",
    "http://@a.test/",
    "http://:@a.test/",
  ]) {
    assert.ok(!("authorization" in (toRequestTarget(url) ?? assert.fail())));
  }
});

test("bytes that are no UTF-8 go out as they are", () => {
  const target = toRequestTarget("http://u:%ff%E9@a.test/");
  assert.equal(
    target?.authorization,
    `Basic ${Buffer.from("u:\xff\xe9", "latin1").toString("base64")}`,
  );
});
