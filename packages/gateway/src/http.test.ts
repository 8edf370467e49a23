import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ProviderConnectionError } from "./errors.ts";
import { bodyText, createFetchHttpClient, toConnectionError } from "./http.ts";
import { createHttpClient } from "./node-http-client.ts";
import { serve, serveAnswer, unusedUrl } from "./testing/serve.ts";

for (const [name, create] of [
  ["Node's own client", createHttpClient],
  ["fetch", createFetchHttpClient],
] as const) {
  describe(name, () => {
    test("sends the request as given and answers any status", async () => {
      await using server = await serveAnswer((request) => ({
        status: 418,
        type: "text/plain",
        body: `you said ${request.body}`,
      }));
      const response = await create().request({
        method: "POST",
        url: `${server.url}/a?b=c`,
        headers: { "x-header": "v" },
        body: "hi",
      });
      assert.equal(response.status, 418);
      assert.equal(response.headers["content-type"], "text/plain");
      assert.equal(bodyText(response), "you said hi");
      const [request] = server.requests;
      assert.equal(request?.method, "POST");
      assert.equal(request?.path, "/a?b=c");
      assert.equal(request?.headers["x-header"], "v");
    });

    test("what no client sends is final, and nothing of it is sent", async () => {
      await using server = await serveAnswer(() => ({ status: 200 }));
      const { url } = server;
      for (const value of [
        "secret\u0001",
        "secret\u007f",
        "secret\u0000",
        "secret\n",
        "secret €",
      ]) {
        const headers = { "x-key": value };
        await assert.rejects(
          create().request({ method: "POST", url, headers, body: "x" }),
          (error) => {
            assert.ok(error instanceof ProviderConnectionError, value);
            assert.equal(error.code, "INVALID_REQUEST", value);
            assert.equal(error.outcomeUnknown, false, value);
            assert.equal(error.retryable, false, value);
            assert.doesNotMatch(error.message, /secret/);
            return true;
          },
        );
      }
      assert.deepEqual(server.requests, []);
    });

    test("does not follow redirects", async () => {
      await using server = await serve((_request, response) => {
        response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
      });
      const client = create();
      const response = await client.request({ method: "GET", url: server.url });
      assert.equal(response.status, 302);
    });

    test("gives up at the deadline, of the client or of the request", async () => {
      await using server = await serveAnswer(() => undefined);
      const { url } = server;
      const hasty = create({ timeoutMs: 20 });
      const patient = create();
      for (const attempt of [
        () => hasty.request({ method: "GET", url }),
        () => patient.request({ method: "GET", url, timeoutMs: 20 }),
      ]) {
        await assert.rejects(attempt, (error) => {
          assert.ok(error instanceof ProviderConnectionError);
          assert.equal(error.code, "TIMEOUT");
          assert.equal(error.outcomeUnknown, true);
          return true;
        });
      }
    });

    test("gives up at the deadline in the middle of an answer", async () => {
      await using server = await serve((_request, response) => {
        response.writeHead(200, { "content-length": 100 });
        response.write("half");
      });
      const client = create({ timeoutMs: 50 });
      await assert.rejects(client.request({ method: "GET", url: server.url }), {
        code: "TIMEOUT",
      });
    });

    test("an abort rejects with its own reason", async () => {
      const controller = new AbortController();
      await using server = await serveAnswer(() => {
        controller.abort(new Error("enough"));
        return undefined;
      });
      await assert.rejects(
        create().request({
          method: "GET",
          url: server.url,
          signal: controller.signal,
        }),
        /enough/,
      );
    });

    test("reads no more than allowed", async () => {
      await using server = await serveAnswer(() => ({ body: "x".repeat(101) }));
      const client = create({ maxResponseBytes: 100 });
      const { url } = server;
      await assert.rejects(client.request({ method: "GET", url }), {
        code: "RESPONSE_TOO_LARGE",
      });
      const roomy = { method: "GET", url, maxResponseBytes: 101 } as const;
      assert.equal((await client.request(roomy)).body.length, 101);
    });

    test("a refused connection is known to have sent nothing", async () => {
      const url = `${await unusedUrl()}/secret/path`;
      await assert.rejects(
        create().request({ method: "GET", url }),
        (error) => {
          assert.ok(error instanceof ProviderConnectionError);
          assert.equal(error.code, "ECONNREFUSED");
          assert.equal(error.outcomeUnknown, false);
          assert.doesNotMatch(error.message, /secret/);
          return true;
        },
      );
    });
  });
}

test("uses the fetch it is given", async () => {
  const client = createFetchHttpClient({
    fetch: async (input) => new Response(`asked ${String(input)}`),
  });
  const response = await client.request({ method: "GET", url: "http://x/" });
  assert.equal(bodyText(response), "asked http://x/");
});

test("reads the reason from where it hides", () => {
  const inner = Object.assign(new Error("x"), { code: "EHOSTUNREACH" });
  const several = new AggregateError([inner]);
  const error = new TypeError("fetch failed", { cause: several });
  const connection = toConnectionError(error, "http://u:p@h/p");
  assert.equal(connection.code, "EHOSTUNREACH");
  assert.equal(connection.outcomeUnknown, false);
  assert.equal(connection.cause, error);
  assert.match(connection.message, /http:\/\/h:/);
  assert.equal(toConnectionError(connection, ""), connection);
  assert.equal(toConnectionError("odd", "odd").outcomeUnknown, true);
  const failed = { hasBegun: false };
  assert.equal(toConnectionError("odd", "odd", failed).outcomeUnknown, false);
});

test("what fetch never sends is final, and is known not to have been sent", async () => {
  const client = createFetchHttpClient();
  for (const [url, code, headers = {}] of [
    ["http://127.0.0.1:5060/secret", "BAD_PORT"],
    ["http://127.0.0.1:6000/secret", "BAD_PORT"],
    ["http://127.0.0.1:6667/secret", "BAD_PORT"],
    ["ftp://127.0.0.1/secret", "INVALID_REQUEST"],
    ["http://user:secret@127.0.0.1/", "INVALID_REQUEST"],
    ["http://127.0.0.1:99999/secret", "INVALID_REQUEST"],
    ["secret", "INVALID_REQUEST"],
    ["http://127.0.0.1/", "INVALID_REQUEST", { "x-key": "secret\nkey" }],
  ] as const) {
    await assert.rejects(
      client.request({ method: "GET", url, headers }),
      (error) => {
        assert.ok(error instanceof ProviderConnectionError);
        assert.equal(error.code, code, url);
        assert.equal(error.outcomeUnknown, false);
        assert.equal(error.retryable, false);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  }
});
