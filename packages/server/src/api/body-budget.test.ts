import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { test } from "node:test";
import type { TypeBoxTypeProvider } from "@fastify/type-provider-typebox";
import fastify from "fastify";
import { startTestServer } from "../../test-support/test-server.ts";
import { BodyBudget, boundUnprovenBodies } from "./body-budget.ts";
import { createProblemAnswer } from "./v2/error-answers.ts";

test("a budget is used up in all, and half of it by one address", () => {
  const budget = new BodyBudget(100);
  assert.ok(budget.take("a", 50));
  assert.ok(!budget.take("a", 1));
  assert.ok(budget.take("b", 49));
  assert.ok(!budget.take("c", 2));
  assert.ok(budget.take("c", 1));
  budget.release("a", 50);
  assert.ok(budget.take("c", 49));
  assert.ok(!budget.take("c", 1));
  budget.release("c", 50);
  budget.release("b", 49);
  assert.equal(budget.heldBytes, 0);
});

test("addresses of one IPv6 network have half of the budget together", () => {
  const budget = new BodyBudget(100);
  assert.ok(budget.take("2001:db8::1", 50));
  assert.ok(!budget.take("2001:db8::2", 1));
  assert.ok(budget.take("2001:db8:0:1::1", 1));
  budget.release("2001:db8::1", 50);
  assert.ok(budget.take("2001:db8::2", 49));
});

test("what the head of a request decides is decided without its body", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  const topics = `${server.base}/topics`;
  const foreign = `/v2/${"f".repeat(32)}/notifications/topics`;
  const signed = (accessKey: string, date: string) =>
    `X-Sdk-Date: ${date}\r\nAuthorization: SDK-HMAC-SHA256 Access=${accessKey}, SignedHeaders=host;x-sdk-date, Signature=${"0".repeat(64)}\r\n`;
  const known = `Authorization: ${server.authorization}\r\n`;
  const { accessKey } = server.credentials;
  for (const [name, path, headers, length, status] of [
    ["no credentials", topics, "", 1000, 401],
    ["no credentials", "/api/v2/keys", "", 1000, 401],
    ["a wrong token", topics, "X-Auth-Token: wrong\r\n", 1000, 401],
    ["no scheme", topics, "Authorization: x\r\n", 1000, 401],
    ["an unknown key", topics, signed("AKX", "20260101T000000Z"), 1000, 401],
    ["a stale date", topics, signed(accessKey, "20250101T000000Z"), 1000, 401],
    ["another project", foreign, known, 1000, 403],
    ["too long a body", topics, known, 70_000, 400],
    ["too long a body", "/v3/auth/tokens", "", 17_000, 400],
  ] as const) {
    const socket = connect(port, "127.0.0.1");
    socket.write(
      `POST ${path} HTTP/1.1\r\nHost: h\r\n${headers}Content-Length: ${length}\r\n\r\n`,
    );
    // Nothing of the body is sent.
    assert.equal(await statusOf(socket), status, name);
    socket.destroy();
  }
});

test("a wrong signature is refused once the body is here", async () => {
  await using server = await startTestServer();
  const { statusCode } = await server.app.inject({
    method: "POST",
    url: `${server.base}/topics`,
    headers: {
      "x-sdk-date": "20260101T000000Z",
      authorization: `SDK-HMAC-SHA256 Access=${server.credentials.accessKey}, SignedHeaders=host;x-sdk-date, Signature=${"0".repeat(64)}`,
    },
    payload: { name: "topic" },
  });
  assert.equal(statusCode, 401);
});

test("bodies in chunks are cut at the limit of the route", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  socket.write(
    "POST /v3/auth/tokens HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
  );
  for (let i = 0; i < 20; i++) {
    socket.write(`400\r\n${"x".repeat(1024)}\r\n`);
  }
  assert.equal(await statusOf(socket), 400);
  socket.destroy();
});

test("bodies without credentials that find no room are answered 503", async () => {
  const app = fastify().withTypeProvider<TypeBoxTypeProvider>();
  const budget = new BodyBudget(8000);
  app.decorateRequest("principal", undefined);
  app.addContentTypeParser("*", { parseAs: "buffer" }, (_request, body, done) =>
    done(null, body),
  );
  app.setErrorHandler(
    createProblemAnswer({
      failures: { report() {} },
      originOf: () => "http://h",
    }),
  );
  boundUnprovenBodies(app, budget);
  app.post("/", async () => ({}));
  const url = await app.listen({ port: 0, host: "127.0.0.1" });
  const port = Number(new URL(url).port);
  const send = (headers: string, body = ""): Socket => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write(
      `POST / HTTP/1.1\r\nHost: h\r\nContent-Type: x/y\r\n${headers}\r\n${body}`,
    );
    return socket;
  };
  const heldIs = async (bytes: number) => {
    while (budget.heldBytes !== bytes) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const slow = send("Content-Length: 4000\r\n");
  await heldIs(4000);
  for (const [headers, body] of [
    ["Content-Length: 1\r\n", "x"],
    ["Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n"],
  ] as const) {
    const socket = send(headers, body);
    assert.equal(await statusOf(socket), 503);
    socket.destroy();
  }
  // The slow one goes, and leaves its room.
  slow.destroy();
  await heldIs(0);
  for (const [headers, body] of [
    ["Content-Length: 3000\r\n", "x".repeat(3000)],
    ["Transfer-Encoding: chunked\r\n", "1\r\nx\r\n0\r\n\r\n"],
  ] as const) {
    const socket = send(headers, body);
    assert.equal(await statusOf(socket), 200);
    socket.destroy();
  }
  await heldIs(0);
  await app.close();
});

test("connections beyond the most are closed as they come", async () => {
  await using server = await startTestServer({ maxConnections: 2 });
  const port = await server.listen();
  const ask = () => {
    const socket = connect(port, "127.0.0.1");
    socket.on("error", () => {});
    socket.write("GET /healthz HTTP/1.1\r\nHost: h\r\n\r\n");
    return { socket, status: statusOf(socket) };
  };
  const first = ask();
  const second = ask();
  assert.equal(await first.status, 200);
  assert.equal(await second.status, 200);
  await assert.rejects(ask().status, /closed without an answer/);
  first.socket.destroy();
  second.socket.destroy();
});

test("a body that comes in pieces is read whole, up to the limit", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  const body = JSON.stringify({
    name: "in-pieces",
    display_name: "é".repeat(9),
  });
  const head = `POST ${server.base}/topics HTTP/1.1\r\nHost: h\r\nAuthorization: ${server.authorization}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const chunked = (bytes: Buffer, size: number) => {
    const parts: Buffer[] = [];
    for (let at = 0; at < bytes.length; at += size) {
      const part = bytes.subarray(at, at + size);
      const length = Buffer.from(`${part.length.toString(16)}\r\n`);
      parts.push(length, part, Buffer.from("\r\n"));
    }
    return Buffer.concat([...parts, Buffer.from("0\r\n\r\n")]);
  };
  for (const [bytes, size, status] of [
    [Buffer.from(body), 1, 201],
    [Buffer.from(body), 7, 200],
    [Buffer.from(body.padEnd(64 * 1024 - 9)), 1000, 200],
    [Buffer.from(body.padEnd(64 * 1024 - 8)), 1000, 400],
  ] as const) {
    const socket = connect(port, "127.0.0.1");
    socket.write(head);
    socket.write(chunked(bytes, size));
    assert.equal(await statusOf(socket), status, `${bytes.length} by ${size}`);
    socket.destroy();
  }
});

/** The status of the answer. */
async function statusOf(socket: Socket): Promise<number> {
  const [chunk] = await new Promise<Buffer[]>((resolve, reject) => {
    socket.once("data", (data) => resolve([data]));
    socket.once("close", () => reject(new Error("closed without an answer")));
  });
  return Number(String(chunk).split(" ")[1]);
}
