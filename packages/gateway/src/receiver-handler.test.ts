import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ConfigurationError } from "./errors.ts";
import { Gateway } from "./gateway.ts";
import type { IncomingMessage } from "./incoming-message.ts";
import { NullProvider } from "./providers/null/provider.ts";
import { type ReceiverRequest, textResponse } from "./receiver.ts";
import {
  createReceiverHandler,
  type ReceiverHandlerOptions,
} from "./receiver-handler.ts";
import { WebhookProvider } from "./testing/webhook-provider.ts";

function setUp(options: ReceiverHandlerOptions = {}) {
  const gateway = new Gateway();
  gateway.addProvider("null", new NullProvider());
  const provider = gateway.addProvider("main", new WebhookProvider());
  const handle = gateway.receiverHandler(options);
  const call = (
    method: string,
    path: string,
    body = "",
    more: Partial<ReceiverRequest> = {},
  ) => {
    const url = `http://localhost${path}`;
    const query = new URL(url).searchParams;
    const rawBody = new TextEncoder().encode(body);
    return handle({ method, url, headers: {}, query, rawBody, ...more });
  };
  return { gateway, provider, handle, call };
}

const TEXT = "from=%2B1+23&text=hi";

describe("mounting", () => {
  const PREFIXES: readonly (readonly [prefix: string, path: string])[] = [
    ["", "/main/im"],
    ["/", "/main/im"],
    ["/a/b/", "/a/b/main/im"],
    ["a/b", "/a/b/main/im"],
    ["/24fb0d6963f/", "/24fb0d6963f/main/im"],
  ];
  for (const [prefix, path] of PREFIXES) {
    test(`prefix "${prefix}" gives ${path}`, async () => {
      const { call, handle } = setUp({ prefix });
      assert.equal((await call("POST", path, TEXT)).status, 200);
      assert.equal((await call("POST", `/x${path}`, TEXT)).status, 404);
      assert.equal(handle.matches(path), true);
      assert.equal(handle.matches(`/x${path}`), false);
    });
  }

  test("unknown providers, routes and prefixes are 404", async () => {
    const { call } = setUp({ prefix: "s" });
    for (const path of [
      "/s/main/other",
      "/s/main",
      "/s/main/im/",
      "/s/null/im",
      "/s/nobody/im",
      "/s//im",
      "/s/%zz/im",
      "/main/im",
      "/smain/im",
      "/",
    ]) {
      assert.equal((await call("POST", path, TEXT)).status, 404, path);
    }
  });

  test("names are decoded, and providers added later are found", async () => {
    const { gateway, call } = setUp();
    gateway.addProvider("my carrier", new WebhookProvider());
    assert.equal((await call("POST", "/my%20carrier/im", TEXT)).status, 200);
  });

  test("only providers with receivers are listed", () => {
    const { gateway } = setUp();
    assert.deepEqual([...gateway.receivers().keys()], ["main"]);
    assert.equal(gateway.receiver("main").routes.length, 2);
    assert.throws(() => gateway.receiver("null"), ConfigurationError);
    assert.throws(() => gateway.receiver("x"), { code: "UNKNOWN_PROVIDER" });
  });
});

describe("answers", () => {
  test("a text reaches the hooks under the provider's name", async () => {
    const { gateway, call } = setUp();
    const seen: IncomingMessage[] = [];
    gateway.onReceive.add((message) => void seen.push(message));
    const answer = await call("POST", "/main/im", TEXT);
    assert.deepEqual([answer.status, answer.body], [200, "OK"]);
    assert.deepEqual(
      seen.map((m) => [m.src, m.body, m.provider]),
      [["123", "hi", "main"]],
    );
  });

  test("a status comes by its query", async () => {
    const { gateway, call } = setUp();
    const ids: string[] = [];
    gateway.onStatus.add((status) => void ids.push(status.msgid));
    assert.equal((await call("GET", "/main/status?id=7")).status, 200);
    assert.deepEqual(ids, ["7"]);
  });

  test("another method is 405 and names the right ones", async () => {
    const { call } = setUp();
    const answer = await call("GET", "/main/im");
    assert.equal(answer.status, 405);
    assert.equal(answer.headers.allow, "POST");
  });

  test("a malformed request is 400", async () => {
    const { call } = setUp();
    assert.equal((await call("POST", "/main/im", "from=1")).status, 400);
    assert.equal((await call("GET", "/main/status")).status, 400);
  });

  test("a wrong signature is 403", async () => {
    const { call } = setUp();
    const headers = { signature: "bad" };
    const answer = await call("POST", "/main/im", TEXT, { headers });
    assert.equal(answer.status, 403);
  });

  test("a failing hook is 500, with its error for onError but not for the caller", async () => {
    const errors: unknown[] = [];
    const { gateway, call } = setUp({ onError: (e) => void errors.push(e) });
    const failure = new Error("database password is hunter2");
    gateway.onReceive.add(() => Promise.reject(failure));
    const answer = await call("POST", "/main/im", TEXT);
    assert.equal(answer.status, 500);
    assert.doesNotMatch(answer.body, /hunter2/);
    assert.deepEqual(errors, [failure]);
    await call("POST", "/main/im", "");
    assert.equal(errors.length, 1);
  });

  test("what failed behind an answer of success is for onError alone", async () => {
    const error = new Error("no room");
    const errors: unknown[] = [];
    const handle = createReceiverHandler(
      () => ({
        routes: [
          {
            methods: ["POST"],
            path: "/im",
            handle: async () => ({ ...textResponse(200, "24"), error }),
          },
        ],
      }),
      { onError: (it) => void errors.push(it) },
    );
    const answer = await handle({
      method: "POST",
      url: "/main/im",
      headers: {},
      query: new URLSearchParams(),
      rawBody: new Uint8Array(),
    });
    assert.deepEqual([answer.status, answer.body], [200, "24"]);
    assert.deepEqual(errors, [error]);
  });

  test("a failing status hook is 500 too", async () => {
    const { gateway, call } = setUp();
    gateway.onStatus.add(() => {
      throw new Error("no");
    });
    assert.equal((await call("GET", "/main/status?id=7")).status, 500);
  });

  test("a body over the limit is 413 and not processed", async () => {
    const { provider, call } = setUp({ maxBodyBytes: 20 });
    assert.equal((await call("POST", "/main/im", TEXT)).status, 200);
    assert.equal((await call("POST", "/main/im", `${TEXT}!`)).status, 413);
    const cut = { bodyTooLarge: true };
    assert.equal((await call("POST", "/main/im", "", cut)).status, 413);
    assert.equal(provider.requests.length, 1);
  });

  test("addresses that are not allowed get 403", async () => {
    const { call } = setUp({ allowFrom: ["10.0.0.0/8", "::1"] });
    const from = async (remoteAddress: string | undefined) =>
      (await call("POST", "/main/im", TEXT, { remoteAddress })).status;
    assert.equal(await from("10.1.2.3"), 200);
    assert.equal(await from("::ffff:10.1.2.3"), 200);
    assert.equal(await from("::1"), 200);
    assert.equal(await from("11.1.2.3"), 403);
    assert.equal(await from(undefined), 403);
  });
});

describe("the fetch-style handler", () => {
  test("passes everything on", async () => {
    const gateway = new Gateway();
    const provider = gateway.addProvider("main", new WebhookProvider());
    const handler = gateway.handler({ prefix: "p", maxBodyBytes: 100 });
    const post = (body: string) =>
      handler(
        new Request("http://localhost/p/main/im?a=1", {
          method: "POST",
          body,
          headers: { "X-Header": "v" },
        }),
      );
    const response = await post(TEXT);
    assert.equal(response.status, 200);
    assert.equal(await response.text(), "OK");
    const [request] = provider.requests;
    assert.equal(request?.url, "http://localhost/p/main/im?a=1");
    assert.equal(request?.query.get("a"), "1");
    assert.equal(request?.headers["x-header"], "v");
    assert.equal((await post("x".repeat(101))).status, 413);
    assert.equal(provider.requests.length, 1);
    const get = await handler(new Request("http://localhost/p/main/status"));
    assert.equal(get.status, 400);
  });

  test("takes the remote address from the platform", async () => {
    const gateway = new Gateway();
    gateway.addProvider("main", new WebhookProvider());
    const handler = gateway.handler({ allowFrom: ["192.0.2.0/24"] });
    const request = () => new Request("http://localhost/main/status?id=1");
    const from = { remoteAddress: "192.0.2.7" };
    assert.equal((await handler(request(), from)).status, 200);
    assert.equal((await handler(request())).status, 403);
  });
});
