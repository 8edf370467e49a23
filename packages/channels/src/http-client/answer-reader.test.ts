/** Answers of all kinds, from the bytes alone and on real sockets. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { systemClock } from "@carillon/core";
import fc from "fast-check";
import { createEgressConnector } from "../egress/egress-connector.ts";
import { createEgressGuard } from "../egress/egress-guard.ts";
import { toRequestTarget } from "../request-target.ts";
import {
  AnswerError,
  AnswerReader,
  limitsForBody,
  parseHeaders,
} from "./answer-reader.ts";
import { ConnectionPool } from "./connection-pool.ts";
import { RequestExchange } from "./request-exchange.ts";

const maxBodyBytes = 4096;

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

/** What an answer is read as; if nothing else is said, 200 on a connection that stays. */
interface Expected {
  readonly status?: number | undefined;
  readonly body?: string;
  readonly isReusable?: boolean;
  readonly keepAliveMs?: number;
  readonly error?: string;
}

const readable: readonly (readonly [answer: string, expected: Expected])[] = [
  ["HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok", { body: "ok" }],
  ["HTTP/1.1 200\r\nContent-Length:2\r\n\r\nok", { body: "ok" }],
  ["HTTP/1.1 200 OK\ncontent-length: 2 \n\nok", { body: "ok" }],
  ["HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", { body: "" }],
  [
    "HTTP/1.1 200 OK\r\ncontent-length: 2, 2\r\nContent-Length: 2\r\n\r\nok",
    { body: "ok" },
  ],
  ["HTTP/1.1 204 No\r\n\r\n", { status: 204, body: "" }],
  ["HTTP/1.1 304 Same\r\ncontent-length: 9\r\n\r\n", { status: 304, body: "" }],
  ["HTTP/1.1 200 OK\r\n\r\nok", { body: "ok", isReusable: false }],
  [
    "HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\nok",
    { body: "ok", isReusable: false },
  ],
  [
    "HTTP/1.0 200 OK\r\nconnection: Keep-Alive\r\ncontent-length: 2\r\n\r\nok",
    { body: "ok" },
  ],
  [
    "HTTP/1.1 200 OK\r\nconnection: x, Close\r\ncontent-length: 2\r\n\r\nok",
    { body: "ok", isReusable: false },
  ],
  [
    "HTTP/1.1 200 OK\r\nconnection: close\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\nok",
    { body: "ok", isReusable: false },
  ],
  [
    "HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    { body: "ok", isReusable: false },
  ],
  [
    "HTTP/1.1 200 OK\r\nkeep-alive: timeout=5, max=100\r\ncontent-length: 2\r\n\r\nok",
    { body: "ok", keepAliveMs: 5000 },
  ],
  [
    "HTTP/1.1 200 OK\r\nx-content-length: 9\r\nproxy-connection: close\r\ncontent-length: 2\r\n\r\nok",
    { body: "ok" },
  ],
  [
    "HTTP/1.1 200 OK\r\nx: y\r\n content-length: 9\r\ncontent-length:\r\n\t2\r\n\r\nok",
    { body: "ok" },
  ],
  [
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    { body: "ok" },
  ],
  [
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n00A;x="y"\r\n0123456789\r\n1 \r\n!\r\n000;z\r\nx: y\r\nz: 1\r\n\r\n',
    { body: "0123456789!" },
  ],
  [
    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    { body: "ok", isReusable: false },
  ],
  [
    "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip\r\n\r\nok",
    { body: "ok", isReusable: false },
  ],
  [
    "HTTP/1.1 200 OK\r\ntransfer-encoding: identity\r\ncontent-length: 2\r\n\r\nok",
    { body: "ok" },
  ],
  [
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok!",
    { body: "ok", isReusable: false },
  ],
  [
    "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nok",
    { body: "ok", error: "CLOSED_EARLY" },
  ],
  ["HTTP/1.1 200 OK\r\ncontent-", { error: "CLOSED_EARLY" }],
  ["", { error: "CLOSED_EARLY" }],
  [
    "HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\nok",
    { error: "NOT_HTTP" },
  ],
  ["HTTP/1.1 200 OK\r\ncontent-length: -2\r\n\r\n", { error: "NOT_HTTP" }],
  ["HTTP/1.1 200 OK\r\ncontent-length: 1e3\r\n\r\n", { error: "NOT_HTTP" }],
  ...["", "g", "-1", "0x2", "123456789", ";x"].map(
    (size) =>
      [
        `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${size}\r\nok`,
        { error: "NOT_HTTP", body: "" },
      ] as const,
  ),
  [
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\nok\r\n",
    { error: "NOT_HTTP", body: "o" },
  ],
];

for (const [answer, expected] of readable) {
  test(`reads ${JSON.stringify(answer)}, in whatever pieces it comes`, () => {
    const whole = read([answer]);
    const { status, ...rest } = expected;
    assert.deepEqual(whole, {
      // Without an error that it may begin with.
      status: status ?? (expected.body === undefined ? undefined : 200),
      body: expected.body ?? "",
      isReusable: expected.error === undefined,
      ...rest,
    });
    fc.assert(
      fc.property(fc.array(fc.nat(answer.length)), (cuts) => {
        const at = [0, ...cuts.sort((a, b) => a - b), answer.length];
        const pieces = at.map((from, i) => answer.slice(from, at[i + 1]));
        const pieced = read(pieces);
        // A surplus that comes later finds an answer that was complete.
        assert.deepEqual(pieced, whole);
      }),
    );
  });
}

test("lists the headers of a head", () => {
  assert.deepEqual(
    {
      ...parseHeaders(
        "HTTP/1.1 200 OK\r\nX-A:  b \r\nno colon\r\n: c\r\nx-a: d\r\n e\r\nX-A: f\r\n__proto__: g\r\n\r\n",
      ),
    },
    Object.fromEntries([
      ["x-a", ["b", "d e", "f"]],
      ["__proto__", "g"],
    ]),
  );
});

/** Reads an answer in pieces, and the end of the connection. */
function read(pieces: readonly string[]): Expected {
  const reader = new AnswerReader(limitsForBody(maxBodyBytes));
  let status: number | undefined;
  let body = "";
  let isComplete = false;
  reader.expect({
    onHead: (statusCode) => {
      status = statusCode;
    },
    onData: (bytes) => {
      body += bytes.toString();
    },
    onEnd: () => {
      isComplete = true;
    },
  });
  let error: string | undefined;
  try {
    for (const piece of pieces) {
      const bytes = Buffer.from(piece);
      // What is behind the end of the bytes belongs to an earlier answer.
      reader.read(
        Buffer.concat([bytes, Buffer.from("\n\n\r\n")]),
        bytes.length,
      );
    }
    if (!isComplete) reader.end();
  } catch (cause) {
    assert.ok(cause instanceof AnswerError);
    error = cause.code;
  }
  const { isReusable, keepAliveMs } = reader;
  return {
    status,
    body,
    isReusable,
    ...(keepAliveMs !== undefined && { keepAliveMs }),
    ...(error !== undefined && { error }),
  };
}

for (const [name, interim] of Object.entries(interims)) {
  test(`reads the final answer after ${name}, split anywhere, over one connection`, async (t) => {
    const receiver = await startReceiver(t);
    const answer = interim + final;
    for (let split = 0; split < answer.length; split++) {
      receiver.answer(answer.slice(0, split), answer.slice(split));
      const { status, headers, body } = await receiver.request();
      assert.equal(status, 200, `split at ${split}`);
      assert.equal(headers["x-final"], "yes");
      assert.equal(String(body), "HTTP/1.1 100 ", `split at ${split}`);
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
    assert.equal(String(body), "HTTP/1.1 100 ");
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
  assert.equal(String(body), piece.repeat(3));
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
    assert.equal(String(body), "HTTP/1.1 100 ");
    receiver.answer(`${interims["100"]}${final}`);
    const next = await receiver.request();
    assert.equal(String(next.body), "HTTP/1.1 100 ");
    assert.equal(receiver.connections(), 2);
  }
});

test("says of what is no HTTP that it is none, without waiting for its end", async (t) => {
  for (const answer of [
    "SSH-2.0-x1.0",
    "HTTP/1.1 1xx",
    "HTTP 1.1 100",
    "HTTP/2.0 200 OK",
    "HTTP/1.1 2000",
    "HTTP/1.1 099 ",
  ]) {
    const receiver = await startReceiver(t);
    receiver.answer(...answer);
    await assert.rejects(receiver.request(), { code: "NOT_HTTP" });
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
    "HEAD_TOO_LARGE",
  ],
  ["empty lines", "", "\r\n".repeat(500), "HEAD_TOO_LARGE"],
  ["a reason phrase", "HTTP/1.1 200 ", "very ".repeat(200), "HEAD_TOO_LARGE"],
  [
    "blanks before a header's value",
    "HTTP/1.1 200 OK\r\nx:",
    " ".repeat(1000),
    "HEAD_TOO_LARGE",
  ],
  [
    "headers",
    "HTTP/1.1 200 OK\r\n",
    `x: ${"y".repeat(900)}\r\n`,
    "HEAD_TOO_LARGE",
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
    "HEAD_TOO_LARGE",
  ],
];

for (const [what, start, more, code] of endless) {
  test(`ends the connection on endless ${what}`, async (t) => {
    const receiver = await startReceiver(t);
    receiver.pour(start, more);
    await assert.rejects(receiver.request(), { code });
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
  const pool = new ConnectionPool({
    ...limitsForBody(maxBodyBytes),
    connect: Object.assign(
      (...args: Parameters<typeof connect>) => {
        reader = connect(...args);
        return reader;
      },
      { rules: guard.rules },
    ),
    clock: systemClock,
    maxPerOrigin: 1,
    maxIdle: 1,
  });
  const target = toRequestTarget(`http://127.0.0.1:${port}/`);
  assert.ok(target);
  t.after(() => {
    pool.close();
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
    request: () =>
      new RequestExchange(pool, {
        method: "POST",
        target,
        headers: {},
        body: "x",
        maxBodyBytes,
      }).run(new AbortController().signal),
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
