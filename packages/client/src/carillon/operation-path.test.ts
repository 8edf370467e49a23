import assert from "node:assert/strict";
import { test } from "node:test";
import { InvalidOptionsError } from "../errors.ts";
import { toApiRequest } from "./operation-path.ts";

const method = "GET";

test("a text is taken apart into segments and query", () => {
  for (const [path, segments, query] of [
    ["/messages", ["messages"], {}],
    ["/messages?limit=1&tag=a%20b", ["messages"], { limit: "1", tag: "a b" }],
    ["/opt-outs/%2B49151", ["opt-outs", "+49151"], {}],
    ["/keys/a%2Fb/enable", ["keys", "a/b", "enable"], {}],
    ["/topics/urn:smn:local:p:t", ["topics", "urn:smn:local:p:t"], {}],
    ["/messages?", ["messages"], {}],
  ] as const) {
    const request = toApiRequest({ method, path });
    assert.deepEqual(request, { method, path: segments, query });
  }
});

test("the query of a text joins the query beside it", () => {
  const request = { method, path: "/a?b=1", query: { c: 2 } } as const;
  assert.deepEqual(toApiRequest(request).query, { b: "1", c: 2 });
});

test("segments stay as they are", () => {
  const request = { method, path: ["a/b?", "c"], body: {} } as const;
  assert.deepEqual(toApiRequest(request), request);
});

test("refuses what is no path below /api/v2", () => {
  for (const path of [
    "",
    "/",
    "messages",
    "/messages/",
    "//messages",
    "/messages/../users",
    "/messages/%2e%2e/users",
    "/messages/%zz",
    "/messages#x",
    "/api/v2/messages",
    "https://carillon.example/api/v2/messages",
    undefined,
  ]) {
    assert.throws(
      () => toApiRequest({ method, path: path as string }),
      (error) =>
        error instanceof InvalidOptionsError &&
        error.message.includes(`"/messages?limit=1", got "${path}"`),
      path,
    );
  }
});

test("refuses a query that says something twice", () => {
  const twice = { method, path: "/messages?limit=1&limit=2" } as const;
  const beside = { method, path: "/a?limit=1", query: { limit: 2 } } as const;
  for (const request of [twice, beside]) {
    assert.throws(() => toApiRequest(request), /Expected limit once/);
  }
});
