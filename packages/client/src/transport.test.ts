import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { connect } from "./connection.ts";
import {
  BadRequestError,
  ConnectionError,
  ForbiddenError,
  InvalidResponseError,
  RequestTimeoutError,
  ResourceNotFoundError,
  ResponseError,
  ServerError,
  ThrottledError,
} from "./errors.ts";
import type { RetryOptions } from "./retry.ts";
import { type Answer, refusal, serve, unusedUrl } from "./testing/serve.ts";

const projectId = "0f3c5d1e2a4b46788899aabbccddeeff";
const fast: RetryOptions = { baseDelayMs: 1, maxDelayMs: 2 };
const topic = { topic_urn: "urn:x", name: "x" };
const accepted = { message_id: "m" };

function smnAt(
  endpoint: string,
  settings: { retry?: RetryOptions; timeoutMs?: number } = {},
) {
  return connect({
    endpoint,
    projectId,
    token: "t",
    retry: fast,
    ...settings,
  }).smn;
}

/** Answers with each of the replies in turn, then with the last for good. */
function inTurn(...replies: ReturnType<Answer>[]): Answer {
  let next = 0;
  return () => replies[Math.min(next++, replies.length - 1)] ?? "hang";
}

for (const status of [429, 502, 503, 504]) {
  test(`sends again after ${status}`, async () => {
    const busy = refusal(status, "SMN.0000");
    await using server = await serve(inTurn(busy, busy, { body: topic }));
    assert.equal((await smnAt(server.url).getTopic("urn:x")).name, "x");
    assert.equal(server.requests.length, 3);
  });
}

for (const [status, type] of [
  [400, BadRequestError],
  [403, ForbiddenError],
  [404, ResourceNotFoundError],
  [409, ResponseError],
  [500, ServerError],
  [501, ServerError],
] as const) {
  test(`${status} is final and becomes a ${type.name}`, async () => {
    const reply = refusal(status, "SMN.0006", "Resource not found");
    await using server = await serve(() => reply);
    await assert.rejects(smnAt(server.url).getTopic("urn:x"), (error) => {
      assert.ok(error instanceof type);
      assert.equal(error.constructor, type);
      assert.equal(error.name, type.name);
      assert.equal(error.status, status);
      assert.equal(error.smnCode, "SMN.0006");
      assert.equal(error.requestId, "a1b2c3d4e5f60718293a4b5c6d7e0001");
      assert.match(error.message, /Resource not found \(SMN\.0006, request/);
      return true;
    });
    assert.equal(server.requests.length, 1);
  });
}

test("reads the newer error shape and ids in headers", async () => {
  await using server = await serve(() => ({
    status: 400,
    headers: { "x-request-id": "r1" },
    body: { error_code: "SMN.00011027", error_msg: "bad urn" },
  }));
  await assert.rejects(smnAt(server.url).getTopic("urn:x"), {
    smnCode: "SMN.00011027",
    requestId: "r1",
    code: "BAD_REQUEST",
  });
});

test("copes with errors that are no JSON", async () => {
  await using server = await serve(() => ({
    status: 413,
    body: "<html>nginx</html>",
  }));
  await assert.rejects(smnAt(server.url).getTopic("urn:x"), {
    status: 413,
    smnCode: undefined,
    code: "REQUEST_REFUSED",
  });
});

test("gives up after the last retry", async () => {
  await using server = await serve(() => refusal(503, "SMN.0000"));
  await assert.rejects(smnAt(server.url).getTopic("urn:x"), ServerError);
  assert.equal(server.requests.length, 4);
});

test("waits as long as Retry-After says", async () => {
  const busy = { ...refusal(503, "x"), headers: { "retry-after": "1" } };
  await using server = await serve(inTurn(busy, { body: topic }));
  const begun = performance.now();
  await smnAt(server.url).getTopic("urn:x");
  assert.ok(performance.now() - begun >= 990);
});

test("fails at once when Retry-After asks for too long", async () => {
  const busy = { ...refusal(429, "x"), headers: { "retry-after": "3600" } };
  await using server = await serve(() => busy);
  await assert.rejects(smnAt(server.url).getTopic("urn:x"), (error) => {
    assert.ok(error instanceof ThrottledError);
    assert.equal(error.retryAfterMs, 3_600_000);
    return true;
  });
  assert.equal(server.requests.length, 1);
});

test("publishes once when the service is unavailable", async () => {
  await using server = await serve(() => refusal(503, "x"));
  await assert.rejects(
    smnAt(server.url).publishMessage("urn:x", { message: "hello" }),
    ServerError,
  );
  assert.equal(server.requests.length, 1);
});

test("publishes once when the connection breaks after sending", async () => {
  await using server = await serve(() => "drop");
  await assert.rejects(
    smnAt(server.url).publishMessage("urn:x", { message: "hello" }),
    (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.equal(error.outcomeUnknown, true);
      return true;
    },
  );
  assert.equal(server.requests.length, 1);
});

test("publishes again if asked to take the risk", async () => {
  await using server = await serve(inTurn("drop", { body: accepted }));
  const retry = { ...fast, retryNonIdempotent: true };
  const smn = smnAt(server.url, { retry });
  await smn.publishMessage("urn:x", { message: "hello" });
  assert.equal(server.requests.length, 2);
});

test("publishes again when nothing was sent", async () => {
  const url = new URL(await unusedUrl());
  const attempts: string[] = [];
  const smn = connect({
    endpoint: url.href,
    projectId,
    token: "t",
    retry: fast,
    fetch: (input, init) => {
      attempts.push(init?.method ?? "");
      return fetch(input, init);
    },
  }).smn;
  await assert.rejects(
    smn.publishMessage("urn:x", { message: "hello" }),
    (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.equal(error.outcomeUnknown, false);
      assert.match(error.message, /ECONNREFUSED/);
      return true;
    },
  );
  assert.deepEqual(attempts, ["POST", "POST", "POST", "POST"]);
});

test("does not take a browser's failure for one before sending", async () => {
  let attempts = 0;
  const smn = connect({
    endpoint: "http://localhost",
    projectId,
    token: "t",
    retry: fast,
    fetch: () => {
      attempts++;
      return Promise.reject(new TypeError("Failed to fetch"));
    },
  }).smn;
  const publishing = smn.publishMessage("urn:x", { message: "hello" });
  await assert.rejects(publishing, { outcomeUnknown: true });
  assert.equal(attempts, 1);
});

test("reads again after a broken connection", async () => {
  await using server = await serve(inTurn("drop", "drop", { body: topic }));
  assert.equal((await smnAt(server.url).getTopic("urn:x")).name, "x");
});

test("gives up on an answer that does not come", async () => {
  await using server = await serve(() => "hang");
  const smn = smnAt(server.url, { timeoutMs: 50 });
  await assert.rejects(smn.getTopic("urn:x"), (error) => {
    assert.ok(error instanceof RequestTimeoutError);
    assert.equal(error.timeoutMs, 50);
    return true;
  });
});

test("gives up on an answer that stops halfway", async () => {
  const halfway = createServer((socket) => {
    socket.write("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
    socket.on("error", () => {});
  });
  const listening = Promise.withResolvers<void>();
  halfway.listen(0, "127.0.0.1", listening.resolve);
  await listening.promise;
  const address = halfway.address();
  assert.ok(address !== null && typeof address === "object");
  try {
    const smn = smnAt(`http://127.0.0.1:${address.port}`);
    await assert.rejects(
      smn.getTopic("urn:x", { timeoutMs: 50 }),
      RequestTimeoutError,
    );
  } finally {
    halfway.close();
  }
});

test("says when an unasked 100 Continue is what its fetch does not take", async () => {
  const hasty = createServer((socket) => {
    socket.on("error", () => {});
    socket.once("data", () => {
      const body = JSON.stringify(topic);
      socket.end(
        `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
      );
    });
  }).listen(0, "127.0.0.1");
  await once(hasty, "listening");
  const address = hasty.address();
  assert.ok(typeof address === "object" && address !== null);
  try {
    const smn = smnAt(`http://127.0.0.1:${address.port}`, {
      retry: { maxRetries: 0 },
    });
    await assert.rejects(smn.getTopic("urn:x"), (error) => {
      assert.ok(error instanceof ConnectionError);
      assert.match(
        error.message,
        / got no answer: it began with a 100 Continue that was not asked for, which this runtime's fetch does not take/,
      );
      // The service has the request.
      assert.equal(error.outcomeUnknown, true);
      return true;
    });
  } finally {
    hasty.close();
  }
});

test("an abort ends a request and gives its reason", async () => {
  await using server = await serve(() => "hang");
  const reason = new Error("enough");
  const signal = AbortSignal.any([AbortSignal.timeout(20)]);
  const controller = new AbortController();
  signal.addEventListener("abort", () => controller.abort(reason));
  await assert.rejects(
    smnAt(server.url).getTopic("urn:x", { signal: controller.signal }),
    (error) => error === reason,
  );
});

test("an abort ends the wait between attempts", async () => {
  await using server = await serve(() => refusal(503, "x"));
  const smn = smnAt(server.url, {
    retry: { baseDelayMs: 60_000, maxDelayMs: 60_000 },
  });
  const signal = AbortSignal.timeout(50);
  await assert.rejects(smn.getTopic("urn:x", { signal }), {
    name: "TimeoutError",
  });
});

test("a signal that was aborted before sends nothing", async () => {
  await using server = await serve(() => ({ body: topic }));
  const signal = AbortSignal.abort();
  await assert.rejects(smnAt(server.url).getTopic("urn:x", { signal }), {
    name: "AbortError",
  });
  assert.equal(server.requests.length, 0);
});

test("does not follow redirects with its token", async () => {
  await using other = await serve(() => ({ body: topic }));
  await using server = await serve(() => ({
    status: 302,
    headers: { location: other.url },
  }));
  await assert.rejects(smnAt(server.url).getTopic("urn:x"), { status: 302 });
  assert.equal(other.requests.length, 0);
});

test("says when the endpoint is something else than SMN", async () => {
  await using server = await serve(() => ({ body: "<html></html>" }));
  await assert.rejects(
    smnAt(server.url).getTopic("urn:x"),
    InvalidResponseError,
  );
});

test("says when an answer lacks what SMN promises", async () => {
  await using server = await serve(() => ({ body: {} }));
  await assert.rejects(
    smnAt(server.url).getTopic("urn:x"),
    InvalidResponseError,
  );
});
