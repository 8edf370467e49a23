import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage, RequestListener } from "node:http";
import { type AddressInfo, connect, type Socket } from "node:net";
import { test } from "node:test";
import { bytesPerChunk, freeChunks } from "@carillon/gateway";
import fc from "fast-check";

import { createBoundedServer, maxWaitingRequests } from "./bounded-server.ts";
import { createMalformedRequests } from "./malformed-request.ts";

const malformed = createMalformedRequests({
  newRequestId: () => "r1",
  publicUrl: () => undefined,
});
const get = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";
const lastGet = "GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n";

test("requests of one connection are taken one after the other", async () => {
  const open: (() => void)[] = [];
  let begun = 0;
  await using server = await listen((request, response) => {
    begun++;
    open.push(() => response.end(request.url));
  });
  const socket = server.connect();
  const text = textOf(socket);
  const paths = Array.from({ length: maxWaitingRequests + 1 }, (_, i) => i);
  socket.write(
    paths.map((i) => `GET /${i} HTTP/1.1\r\nHost: h\r\n\r\n`).join(""),
  );
  for (const i of paths) {
    await until(() => open.length > 0);
    await turns(3);
    assert.equal(begun, i + 1);
    open.shift()?.();
  }
  await until(() => answersIn(text()) === paths.length);
  assert.deepEqual(
    [...text().matchAll(/^\/(\d+)/gm)].map(([, path]) => Number(path)),
    paths,
  );
  // Another one finds all the room again.
  socket.write(get.repeat(maxWaitingRequests + 1));
  for (let i = 0; i <= maxWaitingRequests; i++) {
    await until(() => open.length > 0);
    open.shift()?.();
  }
  await until(() => answersIn(text()) === 2 * paths.length);
});

test("a connection with more requests is closed before they are parsed", async () => {
  let taken = 0;
  let begun = 0;
  await using server = await listen((_request, response) => {
    taken++;
    response.end();
  });
  server.http.on("request", () => {
    begun++;
  });
  // Node sends an answer before it parses on where there is a body.
  const post = "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx";
  for (const request of [get, post]) {
    taken = 0;
    begun = 0;
    const socket = server.connect();
    const closed = closeOf(socket);
    socket.write(request.repeat(1000));
    socket.resume();
    await closed;
    assert.equal(taken, 1);
    // All 1000 if the parser cannot be stopped.
    assert.ok(begun <= maxWaitingRequests + 3, `${begun} of 1000 requests`);
  }
});

test("what Node answers itself counts, too", async () => {
  await using server = await listen((_request, response) => {
    response.end();
  });
  for (const [name, request, status] of [
    ["no host", "GET / HTTP/1.1\r\n\r\n", 400],
    ["an expectation", "GET / HTTP/1.1\r\nHost: h\r\nExpect: x\r\n\r\n", 417],
  ] as const) {
    for (const count of [1, 1000]) {
      const socket = server.connect();
      const text = textOf(socket);
      const closed = closeOf(socket);
      socket.write(request.repeat(count));
      await closed;
      const answers = text();
      assert.ok(answersIn(answers) <= 1, name);
      if (count === 1) assert.match(answers, new RegExp(`^HTTP/1.1 ${status}`));
    }
  }
  // These are fine without, or with it.
  for (const request of [
    "GET / HTTP/1.0\r\n\r\n",
    "POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx",
  ]) {
    const socket = server.connect();
    const text = textOf(socket);
    const closed = closeOf(socket);
    socket.write(request);
    await closed;
    assert.match(text(), /HTTP\/1\.1 200/);
  }
});

test("requests come whole, however they are cut", async () => {
  const bodies: string[] = [];
  await using server = await listen(async (request, response) => {
    const body = await bodyOf(request);
    bodies.push(`${body.length} ${hashOf(body)}`);
    response.end();
  });
  const request = fc.record({
    // None, short and long.
    length: fc.oneof(
      fc.constant(0),
      fc.integer({ min: 1, max: 40 }),
      fc.integer({ min: 400, max: 5000 }),
    ),
    head: fc.integer({ min: 0, max: 1500 }),
    chunk: fc.option(fc.integer({ min: bytesPerChunk, max: 3000 })),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(request, { minLength: 1, maxLength: maxWaitingRequests }),
      fc.array(fc.integer({ min: 1, max: 4000 }), { maxLength: 6 }),
      async (requests, cuts) => {
        bodies.length = 0;
        const expected = requests.map(({ length }, i) => bytesOf(length, i));
        const wire = Buffer.concat([
          ...requests.flatMap(({ head, chunk }, i) => {
            const body = expected[i] ?? Buffer.alloc(0);
            const start = `POST / HTTP/1.1\r\nHost: h\r\nX: ${"h".repeat(head)}\r\n`;
            return chunk === null
              ? [
                  Buffer.from(`${start}Content-Length: ${body.length}\r\n\r\n`),
                  body,
                ]
              : [
                  Buffer.from(`${start}Transfer-Encoding: chunked\r\n\r\n`),
                  ...chunked(body, chunk),
                ];
          }),
          Buffer.from(lastGet),
        ]);
        const socket = server.connect();
        const text = textOf(socket);
        const closed = closeOf(socket);
        let at = 0;
        for (const cut of [...cuts, wire.length]) {
          socket.write(wire.subarray(at, at + cut));
          at += cut;
          await turns(2);
        }
        await closed;
        assert.equal(answersIn(text()), requests.length + 1);
        assert.deepEqual(bodies, [
          ...expected.map((body) => `${body.length} ${hashOf(body)}`),
          `0 ${hashOf(Buffer.alloc(0))}`,
        ]);
      },
    ),
    { numRuns: 30 },
  );
});

test("a body that nobody reads yet waits, and so do answers", async () => {
  const answer = Buffer.alloc(300_000, "a");
  const gates: (() => void)[] = [];
  await using server = await listen(async (request, response) => {
    await new Promise<void>((resolve) => gates.push(resolve));
    const body = await bodyOf(request);
    response.end(Buffer.concat([Buffer.from(hashOf(body)), answer]));
  });
  const socket = server.connect();
  // Neither side takes what the other sends before it must.
  socket.pause();
  const body = bytesOf(3_000_000, 0);
  const head = (length: number) =>
    `POST / HTTP/1.1\r\nHost: h\r\nContent-Length: ${length}\r\n\r\n`;
  socket.write(head(body.length));
  socket.write(body);
  for (let i = 0; i < 8; i++) socket.write(`${head(3)}abc`);
  socket.write(lastGet);
  await until(() => gates.length === 1);
  await turns(20);
  assert.equal(gates.length, 1);
  const text = textOf(socket);
  const closed = closeOf(socket);
  socket.resume();
  for (let i = 0; i < 10; i++) {
    await until(() => gates.length > 0);
    gates.shift()?.();
  }
  await closed;
  assert.deepEqual(
    [...text().matchAll(/([0-9a-f]{64})a{300000}/g)].map(([, hash]) => hash),
    [
      hashOf(body),
      ...Array.from({ length: 8 }, () => hashOf(Buffer.from("abc"))),
      hashOf(Buffer.alloc(0)),
    ],
  );
});

test("a body in chunks too small for its length fails at once", async () => {
  let pieces = 0;
  let ends = 0;
  const failures: unknown[] = [];
  await using server = await listen((request, response) => {
    request.on("data", () => {
      pieces++;
    });
    request.on("error", (error) => {
      failures.push(error);
      response.writeHead(400).end();
    });
    request.on("end", () => {
      ends++;
      response.end();
    });
  });
  const send = async (body: readonly Buffer[]) => {
    pieces = 0;
    const socket = server.connect();
    const text = textOf(socket);
    const closed = closeOf(socket);
    socket.write(
      Buffer.concat([
        Buffer.from(
          "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        ),
        ...body,
        Buffer.from(lastGet),
      ]),
    );
    await closed;
    return [...text().matchAll(/HTTP\/1\.1 (\d+)/g)].map(
      ([, status]) => status,
    );
  };
  const body = bytesOf(60_000, 0);
  assert.deepEqual(await send(chunked(body, 1)), ["400"]);
  assert.ok(pieces < 2 * freeChunks, `${pieces} of 60000 pieces`);
  assert.match(String(failures), /too many chunks/);
  assert.deepEqual(await send(chunked(body, bytesPerChunk / 2)), ["400"]);
  for (const size of [bytesPerChunk, 200, 511, 1024, 60_000]) {
    assert.deepEqual(
      await send(chunked(body, size)),
      ["200", "200"],
      `${size}`,
    );
  }
  const few = chunked(body.subarray(0, freeChunks), 1);
  assert.deepEqual(await send(few), ["200", "200"]);
  assert.equal(failures.length, 2);
  // What is cut has no end, even where that stands in the same read.
  ends = 0;
  const more = chunked(body.subarray(0, freeChunks + 6), 1);
  assert.deepEqual(await send(more), ["400"]);
  assert.equal(ends, 0);
});

test("small chunks end a connection whatever becomes of the request", async () => {
  const head =
    "POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n";
  const flood = Buffer.concat([
    ...chunked(bytesOf(60_000, 0), 1),
    Buffer.from(get),
  ]);
  const answers = async (listener: RequestListener) => {
    await using server = await listen(listener);
    const together = server.connect();
    const text = textOf(together);
    const closed = closeOf(together);
    together.write(Buffer.concat([Buffer.from(head), flood]));
    await closed;
    assert.ok(answersIn(text()) <= 1);
    // The same when the flood comes after the answer, or after what precedes it.
    const later = server.connect();
    const textLater = textOf(later);
    const closedLater = closeOf(later);
    later.write(head);
    await turns(20);
    later.write(flood);
    await closedLater;
    assert.ok(answersIn(textLater()) <= 1);
    return text() + textLater();
  };
  await answers((_request, response) => response.end("at once"));
  await answers((_request, response) => {
    response.write("in part");
  });
  await answers((_request, response) => {
    setImmediate(() => response.end("later"));
  });
  const read = await answers((request, response) => {
    setImmediate(() =>
      bodyOf(request).then(
        () => response.end("whole"),
        () => response.writeHead(400).end("cut"),
      ),
    );
  });
  assert.doesNotMatch(read, /whole/);
  assert.equal(read.split("cut").length - 1, 2);
});

test("what a network cuts small is no flood of chunks", async () => {
  await using server = await listen(async (request, response) => {
    const body = await bodyOf(request);
    response.end(String(body.length));
  });
  const length = 4 * freeChunks;
  for (const [head, body] of [
    [`Content-Length: ${length}`, [Buffer.alloc(length, "x")]],
    ["Transfer-Encoding: chunked", chunked(Buffer.alloc(length, "x"), length)],
  ] as const) {
    const socket = server.connect().setNoDelay();
    const text = textOf(socket);
    const closed = closeOf(socket);
    socket.write(
      `POST / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n${head}\r\n\r\n`,
    );
    for (const byte of Buffer.concat(body)) {
      const { promise, resolve } = Promise.withResolvers<void>();
      socket.write(Buffer.from([byte]), () => resolve());
      await promise;
    }
    await closed;
    assert.match(text(), new RegExp(`^${length}$`, "m"));
  }
});

async function listen(listener: RequestListener) {
  const http = createBoundedServer(listener, malformed.refuse, {});
  http.listen(0, "127.0.0.1");
  await once(http, "listening");
  const { port } = http.address() as AddressInfo;
  return {
    http,
    connect(): Socket {
      const socket = connect(port, "127.0.0.1");
      // Cut while it writes.
      socket.on("error", () => {});
      return socket;
    },
    async [Symbol.asyncDispose]() {
      http.closeAllConnections();
      http.close();
      await once(http, "close");
    },
  };
}

/** Resolves when it is closed, or cut. */
function closeOf(socket: Socket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("close", () => resolve());
  return promise;
}

/** What came so far. */
function textOf(socket: Socket): () => string {
  const pieces: Buffer[] = [];
  socket.on("data", (piece) => pieces.push(piece));
  return () => Buffer.concat(pieces).toString("latin1");
}

function answersIn(text: string): number {
  return text.split("HTTP/1.1 ").length - 1;
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const pieces: Buffer[] = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => resolve(Buffer.concat(pieces)));
  request.on("error", reject);
  return await promise;
}

function hashOf(bytes: Buffer): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function bytesOf(length: number, seed: number): Buffer {
  return Buffer.from(Array.from({ length }, (_, i) => (i * 31 + seed) % 251));
}

function chunked(bytes: Buffer, size: number): Buffer[] {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    parts.push(
      Buffer.from(`${part.length.toString(16)}\r\n`),
      part,
      Buffer.from("\r\n"),
    );
  }
  return [...parts, Buffer.from("0\r\n\r\n")];
}

async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** @throws AssertionError after 20 s */
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < deadline, `${condition} does not come true`);
    await turns(1);
  }
}
