import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { ProviderConnectionError } from "@carillon/gateway";
import { ManualClock } from "@carillon/testing";
import { createEgressGuard } from "./egress-guard.ts";
import {
  createEgressHttpClient,
  type EgressHttpClientOptions,
} from "./egress-http-client.ts";

async function startServer(answer: RequestListener) {
  const server = createServer(answer);
  let connections = 0;
  server.on("connection", () => {
    connections++;
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    connections: () => connections,
    [Symbol.dispose]() {
      server.close();
      server.closeAllConnections();
    },
  };
}

function clientOf(
  options: Partial<EgressHttpClientOptions> & {
    readonly allow?: readonly string[];
  } = {},
) {
  const { allow = ["127.0.0.0/8"], ...rest } = options;
  const egress = createEgressGuard({
    allowTargets: allow,
    resolve: async () => ["127.0.0.1"],
  });
  const client = createEgressHttpClient({ egress, ...rest });
  return Object.assign(client, {
    [Symbol.asyncDispose]: () => client.close(),
  });
}

async function failureOf(
  work: Promise<unknown>,
): Promise<ProviderConnectionError> {
  const error = await work.then(
    () => assert.fail("It did not fail."),
    (error: unknown) => error,
  );
  assert.ok(error instanceof ProviderConnectionError, String(error));
  return error;
}

test("sends a URL's user info as Basic authentication, unless a header says more", async () => {
  const received: unknown[] = [];
  using server = await startServer((request, response) => {
    received.push([request.url, request.headers.authorization]);
    response.end();
  });
  await using client = clientOf();
  const url = `${server.url.replace("//", "//user:secret@")}/?to='a'`;
  await client.request({ method: "GET", url });
  await client.request({ method: "GET", url, headers: { authorization: "x" } });
  const credentials = Buffer.from("user:secret").toString("base64");
  assert.deepEqual(received, [
    ["/?to='a'", `Basic ${credentials}`],
    ["/?to='a'", "x"],
  ]);
});

test("takes the final answer after interim ones", async (t) => {
  const server = createTcpServer((socket) => {
    socket.on("data", () =>
      socket.write(
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nx: y\r\n\r\nHTTP/1.1 202 OK\r\ncontent-length: 2\r\n\r\nok",
      ),
    );
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await using client = clientOf();
  const response = await client.request({
    method: "POST",
    url: `http://127.0.0.1:${port}/`,
    body: "x",
  });
  assert.equal(response.status, 202);
  assert.deepEqual(response.headers, { "content-length": "2" });
  assert.equal(Buffer.from(response.body).toString(), "ok");
});

test("brings a request there and its answer back", async () => {
  using server = await startServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      response.statusCode = 503;
      response.setHeader("Retry-After", "7");
      response.end(
        `${request.method} ${request.url} ${request.headers["x-key"]} ${Buffer.concat(chunks)}`,
      );
    });
  });
  await using client = clientOf();
  const response = await client.request({
    method: "POST",
    url: `${server.url}/send?a=b`,
    headers: { "x-key": "k" },
    body: "héllo",
  });
  assert.equal(response.status, 503);
  assert.equal(response.headers["retry-after"], "7");
  assert.equal(Buffer.from(response.body).toString(), "POST /send?a=b k héllo");
});

test("keeps connections for the next requests", async () => {
  using server = await startServer((_, response) => response.end("ok"));
  const clock = new ManualClock();
  await using client = clientOf({ clock });
  for (let n = 0; n < 10; n++) {
    await client.request({ method: "GET", url: server.url });
    clock.advance(5);
    await turn();
  }
  assert.equal(server.connections(), 1);
});

test("a connection rests after its first answers alone", async () => {
  using server = await startServer((_, response) => response.end("ok"));
  const clock = new ManualClock();
  await using client = clientOf({ clock });
  const request = () => client.request({ method: "GET", url: server.url });
  for (let n = 0; n < 2; n++) {
    await request();
    clock.advance(5);
    await turn();
  }
  for (let n = 0; n < 5; n++) await request();
  assert.equal(server.connections(), 1);
});

test("a connection that its server closes without a word is not used again", async (t) => {
  let connections = 0;
  const server = createTcpServer((socket) => {
    connections++;
    socket.on("error", () => {});
    socket.once("data", () => {
      socket.end("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok");
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  await using client = clientOf({ connectionsPerOrigin: 2 });
  const url = `http://127.0.0.1:${port}/`;
  const lane = async () => {
    for (let n = 0; n < 50; n++) {
      const { status } = await client.request({ method: "POST", url });
      assert.equal(status, 200);
    }
  };
  await Promise.all([lane(), lane(), lane(), lane()]);
  assert.equal(connections, 200);
});

for (const url of ["ftp://127.0.0.1/", "wss://a:b@127.0.0.1/", "mailto:a@b"]) {
  test(`refuses ${url} before anything is sent`, async () => {
    await using client = clientOf();
    const error = await failureOf(client.request({ method: "GET", url }));
    assert.equal(error.code, "INVALID_REQUEST");
    assert.equal(error.outcomeUnknown, false);
  });
}

for (const [name, value] of [
  ["host", "other.example"],
  ["Content-Length", "3"],
  ["transfer-encoding", "chunked"],
  ["x-key", "a\r\nb: c"],
  ["x key", "a"],
  ["x-key", "\u0001"],
  ["x-key", "\u0100"],
] as const) {
  test(`refuses the header ${JSON.stringify(name)}: ${JSON.stringify(value)}`, async () => {
    const bodies: string[] = [];
    using server = await startServer((request, response) => {
      bodies.push(request.url ?? "");
      response.end();
    });
    await using client = clientOf();
    const error = await failureOf(
      client.request({
        method: "POST",
        url: server.url,
        headers: { [name]: value },
      }),
    );
    assert.equal(error.code, "INVALID_REQUEST");
    assert.equal(error.outcomeUnknown, false);
    assert.deepEqual(bodies, []);
  });
}

test("refuses private addresses, given or resolved to", async () => {
  using server = await startServer((_, response) => response.end("secret"));
  await using client = clientOf({ allow: [] });
  for (const host of ["127.0.0.1", "carrier.example", "2130706433"]) {
    const error = await failureOf(
      client.request({ method: "GET", url: `http://${host}:${server.port}/` }),
    );
    assert.equal(error.code, "EGRESS_REFUSED");
    assert.match(error.message, /CARILLON_ALLOW_TARGETS/);
    assert.equal(error.outcomeUnknown, false);
  }
  assert.equal(server.connections(), 0);
});

test("does not follow redirects", async () => {
  let requests = 0;
  using server = await startServer((_, response) => {
    requests++;
    response.writeHead(302, { location: "/elsewhere" }).end();
  });
  await using client = clientOf();
  const response = await client.request({ method: "GET", url: server.url });
  assert.equal(response.status, 302);
  assert.equal(response.headers.location, "/elsewhere");
  assert.equal(requests, 1);
});

test("holds the deadline, and says that the request may have arrived", async () => {
  using silent = await startServer(() => {});
  using halting = await startServer((_, response) => {
    response.write("half of");
  });
  await using client = clientOf();
  for (const { url } of [silent, halting]) {
    const error = await failureOf(
      client.request({ method: "POST", url, timeoutMs: 100 }),
    );
    assert.equal(error.code, "TIMEOUT");
    assert.equal(error.outcomeUnknown, true);
  }
});

test("what finds no free connection in time was not sent", async () => {
  const bodies: string[] = [];
  using server = await startServer((request, response) => {
    request.on("data", (chunk: Buffer) => bodies.push(chunk.toString()));
    setTimeout(() => response.end(), 300);
  });
  await using client = clientOf({
    connectionsPerOrigin: 1,
    connectionWaitMs: 50,
  });
  const { url } = server;
  const first = client.request({ method: "POST", url, body: "first" });
  const error = await failureOf(
    client.request({ method: "POST", url, body: "second" }),
  );
  assert.deepEqual(
    [error.code, error.outcomeUnknown, error.retryable],
    ["NO_FREE_CONNECTION", false, true],
  );
  assert.match(error.message, /was free for 50 ms; nothing was sent$/);
  await first;
  await client.request({ method: "POST", url, body: "third" });
  assert.deepEqual(bodies, ["first", "third"]);
});

test("the wait for a connection is not part of a request's time", async () => {
  let requests = 0;
  using server = await startServer((_, response) => {
    // The first is answered once the others had waited longer than their time.
    setTimeout(() => response.end(), requests++ === 0 ? 400 : 0);
  });
  await using client = clientOf({ connectionsPerOrigin: 1 });
  const { url } = server;
  const first = client.request({ method: "POST", url });
  const others = Array.from({ length: 5 }, () =>
    client.request({ method: "POST", url, timeoutMs: 300 }),
  );
  const answers = await Promise.all([first, ...others]);
  assert.deepEqual(
    answers.map(({ status }) => status),
    Array(6).fill(200),
  );
});

test("nobody there means that nothing was sent", async () => {
  const { url } = await startServer(() => {}).then((server) => {
    server[Symbol.dispose]();
    return server;
  });
  await using client = clientOf();
  const error = await failureOf(client.request({ method: "POST", url }));
  assert.equal(error.code, "ECONNREFUSED");
  assert.equal(error.outcomeUnknown, false);
  assert.equal(error.retryable, true);
});

test("a connection that breaks before the answer leaves it open", async () => {
  const server = createTcpServer((socket) => {
    socket.once("data", () => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await using client = clientOf();
  const error = await failureOf(
    client.request({ method: "POST", url: `http://127.0.0.1:${port}/` }),
  );
  assert.equal(error.outcomeUnknown, true);
  server.close();
});

test("an answer that is too large is a failure", async () => {
  using server = await startServer((_, response) =>
    response.end("x".repeat(10_000)),
  );
  await using client = clientOf();
  const error = await failureOf(
    client.request({ method: "GET", url: server.url, maxResponseBytes: 9999 }),
  );
  assert.equal(error.code, "RESPONSE_TOO_LARGE");
  assert.equal(error.outcomeUnknown, true);
});

test("an abort rejects with its reason", async () => {
  using server = await startServer(() => {});
  await using client = clientOf();
  const controller = new AbortController();
  const { signal } = controller;
  const reason = new Error("Enough");
  const request = client.request({ method: "GET", url: server.url, signal });
  controller.abort(reason);
  await assert.rejects(request, reason);
  await assert.rejects(
    client.request({ method: "GET", url: server.url, signal }),
    reason,
  );
});

test("closing ends what is under way", async () => {
  using server = await startServer(() => {});
  const client = clientOf();
  const request = failureOf(client.request({ method: "GET", url: server.url }));
  await client.close();
  await client.close();
  await request;
});

test("what is no URL is refused before anything is sent", async () => {
  await using client = clientOf();
  const error = await failureOf(client.request({ method: "GET", url: "nope" }));
  assert.equal(error.outcomeUnknown, false);
});
