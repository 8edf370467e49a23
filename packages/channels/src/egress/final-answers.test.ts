/** Interim answers (1xx) on real sockets, read by the client that we use. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { Client } from "undici";
import { createEgressConnector } from "./egress-connector.ts";
import { createEgressGuard } from "./egress-guard.ts";

const final =
  "HTTP/1.1 200 OK\r\nx-final: yes\r\ncontent-length: 13\r\n\r\nHTTP/1.1 100 ";

const interims: Readonly<Record<string, string>> = {
  none: "",
  "100": "HTTP/1.1 100 Continue\r\n\r\n",
  "103 with headers":
    "HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\nlink: </a>\r\n\r\n",
  "several, of all kinds":
    "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 100\r\nx: HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 199 ?\r\n\r\n",
  "100 that closes, has a length, and is of HTTP/1.0":
    "HTTP/1.0 100 Continue\r\nconnection: close\r\ncontent-length: 9\r\n\r\n",
  "100 with bare line feeds": "HTTP/1.1 100 Continue\nx: y\n\n",
  "empty lines before each": "\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n\r\n",
};

for (const [name, interim] of Object.entries(interims)) {
  test(`reads the final answer after ${name}, split anywhere, over one connection`, async (t) => {
    const receiver = await startReceiver(t);
    const answer = interim + final;
    for (let split = 0; split < answer.length; split++) {
      receiver.answer(answer.slice(0, split), answer.slice(split));
      const { statusCode, headers, body } = await receiver.request();
      assert.equal(statusCode, 200, `split at ${split}`);
      assert.equal(headers["x-final"], "yes");
      assert.equal(await body.text(), "HTTP/1.1 100 ", `split at ${split}`);
    }
    assert.equal(receiver.connections(), 1);
    assert.equal(receiver.bytesRead(), answer.length ** 2);
  });
}

test("reads an answer that comes byte by byte", async (t) => {
  const receiver = await startReceiver(t);
  for (let i = 0; i < 2; i++) {
    receiver.answer(...`${interims["several, of all kinds"]}${final}`);
    const { body } = await receiver.request();
    assert.equal(await body.text(), "HTTP/1.1 100 ");
  }
  assert.equal(receiver.connections(), 1);
});

test("takes no part of a body for an interim answer, in whatever pieces it comes", async (t) => {
  const receiver = await startReceiver(t);
  const piece = "HTTP/1.1 100 Continue\r\n\r\n";
  receiver.answer(
    `HTTP/1.1 200 OK\r\ncontent-length: ${3 * piece.length}\r\n\r\n`,
    piece,
    piece,
    piece,
  );
  const { body } = await receiver.request();
  assert.equal(await body.text(), piece.repeat(3));
});

test("what comes after the answer is not taken for the next one", async (t) => {
  for (const garbage of [
    "HTTP/1.1 100 Continue\r\n\r\n",
    "HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
    "garbage",
  ]) {
    const receiver = await startReceiver(t);
    receiver.answer(`${interims["100"]}${final}${garbage}`);
    const { body } = await receiver.request();
    assert.equal(await body.text(), "HTTP/1.1 100 ");
    receiver.answer(`${interims["100"]}${final}`);
    const next = await receiver.request();
    assert.equal(await next.body.text(), "HTTP/1.1 100 ");
    assert.equal(receiver.connections(), 2);
  }
});

test("leaves what is no HTTP to the client", async (t) => {
  for (const answer of [
    "SSH-2.0-x1.0",
    "HTTP/1.1 1xx\r\n\r\n",
    "HTTP 1.1 100\r\n\r\n",
  ]) {
    const receiver = await startReceiver(t);
    receiver.answer(...answer, "\r\n\r\n");
    await assert.rejects(receiver.request(), { name: "HTTPParserError" });
  }
});

const endless: readonly (readonly [
  what: string,
  start: string,
  more: string,
  code: string,
])[] = [
  [
    "interim answers",
    "",
    "HTTP/1.1 102 Processing\r\n\r\n",
    "INTERIM_ANSWERS_EXCEEDED",
  ],
  [
    "an interim answer's header",
    "HTTP/1.1 103 Early Hints\r\n",
    `link: ${"x".repeat(900)}\r\n`,
    "INTERIM_ANSWERS_EXCEEDED",
  ],
  ["empty lines", "", "\r\n".repeat(500), "INTERIM_ANSWERS_EXCEEDED"],
  ["a reason phrase", "HTTP/1.1 200 ", "very ".repeat(200), "ANSWER_TOO_LARGE"],
  [
    "blanks before a header's value",
    "HTTP/1.1 200 OK\r\nx:",
    " ".repeat(1000),
    "ANSWER_TOO_LARGE",
  ],
  [
    "headers",
    "HTTP/1.1 200 OK\r\n",
    `x: ${"y".repeat(900)}\r\n`,
    "UND_ERR_HEADERS_OVERFLOW",
  ],
  [
    "a chunk's extension",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1",
    ";a=b".repeat(250),
    "ANSWER_TOO_LARGE",
  ],
  [
    "trailers",
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n",
    `x: ${"y".repeat(900)}\r\n`,
    "UND_ERR_HEADERS_OVERFLOW",
  ],
];

for (const [what, start, more, code] of endless) {
  test(`ends the connection on endless ${what}`, async (t) => {
    const receiver = await startReceiver(t);
    receiver.pour(start, more);
    await assert.rejects(
      receiver.request().then(({ body }) => body.text()),
      { code },
    );
    // The bound, and what one call read beyond it.
    assert.ok(receiver.bytesRead() < 400_000, `${receiver.bytesRead()} bytes`);
    await receiver.closed();
  });
}

test("a switch of protocols that was not asked ends the connection", async (t) => {
  const receiver = await startReceiver(t);
  receiver.answer(
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
  );
  await assert.rejects(receiver.request(), { code: "PROTOCOL_SWITCHED" });
  await receiver.closed();
});

/** A server, and the client that makes requests to it one after another. */
async function startReceiver(t: TestContext) {
  let parts: readonly string[] = [];
  let flood: readonly [string, string] | undefined;
  let connections = 0;
  let reader: Socket | undefined;
  const open = new Set<Socket>();

  const server = createServer({ noDelay: true }, (socket) => {
    connections++;
    open.add(socket);
    socket.on("close", () => open.delete(socket)).on("error", () => {});
    socket.on("data", () => void (flood ? pour(socket, flood) : send(socket)));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");

  /** Each part once the one before has been read. */
  async function send(socket: Socket): Promise<void> {
    let expected = reader?.bytesRead ?? 0;
    for (const part of parts) {
      socket.write(part);
      expected += part.length;
      while ((reader?.bytesRead ?? 0) < expected && !socket.destroyed) {
        await turn();
      }
    }
  }

  const guard = createEgressGuard({ allowTargets: ["127.0.0.0/8"] });
  const connect = createEgressConnector(guard);
  const { port } = server.address() as AddressInfo;
  const client = new Client(`http://127.0.0.1:${port}`, {
    allowH2: false,
    connect: (options, callback) => {
      reader = connect(options, callback);
    },
  });
  t.after(async () => {
    await client.destroy();
    for (const socket of open) socket.destroy();
    server.close();
  });

  return {
    answer(...texts: readonly string[]): void {
      parts = texts;
    },
    pour(start: string, more: string): void {
      flood = [start, more];
    },
    request: () => client.request({ method: "POST", path: "/", body: "x" }),
    connections: () => connections,
    /** On the last connection. */
    bytesRead: () => reader?.bytesRead ?? 0,
    async closed(): Promise<void> {
      while (open.size > 0) await turn();
    },
  };
}

/** Writes without end, as fast as the other side reads. */
function pour(socket: Socket, [start, more]: readonly [string, string]): void {
  const write = () => {
    while (!socket.destroyed && socket.write(more));
  };
  socket.on("drain", write).write(start);
  write();
}
