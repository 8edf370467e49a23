import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { ProviderConnectionError } from "./errors.ts";
import { bodyText } from "./http.ts";
import { createHttpClient } from "./node-http-client.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

test("takes interim answers that were not asked for, and keeps the connection", async (t) => {
  const { url, connections } = await startRaw(t, (socket) => {
    socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write("HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n");
    socket.write(`HTTP/1.1 100 Continue\r\n\r\n${ok}`);
  });
  // A connection is given out again only after a moment.
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const client = createHttpClient();
  for (let i = 0; i < 100; i++) {
    const response = await client.request({ method: "POST", url, body: "x" });
    assert.equal(response.status, 200);
    assert.equal(bodyText(response), "ok");
    await new Promise((resolve) => setImmediate(resolve));
    t.mock.timers.tick(5);
  }
  assert.equal(connections(), 1);
});

test("as many interim answers are borne as the server's own client bears", async (t) => {
  const interim = "HTTP/1.1 103 Early Hints\r\n\r\n";
  let count = 32;
  const { url } = await startRaw(t, (socket) => {
    socket.write(interim.repeat(count) + ok);
  });
  const client = createHttpClient();
  const response = await client.request({ method: "POST", url, body: "x" });
  assert.equal(bodyText(response), "ok");
  count = 33;
  await assert.rejects(client.request({ method: "POST", url, body: "x" }), {
    code: "INTERIM_ANSWERS_EXCEEDED",
    outcomeUnknown: true,
  });
});

test("interim answers without end are given up", async (t) => {
  const { url } = await startRaw(t, (socket) => {
    const send = (error?: Error | null) => {
      if (!error) socket.write("HTTP/1.1 100 Continue\r\n\r\n", send);
    };
    send();
  });
  const client = createHttpClient();
  await assert.rejects(client.request({ method: "POST", url, body: "x" }), {
    code: "INTERIM_ANSWERS_EXCEEDED",
    outcomeUnknown: true,
  });
});

for (const [what, answer] of [
  ["nothing", ""],
  ["what is no HTTP", "SSH-2.0-OpenSSH_9.6\r\n"],
  ["half a header", "HTTP/1.1 200 OK\r\ncontent-"],
  ["half a body", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nok"],
  ["a protocol that was not asked for", "HTTP/1.1 101 Switching\r\n\r\n"],
  ["an interim answer alone", "HTTP/1.1 100 Continue\r\n\r\n"],
] as const) {
  test(`after ${what} the outcome is unknown`, async (t) => {
    const { url } = await startRaw(t, (socket) => socket.end(answer));
    const { request } = createHttpClient();
    await assert.rejects(
      request({ method: "POST", url: `${url}/secret`, body: "x" }),
      (error) => {
        assert.ok(error instanceof ProviderConnectionError);
        assert.equal(error.outcomeUnknown, true);
        assert.equal(error.retryable, true);
        assert.doesNotMatch(error.message, /secret/);
        return true;
      },
    );
  });
}

test("a body that ends with the connection is whole", async (t) => {
  const { url } = await startRaw(t, (socket) =>
    socket.end("HTTP/1.1 200 OK\r\n\r\nto the end"),
  );
  const response = await createHttpClient().request({ method: "GET", url });
  assert.equal(bodyText(response), "to the end");
});

test("without a secure connection nothing was sent", async (t) => {
  const { url } = await startRaw(t, (socket) => socket.end("no TLS here"));
  const secure = url.replace("http:", "https:");
  await assert.rejects(
    createHttpClient().request({ method: "POST", url: secure, body: "x" }),
    (error) => {
      assert.ok(error instanceof ProviderConnectionError);
      assert.equal(error.outcomeUnknown, false);
      return true;
    },
  );
});

test("a connection that the server closed is not taken for the next request", async (t) => {
  const { url, connections } = await startRaw(t, (socket) => socket.end(ok));
  const client = createHttpClient();
  const one = async () => {
    for (let i = 0; i < 25; i++) {
      assert.equal((await client.request({ method: "GET", url })).status, 200);
    }
  };
  await Promise.all([one(), one(), one(), one()]);
  assert.equal(connections(), 100);
});

test("an aborted request is not sent", async (t) => {
  const { url, connections } = await startRaw(t, (socket) => socket.end(ok));
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(
    createHttpClient().request({ method: "GET", url, signal }),
    /enough/,
  );
  assert.equal(connections(), 0);
});

/** A server down to its sockets: answers what comes, piece by piece. */
async function startRaw(t: TestContext, answer: (socket: Socket) => void) {
  const open = new Set<Socket>();
  let count = 0;
  const server = createServer((socket) => {
    count++;
    open.add(socket);
    socket.on("error", () => {});
    socket.on("data", () => answer(socket));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => count,
  };
}
