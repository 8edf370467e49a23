/** What the channel makes of receivers that fail, hang, or answer too much. */

import assert from "node:assert/strict";
import { EventEmitter, once } from "node:events";
import { createServer as createHttpServer } from "node:http";
import {
  type AddressInfo,
  createServer,
  type Server,
  type Socket,
} from "node:net";
import { type TestContext, test } from "node:test";
import { setImmediate as turn } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import {
  type AttemptResult,
  type AttemptSignals,
  type Channel,
  type Message,
  type PreparedMessage,
  silentLogger,
  systemClock,
} from "@carillon/core";
import { ManualClock } from "@carillon/testing";
import { createEgressGuard } from "../egress/egress-guard.ts";
import type { ResolveName } from "../egress/name-resolver.ts";
import { message, recipient, text, tokens, untimed } from "../fixtures.test.ts";
import { createLinks } from "../links.ts";
import { createHttpChannel, type HttpChannelOptions } from "./channel.ts";
import type { Signature } from "./signing-key.ts";
import { WebhookKeys } from "./webhook-keys.ts";

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";

for (const [answer, expected, ends] of [
  [
    "HTTP/1.1 503 Busy\r\nretry-after: 7\r\ncontent-length: 9\r\n\r\nback soon",
    {
      outcome: "deferred",
      errorClass: "http_status",
      statusCode: 503,
      error: "The endpoint answered 503: back soon",
      retryAfterMs: 7000,
    },
  ],
  [
    "HTTP/1.1 429 Slow\r\nretry-after: 30\r\nretry-after: 60\r\ncontent-length: 0\r\n\r\n",
    {
      outcome: "deferred",
      errorClass: "http_status",
      statusCode: 429,
      error: "The endpoint answered 429.",
      retryAfterMs: 30_000,
    },
  ],
  [
    "HTTP/1.1 404 No\r\ncontent-length: 12\r\n\r\nno such hook",
    {
      outcome: "rejected",
      errorClass: "http_status",
      statusCode: 404,
      error: "The endpoint answered 404: no such hook",
    },
  ],
  [
    Buffer.from(
      "HTTP/1.1 500 Error\r\ncontent-type: text/plain; charset=iso-8859-1\r\ncontent-length: 8\r\n\r\nÜberlast",
      "latin1",
    ),
    {
      outcome: "deferred",
      errorClass: "http_status",
      statusCode: 500,
      error: "The endpoint answered 500: Überlast",
    },
  ],
  [
    Buffer.concat([
      Buffer.from(
        "HTTP/1.1 500 Error\r\ncontent-encoding: gzip\r\nconnection: close\r\n\r\n",
      ),
      gzipSync("Überlast"),
    ]),
    {
      outcome: "deferred",
      errorClass: "http_status",
      statusCode: 500,
      error: "The endpoint answered 500: Überlast",
    },
    "ends",
  ],
  [
    "HTTP/1.1 204 No Content\r\n\r\n",
    { outcome: "delivered", statusCode: 204 },
  ],
  [
    `HTTP/1.1 100 Continue\r\n\r\n${ok}`,
    { outcome: "delivered", statusCode: 200 },
  ],
  [
    `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${ok}`,
    { outcome: "delivered", statusCode: 200 },
  ],
  [
    "HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: x\r\n\r\n",
    {
      outcome: "deferred",
      errorClass: "unreachable",
      error:
        "The endpoint switched protocols (101), which was not asked (PROTOCOL_SWITCHED).",
    },
  ],
  [
    "SSH-2.0-OpenSSH_9.6\r\n",
    {
      outcome: "deferred",
      errorClass: "unreachable",
      error:
        "What the endpoint answered is not HTTP: its first line is no status line of HTTP/1.1.",
    },
  ],
] as const) {
  const start = String(answer.slice(0, 24)).trim();
  test(`takes "${start}" for ${expected.outcome}`, async (t) => {
    const server = await startServer(t, (socket) =>
      ends ? socket.end(answer) : socket.write(answer),
    );
    assert.deepEqual(await deliver(t, server.origin), expected);
  });
}

test("does not follow a redirect, and says where it leads", async (t) => {
  let visits = 0;
  const elsewhere = await startServer(t, () => visits++);
  const server = await startServer(t, (socket) =>
    socket.write(
      `HTTP/1.1 307 Go\r\nlocation: ${elsewhere.origin}/new?secret\r\ncontent-length: 0\r\n\r\n`,
    ),
  );
  const result = await deliver(t, server.origin);
  assert.equal(result.outcome, "rejected");
  assert.equal(result.statusCode, 307);
  assert.equal(
    "error" in result && result.error,
    `The endpoint answered 307 with the Location ${elsewhere.origin}/new?***, and redirects are not followed.`,
  );
  assert.equal(visits, 0);
});

test("a refused connection is deferred as unreachable", async (t) => {
  const { server, origin } = await startServer(t, () => {});
  server.close();
  await once(server, "close");
  assert.deepEqual(await deliver(t, origin), {
    outcome: "deferred",
    errorClass: "unreachable",
    error: "The endpoint refused the connection (ECONNREFUSED).",
  });
});

test("a name that does not resolve is deferred as unreachable", async (t) => {
  const resolve: ResolveName = async (host) => {
    throw Object.assign(new Error(host), { code: "ENOTFOUND" });
  };
  assert.deepEqual(await deliver(t, "http://gone.example/", { resolve }), {
    outcome: "deferred",
    errorClass: "unreachable",
    error: "The host name does not resolve (ENOTFOUND).",
  });
});

test("a connection that is reset or closed before the answer is deferred", async (t) => {
  for (const hangUp of [
    (socket: Socket) => socket.resetAndDestroy(),
    (socket: Socket) => socket.end(),
    (socket: Socket) => socket.end("HTTP/1.1 200 OK\r\ncontent-"),
  ]) {
    const server = await startServer(t, hangUp);
    const result = await deliver(t, server.origin);
    assert.equal(result.outcome, "deferred");
    assert.equal(result.errorClass, "unreachable");
    assert.equal(server.requests(), 1);
  }
});

test("a receiver that never answers is given up after the timeout", async (t) => {
  const server = await startServer(t, () => {});
  const startedAt = performance.now();
  assert.deepEqual(await deliver(t, server.origin, { timeoutMs: 100 }), {
    outcome: "deferred",
    errorClass: "timeout",
    error: "The endpoint did not answer within 0.1 s.",
  });
  const tookMs = performance.now() - startedAt;
  assert.ok(tookMs >= 95, `${tookMs} ms`);
  // The connection is not left behind.
  await server.closed();
});

test("a connection that does not come about is given up after the timeout", async (t) => {
  const resolve: ResolveName = () => new Promise(() => {});
  const result = await deliver(t, "http://slow.example/", {
    resolve,
    timeoutMs: 50,
  });
  assert.equal(result.errorClass, "timeout");
});

test("an answer whose header drips is given up after the timeout", async (t) => {
  const server = await startServer(t, (socket) =>
    drip(socket, "HTTP/1.1 200 OK\r\nx-slow: ", "z"),
  );
  const result = await deliver(t, server.origin, { timeoutMs: 100 });
  assert.deepEqual(
    [result.outcome, result.errorClass],
    ["deferred", "timeout"],
  );
  await server.closed();
});

test("an answer whose body drips counts by its status, after the timeout", async (t) => {
  for (const [status, outcome] of [
    [200, "delivered"],
    [500, "deferred"],
    [403, "rejected"],
  ] as const) {
    const server = await startServer(t, (socket) =>
      drip(socket, `HTTP/1.1 ${status} X\r\n\r\n`, "y"),
    );
    const result = await deliver(t, server.origin, { timeoutMs: 100 });
    assert.equal(result.outcome, outcome);
    assert.equal(result.statusCode, status);
    await server.closed();
  }
});

test("reads no more of a huge answer than it needs", async (t) => {
  let written = 0;
  const server = await startServer(t, (socket) => {
    socket.write("HTTP/1.1 500 Error\r\n\r\n");
    const chunk = "long story ".repeat(1000);
    const pour = () => {
      while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
    };
    socket.on("drain", pour);
    pour();
  });
  const result = await deliver(t, server.origin);
  await server.closed();

  assert.equal(result.outcome, "deferred");
  assert.equal(result.statusCode, 500);
  const prefix = "The endpoint answered 500: ";
  assert.equal(
    "error" in result && result.error,
    prefix + "long story ".repeat(20).slice(0, 200),
  );
  // What sockets buffer on both sides; the server would have gone on for ever.
  assert.ok(written < 20_000_000, `${written} bytes`);
});

test("keeps the connection of a receiver that sends an unasked 100 Continue", async (t) => {
  const server = await startServer(t, (socket) => {
    socket.write("HTTP/1.1 100 Continue\r\n\r\n");
    socket.write(ok);
  });
  const { prepared } = await prepare(t);
  for (let i = 0; i < 10; i++) {
    assert.deepEqual(await send(prepared, server.origin), {
      outcome: "delivered",
      statusCode: 200,
    });
  }
  assert.equal(server.requests(), 10);
  assert.equal(server.connections(), 1);
});

test("measures the steps of an attempt, and no opening of a connection that was kept", async (t) => {
  const clock = new ManualClock();
  const server = await startServer(t, (socket) => {
    clock.advance(30);
    socket.write(ok);
  });
  const { prepared } = await prepare(t, { clock });
  const to = recipient("http", server.origin);
  const first = await prepared.deliver(to);
  assert.deepEqual(first, {
    outcome: "delivered",
    statusCode: 200,
    connectMs: 0,
    firstByteMs: 30,
  });
  const second = await prepared.deliver(to);
  assert.deepEqual(second, {
    outcome: "delivered",
    statusCode: 200,
    firstByteMs: 30,
  });
});

test("measures looking up a name", async (t) => {
  const clock = new ManualClock();
  const server = await startServer(t, (socket) => socket.write(ok));
  const { port } = new URL(server.origin);
  const { prepared } = await prepare(t, {
    clock,
    resolve: async () => {
      clock.advance(20);
      return ["127.0.0.1"];
    },
  });
  const to = recipient("http", `http://hooks.example:${port}/`);
  const result = await prepared.deliver(to);
  assert.equal(result.outcome, "delivered", JSON.stringify(result));
  assert.equal(result.dnsMs, 20);
  assert.equal(result.connectMs, 0);
  assert.equal(result.tlsMs, undefined);
});

test("interim answers without end cost their own attempt only", async (t) => {
  let isFlooding = false;
  let written = 0;
  const server = await startServer(t, (socket) => {
    if (!isFlooding) {
      socket.write(ok);
      return;
    }
    const chunk = "HTTP/1.1 102 Processing\r\n\r\n".repeat(100);
    const pour = () => {
      while (!socket.destroyed && socket.write(chunk)) written += chunk.length;
    };
    socket.on("drain", pour);
    pour();
  });
  const { prepared } = await prepare(t);
  await send(prepared, server.origin);
  isFlooding = true;
  // On a connection that was used before: it is not taken for a dead one.
  assert.deepEqual(await send(prepared, server.origin), {
    outcome: "deferred",
    errorClass: "unreachable",
    error:
      "The endpoint sent interim answers (1xx) without a final one (INTERIM_ANSWERS_EXCEEDED).",
  });
  await server.closed();
  assert.equal(server.requests(), 2);
  assert.ok(written < 20_000_000, `${written} bytes`);
});

test("a connection that ends after an interim answer is not taken for a dead one", async (t) => {
  let requests = 0;
  const server = await startServer(t, (socket) => {
    if (requests++ === 0) socket.write(ok);
    else socket.end("HTTP/1.1 102 Processing\r\n\r\n");
  });
  const { prepared } = await prepare(t);
  await send(prepared, server.origin);
  const result = await send(prepared, server.origin);
  assert.equal(result.errorClass, "unreachable");
  assert.equal(server.requests(), 2);
});

test("a chunk's endless extension counts by the status that came", async (t) => {
  const server = await startServer(t, (socket) => {
    socket.write("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1");
    const pour = () => {
      while (!socket.destroyed && socket.write(";a=b".repeat(1000)));
    };
    socket.on("drain", pour);
    pour();
  });
  const result = await deliver(t, server.origin);
  assert.deepEqual(result, { outcome: "delivered", statusCode: 200 });
  await server.closed();
});

test("what is answered before it was all read is sent to its end, and nothing after it", async (t) => {
  const received: string[] = [];
  const paused: Socket[] = [];
  const server = createServer((socket) => {
    const index = received.push("") - 1;
    socket.on("data", (chunk) => {
      received[index] += chunk.toString("latin1");
    });
    socket.once("data", () => {
      socket.pause().write(ok);
      paused.push(socket);
    });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  // More than the system takes at once.
  const body = "x".repeat(8_000_000);
  const { prepared } = await prepare(t, {}, text(body));
  for (let i = 0; i < 2; i++) {
    assert.equal((await send(prepared, originOf(server))).outcome, "delivered");
  }
  assert.equal(paused.length, 2);
  await Promise.all(paused.map((socket) => once(socket.resume(), "end")));
  for (const request of received) {
    assert.equal(request.split("POST / HTTP/1.1").length, 2);
    assert.ok(request.includes(body));
  }
});

test("a huge answer to a delivered message ends the connection, not more", async (t) => {
  const server = await startServer(t, (socket) =>
    socket.write(
      `HTTP/1.1 200 OK\r\ncontent-length: 1000000\r\n\r\n${"x".repeat(9999)}`,
    ),
  );
  const result = await deliver(t, server.origin);
  assert.deepEqual(result, { outcome: "delivered", statusCode: 200 });
  await server.closed();
});

test("keeps the connection for the next request", async (t) => {
  const server = await startServer(t, (socket) => socket.write(ok));
  const { prepared } = await prepare(t);
  for (let i = 0; i < 20; i++) await send(prepared, server.origin);
  assert.equal(server.requests(), 20);
  assert.equal(server.connections(), 1);
});

for (const [keepAlive, keptMs, closedMs] of [
  ["", 3900, 1200],
  ["keep-alive: timeout=60, max=9\r\n", 57_900, 1200],
  ["keep-alive: timeout=2\r\n", 0, 0],
] as const) {
  test(`closes an idle connection before its server does: ${keepAlive || "no limit"}`, async (t) => {
    const clock = new ManualClock();
    const server = await startServer(t, (socket) =>
      socket.write(`HTTP/1.1 200 OK\r\n${keepAlive}content-length: 0\r\n\r\n`),
    );
    const { prepared } = await prepare(t, { clock });
    for (let i = 0; i < 3; i++) {
      assert.equal((await send(prepared, server.origin)).outcome, "delivered");
      clock.advance(keptMs);
    }
    assert.equal(server.connections(), keptMs > 0 ? 1 : 3);
    clock.advance(closedMs);
    await server.closed();
  });
}

test("does not trip over connections that servers close after each answer", async (t) => {
  const server = await startServer(t, (socket) =>
    socket.end(
      "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\n\r\nok",
    ),
  );
  const { prepared } = await prepare(t);
  for (let i = 0; i < 20; i++) {
    assert.equal((await send(prepared, server.origin)).outcome, "delivered");
  }
  assert.equal(server.connections(), 20);
});

test("a request that meets a dying idle connection goes out on another one, once", async (t) => {
  const requestsOf = new WeakMap<Socket, number>();
  const server = await startServer(t, (socket) => {
    const requests = (requestsOf.get(socket) ?? 0) + 1;
    requestsOf.set(socket, requests);
    if (requests === 1) socket.write(ok);
    else socket.resetAndDestroy();
  });
  const { prepared } = await prepare(t);
  assert.equal((await send(prepared, server.origin)).outcome, "delivered");
  assert.equal((await send(prepared, server.origin)).outcome, "delivered");
  assert.equal(server.connections(), 2);
  assert.equal(server.requests(), 3);
});

test("a hanging endpoint holds up no other one of the same origin", async (t) => {
  const hanging = new Set<string>();
  const server = createHttpServer((request, response) => {
    if (request.url === "/hangs")
      hanging.add(String(request.socket.remotePort));
    else response.end("ok");
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close().closeAllConnections());
  const origin = originOf(server);
  const { prepared } = await prepare(t, { timeoutMs: 3000 });
  const hung = Array.from({ length: 50 }, () =>
    send(prepared, `${origin}/hangs`),
  );
  for (let i = 0; i < 50; i++) {
    assert.equal((await send(prepared, `${origin}/ok`)).outcome, "delivered");
  }
  assert.equal(hanging.size, 50);
  server.closeAllConnections();
  await Promise.all(hung);
});

test("opens no more connections than it may, and says so when none comes free", async (t) => {
  const server = await startServer(t, () => {});
  const { prepared } = await prepare(t, {
    connectionsPerOrigin: 2,
    timeoutMs: 100,
  });
  const results = await Promise.all(
    Array.from({ length: 3 }, () => send(prepared, server.origin)),
  );
  assert.deepEqual(
    results.map(({ errorClass }) => errorClass),
    ["timeout", "timeout", "lane_full"],
  );
  assert.equal(server.connections(), 2);
});

test("those who wait for a connection get it as soon as one is free", async (t) => {
  const server = await startServer(t, (socket) => socket.write(ok));
  const { prepared } = await prepare(t, { connectionsPerOrigin: 3 });
  const results = await Promise.all(
    Array.from({ length: 60 }, () => send(prepared, server.origin)),
  );
  assert.ok(results.every(({ outcome }) => outcome === "delivered"));
  assert.equal(server.connections(), 3);
});

test("an endpoint in a refused network is rejected and not contacted", async (t) => {
  let visits = 0;
  const server = await startServer(t, () => visits++);
  const port = new URL(server.origin).port;
  const resolve: ResolveName = async () => ["127.0.0.1"];
  for (const [endpoint, text] of [
    [`http://127.0.0.1:${port}/`, "127.0.0.1 is a loopback address"],
    [`http://2130706433:${port}/`, "127.0.0.1 is a loopback address"],
    [`http://[::ffff:7f00:1]:${port}/`, "is an IPv4-mapped address"],
    [`http://inner.example:${port}/`, "resolves to a loopback address"],
  ] as const) {
    const result = await deliver(t, endpoint, { resolve, allowTargets: [] });
    assert.equal(result.outcome, "rejected");
    assert.equal(result.errorClass, "egress_refused");
    const error = "error" in result ? result.error : "";
    assert.ok(error.includes(text), error);
    assert.ok(error.includes("CARILLON_ALLOW_TARGETS"), error);
  }
  assert.equal(visits, 0);
});

test("an endpoint at a refused port is rejected and not contacted", async (t) => {
  let lookups = 0;
  const resolve: ResolveName = async () => {
    lookups++;
    return ["127.0.0.1"];
  };
  for (const endpoint of [
    "http://127.0.0.1:6379/",
    "http://inner.example:25/",
  ]) {
    const result = await deliver(t, endpoint, { resolve });
    assert.equal(result.outcome, "rejected");
    assert.equal(result.errorClass, "egress_refused");
    assert.match("error" in result ? result.error : "", /CARILLON_ALLOW_PORTS/);
  }
  assert.equal(lookups, 0);
});

test("a name that changes its address after it was checked reaches only the checked one", async (t) => {
  // The same port on two loopback addresses: one is allowed, one is not.
  const allowed = await startServer(t, (socket) => socket.write(ok));
  const port = Number(new URL(allowed.origin).port);
  const forbidden = await startServer(t, (socket) => socket.write(ok), {
    host: "127.0.0.2",
    port,
  });
  const answers = [["127.0.0.1"], ["127.0.0.2"], ["127.0.0.1", "127.0.0.2"]];
  let questions = 0;
  const options = {
    allowTargets: ["127.0.0.1"],
    resolve: async () => answers[questions++] ?? [],
  };
  const endpoint = `http://rebinding.example:${port}/`;

  const first = await deliver(t, endpoint, options);
  assert.equal(first.outcome, "delivered");
  assert.equal(questions, 1);
  for (const expected of [2, 3]) {
    const next = await deliver(t, endpoint, options);
    assert.equal(next.errorClass, "egress_refused");
    assert.equal(questions, expected);
  }
  assert.equal(allowed.connections(), 1);
  assert.equal(forbidden.connections(), 0);
});

test("connects to a host's second address when the first does not answer", async (t) => {
  const server = await startServer(t, (socket) => socket.write(ok));
  const port = new URL(server.origin).port;
  const result = await deliver(t, `http://two.example:${port}/`, {
    // Nobody listens on the first one.
    resolve: async () => ["127.0.0.3", "127.0.0.1"],
  });
  assert.equal(result.outcome, "delivered");
});

test("closing ends what is under way and leaves nothing open", async (t) => {
  const server = await startServer(t, () => {});
  const { channel, prepared } = await prepare(t);
  const hung = send(prepared, server.origin);
  const slow = send(prepared, "http://slow.example/");
  await server.requested();
  await Promise.all([channel.close(), channel.close()]);

  const interrupted = {
    outcome: "deferred",
    errorClass: "interrupted",
    error: "The service was shutting down.",
  };
  assert.deepEqual(await hung, interrupted);
  assert.deepEqual(await slow, interrupted);
  assert.deepEqual(await send(prepared, server.origin), interrupted);
  await server.closed();
});

test("keeps no more idle connections than it may", async (t) => {
  const servers = await Promise.all(
    Array.from({ length: 5 }, () =>
      startServer(t, (socket) => socket.write(ok)),
    ),
  );
  const { prepared } = await prepare(t, { idleConnections: 2 });
  for (const { origin } of servers) await send(prepared, origin);
  // The first three were closed to make room for the later ones.
  for (const server of servers.slice(0, 3)) await server.closed();
  await send(prepared, servers[4]?.origin ?? "");
  assert.equal(servers[4]?.connections(), 1);
});

test("rather closes a second connection of an origin than the only one of another", async (t) => {
  const quiet = await startServer(t, (socket) => socket.write(ok));
  const held: Socket[] = [];
  const allThere = Promise.withResolvers<void>();
  const busy = await startServer(t, (socket) => {
    if (held.push(socket) === 3) allThere.resolve();
  });
  const { prepared } = await prepare(t, { idleConnections: 3 });
  await send(prepared, quiet.origin);
  const sending = [1, 2, 3].map(() => send(prepared, busy.origin));
  await allThere.promise;
  for (const socket of held) socket.write(ok);
  await Promise.all(sending);
  await send(prepared, quiet.origin);
  assert.equal(quiet.connections(), 1);
});

test("ends the attempts of an engine that stops, and no other's", async (t) => {
  const hanging = await startServer(t, () => {});
  const other = await startServer(t, () => {});
  const { prepared } = await prepare(t, { connectionsPerOrigin: 1 });
  const stop = new AbortController();
  const signals = ofEngine(stop.signal);
  const open = prepared.deliver(recipient("http", hanging.origin), signals);
  // Waits for the only connection.
  const next = prepared.deliver(recipient("http", hanging.origin), signals);
  let isOtherSettled = false;
  void prepared
    .deliver(
      recipient("http", other.origin),
      ofEngine(new AbortController().signal),
    )
    .finally(() => {
      isOtherSettled = true;
    });
  await Promise.all([hanging.requested(), other.requested()]);

  stop.abort();
  for (const attempt of [open, next]) {
    assert.deepEqual(await attempt, {
      outcome: "deferred",
      errorClass: "interrupted",
      error: "The service was shutting down.",
    });
  }
  await hanging.closed();
  assert.deepEqual([hanging.requests(), hanging.connections()], [1, 1]);
  const late = await prepared.deliver(
    recipient("http", hanging.origin),
    signals,
  );
  assert.equal(late.outcome, "deferred");
  assert.equal(hanging.connections(), 1);
  assert.equal(isOtherSettled, false);
});

test("a status that came counts though the engine stops before the answer's end", async (t) => {
  const server = await startServer(t, (socket) =>
    socket.write("HTTP/1.1 410 Gone\r\ncontent-length: 2\r\n\r\n"),
  );
  const answered = Promise.withResolvers<void>();
  const { prepared } = await prepare(t, {
    clock: {
      ...systemClock,
      // Read with the header of an answer that is no success.
      now: () => {
        answered.resolve();
        return systemClock.now();
      },
    },
  });
  const stop = new AbortController();
  const open = prepared.deliver(
    recipient("http", server.origin),
    ofEngine(stop.signal),
  );
  await answered.promise;

  stop.abort();
  assert.deepEqual(untimed(await open), {
    outcome: "rejected",
    errorClass: "http_status",
    statusCode: 410,
    error: "The endpoint answered 410.",
  });
  await server.closed();
});

test("a message that is signed too late for an attempt that was given up is not sent", async (t) => {
  const server = await startServer(t, (socket) => socket.write(ok));
  const clock = new ManualClock();
  const signing = Promise.withResolvers<Signature>();
  const { prepared } = await prepare(t, {
    clock,
    timeoutMs: 5000,
    signer: { sign: () => signing.promise },
  });
  const attempt = prepared.deliver(recipient("http", server.origin), {
    engineSignal: new AbortController().signal,
    signal: AbortSignal.abort(),
  });
  await turn();
  clock.advance(5001);
  signing.resolve({ signature: "c2ln", certificateId: "x.pem" });
  assert.deepEqual(await attempt, {
    outcome: "deferred",
    errorClass: "timeout",
    error: "The message was not signed in time; nothing was sent.",
  });
  assert.equal(server.connections(), 0);
});

/** Signals of which only the engine's may be read: the other would be made. */
function ofEngine(engineSignal: AbortSignal): AttemptSignals {
  return {
    engineSignal,
    get signal(): AbortSignal {
      throw new Error("An attempt's own signal was made.");
    },
  };
}

interface TestServer {
  readonly server: Server;
  readonly origin: string;
  requests(): number;
  connections(): number;
  /** Resolves once a request has come. */
  requested(): Promise<void>;
  /** Resolves once no connection is open. */
  closed(): Promise<void>;
}

/** A server that answers each request, once it is complete, as given. */
async function startServer(
  t: TestContext,
  answer: (socket: Socket) => void,
  { host = "127.0.0.1", port = 0 } = {},
): Promise<TestServer> {
  const events = new EventEmitter();
  const open = new Set<Socket>();
  let requests = 0;
  let connections = 0;
  const server = createServer((socket) => {
    connections++;
    open.add(socket);
    socket.on("close", () => {
      open.delete(socket);
      events.emit("change");
    });
    socket.on("error", () => {});
    let received = "";
    socket.on("data", (chunk) => {
      received += chunk.toString("latin1");
      for (;;) {
        const length = /content-length: (\d+)\r\n(?:.+\r\n)*\r\n/.exec(
          received,
        );
        if (length === null) return;
        const end = length.index + length[0].length + Number(length[1]);
        if (received.length < end) return;
        received = received.slice(end);
        requests++;
        events.emit("change");
        answer(socket);
      }
    });
  }).listen(port, host);
  await once(server, "listening");
  t.after(() => {
    server.close();
    for (const socket of open) socket.destroy();
  });
  const until = async (condition: () => boolean) => {
    while (!condition()) await once(events, "change");
  };
  return {
    server,
    origin: originOf(server),
    requests: () => requests,
    connections: () => connections,
    requested: () => until(() => requests > 0),
    closed: () => until(() => open.size === 0),
  };
}

/** Sends a character in each turn of the event loop until the other side goes. */
async function drip(socket: Socket, start: string, drop: string) {
  socket.write(start);
  while (!socket.destroyed) {
    socket.write(drop);
    await turn();
  }
}

function originOf(server: { address(): AddressInfo | string | null }): string {
  const { address, port } = server.address() as AddressInfo;
  return `http://${address}:${port}`;
}

type TestOptions = Partial<HttpChannelOptions> & {
  readonly resolve?: ResolveName;
  readonly allowTargets?: readonly string[];
};

async function prepare(
  t: TestContext,
  options: TestOptions = {},
  content: Message["content"] = text("Volume data-1 is 93 % full."),
): Promise<{ channel: Channel; prepared: PreparedMessage }> {
  const { resolve, allowTargets = ["127.0.0.0/8"], ...rest } = options;
  const channel = createHttpChannel({
    egress: createEgressGuard({
      allowTargets,
      resolve: resolve ?? (() => new Promise(() => {})),
    }),
    signer: {
      sign: async () => ({ signature: "c2ln", certificateId: "x.pem" }),
    },
    webhookKeys: new WebhookKeys(Buffer.alloc(32, 7)),
    links: createLinks({
      publicUrl: () => "https://x.example",
      region: "r",
      tokens,
    }),
    clock: systemClock,
    logger: silentLogger,
    ...rest,
  });
  t.after(() => channel.close());
  return { channel, prepared: await channel.prepare(message({ content })) };
}

type Result = AttemptResult & { readonly errorClass?: string };

async function send(
  prepared: PreparedMessage,
  endpoint: string,
): Promise<Result> {
  // The rest of a result is one.
  return untimed(await prepared.deliver(recipient("http", endpoint))) as Result;
}

async function deliver(
  t: TestContext,
  endpoint: string,
  options?: TestOptions,
): Promise<Result> {
  const { prepared } = await prepare(t, options);
  return send(prepared, endpoint);
}
