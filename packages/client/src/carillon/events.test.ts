import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { connect } from "../connection.ts";
import { ForbiddenError, InvalidResponseError } from "../errors.ts";

const keys = {
  accessKey: "AK",
  secretKey: "SK",
  projectId: "0f3c5d1e2a4b46788899aabbccddeeff",
} as const;

test("reads events, and goes on behind the last id when a connection breaks", async () => {
  await using server = await serveStreams([
    [
      "retry: 1000\nid: 5\n\n",
      'event: delivery.failed\nid: 5.1\ndata: {"at":"t","messageId":"m1"}\n\n',
    ],
    ["id: 5.1\n\n", ":\nid: 8\n\n"],
    ["id: 8\n\n", 'event: end\ndata: {"reason":"renew"}\n\n'],
    ['event: summary\nid: 9\ndata: {"counts":{"delivery.sent":3}}\n\n'],
  ]);
  const { carillon } = connect({ endpoint: server.url, ...keys });
  const told = [];
  const query = { events: ["delivery.*"], topic: "alerts" };
  for await (const event of carillon.events(query)) {
    told.push(event);
    if (event.event === "summary") break;
  }
  assert.deepEqual(told, [
    { at: "t", messageId: "m1", event: "delivery.failed", id: "5.1" },
    { counts: { "delivery.sent": 3 }, event: "summary", id: "9" },
  ]);
  assert.deepEqual(server.queries, [
    "topic=alerts&events=delivery.%2A",
    "topic=alerts&events=delivery.%2A&after=5.1",
    "topic=alerts&events=delivery.%2A&after=8",
    "topic=alerts&events=delivery.%2A&after=8",
  ]);
});

test("tells that a connection is lost, and that there is one again", async () => {
  await using server = await serveStreams([
    ['event: delivery.sent\nid: 2\ndata: {"n":1}\n\n'],
    ['event: delivery.sent\nid: 3\ndata: {"n":2}\n\n'],
  ]);
  const { carillon } = connect({ endpoint: server.url, ...keys });
  const told: unknown[] = [];
  const onConnection = (state: string) => told.push(state);
  for await (const { n } of carillon.events({}, { onConnection })) {
    told.push(n);
    if (n === 2) break;
  }
  assert.deepEqual(told, [1, "lost", "restored", 2]);
});

test("an error of the caller's own is no lost connection", async () => {
  await using server = await serveStreams([
    ["event: delivery.sent\nid: 2\ndata: {}\n\n"],
    ["event: delivery.sent\nid: 3\ndata: {}\n\n"],
  ]);
  const { carillon } = connect({ endpoint: server.url, ...keys });
  for (const wrong of ["lost", "restored"]) {
    const onConnection = (state: string) => {
      if (state === wrong) throw new TypeError(`not ${state}`);
    };
    const reading = Array.fromAsync(carillon.events({}, { onConnection }));
    await assert.rejects(reading, new TypeError(`not ${wrong}`));
  }
});

test("a stream that ends to be renewed is not lost", async () => {
  await using server = await serveStreams(
    [
      ['event: end\nid: 2\ndata: {"reason":"renew"}\n\n'],
      ["event: delivery.sent\nid: 3\ndata: {}\n\n"],
    ],
    { endsWhole: true },
  );
  const { carillon } = connect({ endpoint: server.url, ...keys });
  const told: unknown[] = [];
  const onConnection = (state: string) => told.push(state);
  for await (const { event } of carillon.events({}, { onConnection })) {
    told.push(event);
    break;
  }
  assert.deepEqual(told, ["delivery.sent"]);
});

test("ends with the signal's reason, and leaves no connection", async () => {
  await using server = await serveStreams([], { hangs: true });
  const { carillon } = connect({ endpoint: server.url, ...keys });
  const abort = new AbortController();
  const reading = carillon.events({}, { signal: abort.signal }).next();
  await server.opened;
  abort.abort(new Error("enough"));
  await assert.rejects(reading, /enough/);
  await server.left;
});

test("says at once what is wrong with the first request", async () => {
  await using server = await serveStreams([], { status: 403 });
  const { carillon } = connect({ endpoint: server.url, ...keys });
  await assert.rejects(async () => {
    for await (const _ of carillon.events()) break;
  }, ForbiddenError);
});

test("takes nothing but a stream of events for one", async () => {
  await using server = await serveStreams([], { type: "application/json" });
  const { carillon } = connect({ endpoint: server.url, ...keys });
  await assert.rejects(async () => {
    for await (const _ of carillon.events()) break;
  }, InvalidResponseError);
});

/** Each connection gets the next list of texts, and is cut or ended. */
async function serveStreams(
  streams: readonly (readonly string[])[],
  {
    status = 200,
    hangs = false,
    endsWhole = false,
    type = "text/event-stream",
  } = {},
) {
  const queries: string[] = [];
  const opened = Promise.withResolvers<void>();
  const left = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    const [, query = ""] = (request.url ?? "").split("?");
    const texts = streams[queries.length] ?? [];
    queries.push(query);
    response.on("close", left.resolve);
    response.writeHead(status, { "content-type": type });
    if (status !== 200) {
      response.end("{}");
      return;
    }
    response.write("id: 1\n\n", () => opened.resolve());
    if (hangs) return;
    // In pieces, as a network delivers them.
    for (const piece of texts.join("").match(/[\s\S]{1,7}/g) ?? []) {
      response.write(piece);
    }
    if (endsWhole) response.end();
    else response.write("", () => response.destroy());
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    queries,
    opened: opened.promise,
    left: left.promise,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
