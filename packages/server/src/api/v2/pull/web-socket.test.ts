import assert from "node:assert/strict";
import { once } from "node:events";
import { request as httpRequest } from "node:http";
import { connect as connectRaw } from "node:net";
import { test } from "node:test";
import type { LogFields } from "@carillon/core";
import { WebSocket } from "ws";
import {
  ask,
  basicOf,
  createAccount,
  follow,
  publishAll,
} from "../../../../test-support/pull.ts";
import {
  startTestServer,
  type TestServer,
} from "../../../../test-support/test-server.ts";

const base = "/api/v2/subscriptions/device";

const handshake = {
  connection: "Upgrade",
  upgrade: "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": Buffer.alloc(16).toString("base64"),
};

async function setUp(options: Parameters<typeof startTestServer>[0] = {}) {
  const requests: LogFields[] = [];
  const server = await startTestServer({
    onLine: (event, fields) => {
      if (event === "request") requests.push(fields);
    },
    ...options,
  });
  await createAccount(server, "publishers", "news");
  const device = await createAccount(server, "subscribers", "device");
  await follow(server, "device");
  const port = await server.listen();
  const connect = (
    query = "",
    headers: Readonly<Record<string, string>> = {},
  ) => new SocketClient(server, port, query, basicOf(device), headers);
  return { server, device, port, connect, requests };
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
type Frame = any;

/** A client that collects what comes. */
class SocketClient {
  readonly frames: Frame[] = [];
  readonly socket: WebSocket;
  closed: { code: number; reason: string } | undefined;
  readonly #server: TestServer;

  constructor(
    server: TestServer,
    port: number,
    query: string,
    authorization: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    this.#server = server;
    this.socket = new WebSocket(
      `ws://127.0.0.1:${port}${base}/ws${query}`,
      "notify.v2",
      { headers: { authorization, ...headers } },
    );
    this.socket.on("message", (data) => {
      this.frames.push(JSON.parse(String(data)));
    });
    this.socket.on("error", () => {});
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: String(reason) };
    });
  }

  send(frame: unknown): void {
    this.socket.send(typeof frame === "string" ? frame : JSON.stringify(frame));
  }

  ofType(type: string): readonly Frame[] {
    return this.frames.filter((frame) => frame.type === type);
  }

  async waitFor(isSo: () => boolean): Promise<void> {
    for (let turn = 0; turn < 2000; turn++) {
      if (isSo()) return;
      await this.#server.clock.advanceSettled(1);
      await new Promise(setImmediate);
    }
    assert.fail(`It did not come: ${JSON.stringify(this.frames)}`);
  }

  async waitForMessages(count: number): Promise<readonly Frame[]> {
    await this.waitFor(() => this.ofType("message").length >= count);
    assert.equal(this.ofType("message").length, count);
    return this.ofType("message");
  }
}

async function countsOf(server: TestServer) {
  const { body } = await server.call("GET", "/api/v2/subscribers/device");
  return body.counts;
}

test("messages come, and are confirmed, over one connection", async () => {
  const { server, connect } = await setUp();
  await using _ = server;
  const ids = await publishAll(server, "a", "b", "c");
  const client = connect();
  const messages = await client.waitForMessages(3);
  assert.equal(client.socket.protocol, "notify.v2");
  assert.deepEqual(
    messages.map(({ id, body }) => [id, body]),
    [
      [ids[0], "a"],
      [ids[1], "b"],
      [ids[2], "c"],
    ],
  );
  assert.ok(messages[0].eventId < messages[1].eventId);
  const [start] = client.frames;
  assert.equal(start.type, "start");
  assert.ok(start.eventId < messages[0].eventId);
  const [a, b, c] = messages.map(({ leaseId }) => leaseId);
  client.send({ type: "ack", leaseIds: [a, "1.1.9"], ref: 7 });
  await client.waitFor(() => client.ofType("acked").length === 1);
  assert.deepEqual(client.ofType("acked"), [
    { type: "acked", acked: [a], stale: ["1.1.9"], ref: 7 },
  ]);
  client.send({ type: "extend", leaseIds: [b], seconds: 600 });
  await client.waitFor(() => client.ofType("extended").length === 1);
  assert.deepEqual(client.ofType("extended")[0].extended, [b]);
  client.send({ type: "nack", leaseIds: [c], ref: "x" });
  await client.waitFor(() => client.ofType("message").length === 4);
  assert.equal(client.ofType("nacked")[0].ref, "x");
  assert.equal(client.ofType("message")[3].deliveryCount, 2);
  client.socket.terminate();
});

test("a connection that was cut goes on behind its start", async () => {
  const { server, connect } = await setUp();
  await using _ = server;
  const cut = connect();
  await cut.waitFor(() => cut.ofType("start").length === 1);
  await publishAll(server, "a");
  await cut.waitForMessages(1);
  cut.socket.terminate();
  const { eventId } = cut.ofType("start")[0];
  const resumed = connect(`?after=${eventId}`);
  const [message] = await resumed.waitForMessages(1);
  assert.equal(message.body, "a");
  resumed.socket.terminate();
  const byHeader = connect("", { "last-event-id": String(eventId) });
  assert.equal((await byHeader.waitForMessages(1))[0].body, "a");
  byHeader.socket.terminate();
});

test("a handshake, and a redrive by the subscriber, are logged as requests", async () => {
  const { server, device, connect, requests } = await setUp();
  await using _ = server;
  const client = connect();
  await client.waitFor(() => client.ofType("start").length === 1);
  const metrics = await ask(server, "GET", "/metrics");
  assert.match(
    metrics.body,
    /^carillon_http_requests_total\{.*\/ws".*status="101".*\} 1$/m,
  );
  const handshakes = requests.filter(({ status }) => status === 101);
  assert.deepEqual(
    handshakes.map(({ accountId }) => accountId),
    [device.id],
  );
  // No member of the project did it: the log has it, and no audit entry.
  const headers = { authorization: basicOf(device) };
  const path = `${base}/dead:redrive`;
  await ask(server, "POST", path, {}, headers);
  const { route, accountId } = requests.at(-1) ?? {};
  assert.deepEqual(
    [route, accountId],
    ["/api/v2/subscriptions/:mailbox/dead:redrive", device.id],
  );
  client.socket.terminate();
});

test("no more are out than the credit, which the client changes", async () => {
  const { server, connect } = await setUp();
  await using _ = server;
  await publishAll(server, ..."abcdef");
  const client = connect("?credit=2");
  await client.waitForMessages(2);
  await server.clock.advanceSettled(200);
  const [{ leaseId }] = await client.waitForMessages(2);
  client.send({ type: "ack", leaseIds: [leaseId] });
  await client.waitForMessages(3);
  client.send({ type: "flow", credit: 4 });
  await client.waitForMessages(5);
  await server.clock.advanceSettled(200);
  await client.waitForMessages(5);
  client.socket.terminate();
});

test("closing with 1000 gives messages back at once; a cut does not", async () => {
  const { server, connect } = await setUp();
  await using _ = server;
  await publishAll(server, "a");
  const first = connect();
  await first.waitForMessages(1);
  first.socket.terminate();
  await first.waitFor(() => first.closed !== undefined);
  await server.clock.advanceSettled(100);
  assert.deepEqual(await countsOf(server), { waiting: 0, leased: 1, dead: 0 });
  await server.clock.advanceSettled(60_001);
  const second = connect();
  await second.waitForMessages(1);
  second.socket.close(1000);
  await second.waitFor(() => second.closed !== undefined);
  await server.clock.advanceSettled(100);
  assert.deepEqual(await countsOf(server), { waiting: 1, leased: 0, dead: 0 });
});

test("frames that cannot be understood are answered with an error", async () => {
  const { server, connect } = await setUp();
  await using _ = server;
  await publishAll(server, "a");
  const client = connect();
  const [{ leaseId }] = await client.waitForMessages(1);
  const cases: readonly [unknown, string][] = [
    ["{", "BODY_MALFORMED"],
    ["", "BODY_MALFORMED"],
    ["1", "REQUEST_INVALID"],
    ["null", "REQUEST_INVALID"],
    [{ type: "toString" }, "REQUEST_INVALID"],
    [{ type: "ack" }, "PULL_OPTION_INVALID"],
    [{ type: "ack", leaseIds: [leaseId, "x"] }, "LEASE_ID_INVALID"],
    [{ type: "ack", leaseIds: [], more: 1 }, "REQUEST_INVALID"],
    [{ type: "nack", leaseIds: [], delayMs: -1 }, "PULL_OPTION_INVALID"],
    [{ type: "extend", leaseIds: [], seconds: 1 }, "PULL_OPTION_INVALID"],
    [{ type: "flow", credit: 0 }, "PULL_OPTION_INVALID"],
    [{ type: "flow" }, "PULL_OPTION_INVALID"],
    [`{"a":${"[".repeat(1000)}${"]".repeat(1000)}}`, "BODY_TOO_COMPLEX"],
  ];
  for (const [frame] of cases) client.send(frame);
  client.send({ type: "nack", leaseIds: [], delayMs: -1, ref: 8 });
  await client.waitFor(() => client.ofType("error").length > cases.length);
  assert.deepEqual(
    client.ofType("error").map(({ code, ref }) => [code, ref]),
    [...cases.map(([, code]) => [code, undefined]), ["PULL_OPTION_INVALID", 8]],
  );
  for (const { detail } of client.ofType("error")) {
    assert.ok(detail.length > 10);
  }
  assert.deepEqual(await countsOf(server), { waiting: 0, leased: 1, dead: 0 });
  client.socket.send(Buffer.from([1, 2]));
  await client.waitFor(() => client.closed !== undefined);
  assert.equal(client.closed?.code, 1003);
  const large = connect();
  await once(large.socket, "open");
  large.send("x".repeat(70_000));
  await large.waitFor(() => large.closed !== undefined);
  assert.equal(large.closed?.code, 1009);
});

test("who names many stale leases waits for the next answer", async () => {
  const { server, connect } = await setUp();
  await using _ = server;
  const client = connect();
  await client.waitFor(() => client.ofType("start").length === 1);
  const leaseIds = Array.from({ length: 1000 }, (_, n) => `${n + 1}.1.1`);
  client.send({ type: "ack", leaseIds });
  client.send({ type: "ack", leaseIds: [] });
  await client.waitFor(() => client.ofType("acked").length === 1);
  const from = server.clock.now();
  await client.waitFor(() => client.ofType("acked").length === 2);
  assert.ok(server.clock.now() - from >= 900);
  client.socket.terminate();
});

test("a ping comes every 15 seconds, and an end before it closes", async () => {
  const { server, connect } = await setUp();
  await using _ = server;
  const client = connect();
  await once(client.socket, "open");
  await server.clock.advanceSettled(15_000);
  await client.waitFor(() => client.ofType("ping").length >= 1);
  await server.call("DELETE", "/api/v2/subscribers/device");
  await client.waitFor(() => client.closed !== undefined);
  assert.deepEqual(client.frames.at(-1), {
    type: "end",
    reason: "mailbox_gone",
  });
  assert.deepEqual(client.closed, { code: 1008, reason: "mailbox_gone" });
});

test("another secret, and a project that is disabled, end what was opened", async () => {
  const { server, connect } = await setUp();
  await using _ = server;
  const { call, authorization } = server;
  const first = connect();
  await first.waitFor(() => first.ofType("start").length === 1);
  await call("POST", "/api/v2/subscribers/device/secret");
  await first.waitFor(() => first.closed !== undefined);
  assert.equal(first.closed?.reason, "renew");
  const second = connect("", { authorization });
  await second.waitFor(() => second.ofType("start").length === 1);
  const { id } = server.credentials.project;
  const project = await server.store.findProject(id);
  assert.ok(project);
  await server.store.putProject({ ...project, disabled: true });
  await second.waitFor(() => second.closed !== undefined);
  assert.equal(second.closed?.reason, "renew");
});

test("a stop of the server ends it, and is not held up", async () => {
  const { server, connect } = await setUp();
  const client = connect();
  await once(client.socket, "open");
  const silent = connect();
  await once(silent.socket, "open");
  // It never answers the close.
  silent.socket.pause();
  await server.clock.advanceSettled(10);
  await server[Symbol.asyncDispose]();
  await client.waitFor(() => client.closed !== undefined);
  assert.deepEqual(client.closed, { code: 1001, reason: "stopping" });
  silent.socket.terminate();
});

test("what is no right handshake is answered as a request", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  const upgrade = async (
    path: string,
    headers: Readonly<Record<string, string>>,
    method = "GET",
  ) => {
    const request = httpRequest({ port, path, method, headers });
    request.end();
    const [response] = await once(request, "response");
    let text = "";
    for await (const chunk of response) text += chunk;
    assert.ok(response.headers["x-request-id"]);
    return { status: response.statusCode, body: JSON.parse(text) };
  };
  const authorization = basicOf(device);
  const right = {
    ...handshake,
    authorization,
    "sec-websocket-protocol": "notify.v2",
  };
  const cases = [
    [`${base}/ws`, handshake, 401],
    [`${base}/ws`, { ...handshake, authorization: "Basic eDp5" }, 401],
    [`${base}/ws`, { ...handshake, authorization }, 400],
    [
      "/api/v2/subscriptions/other/ws",
      { ...handshake, authorization, "sec-websocket-protocol": "notify.v2" },
      403,
    ],
    [
      `${base}/ws?credit=0`,
      { ...handshake, authorization, "sec-websocket-protocol": "notify.v2" },
      400,
    ],
    [`${base}/ws`, { ...right, "sec-websocket-key": "x" }, 400],
    [`${base}/ws`, { ...right, "sec-websocket-version": "7" }, 400],
    [`${base}/ws`, { ...right, "sec-websocket-protocol": "notify.v2,," }, 400],
    [`${base}/ws`, { ...right, origin: "https://evil.example" }, 403],
    [`${base}/ws`, { authorization }, 400],
    ["/api/v2/nothing", { ...handshake, authorization }, 404],
    // Java's client offers HTTP/2 with each request.
    ["/api/v2/whoami", { connection: "Upgrade", upgrade: "h2c" }, 401],
    [`${base}/messages`, { ...handshake, authorization }, 200],
  ] as const;
  for (const [path, headers, status] of cases) {
    const answer = await upgrade(path, headers);
    assert.equal(answer.status, status, `${path} ${JSON.stringify(headers)}`);
    if (status !== 200) assert.equal(answer.body.status, status);
  }
  const { status } = await ask(server, "GET", `${base}/messages`);
  assert.equal(status, 200);
});

test("a refused connection is closed, whether its client closes it or not", async () => {
  const { server, port } = await setUp();
  await using _ = server;
  const client = openRaw(port, toHead({ host: "x", ...handshake }));
  assert.match(await client.answer(), /^HTTP\/1\.1 401 /);
  // What comes then is answered with a reset.
  const writing = setInterval(() => client.socket.write("x"), 20);
  await new Promise((resolve) => client.socket.once("close", resolve));
  clearInterval(writing);
});

test("a handshake without Host, of HTTP/1.0, or behind others is no handshake", async () => {
  const { server, device, port } = await setUp();
  await using _ = server;
  const right = {
    ...handshake,
    authorization: basicOf(device),
    "sec-websocket-protocol": "notify.v2",
  };
  for (const head of [
    toHead(right),
    toHead({ host: "x", ...right }, "HTTP/1.0"),
  ]) {
    const answer = await openRaw(port, head).answer();
    assert.match(answer, /^HTTP\/1\.1 400 /);
    assert.match(answer, /REQUEST_INVALID/);
  }
  const upgrade = toHead({ host: "x", ...right });
  const get = `GET ${base}/messages?wait=9 HTTP/1.1\r\nhost: x\r\nauthorization: ${right.authorization}\r\n\r\n`;
  assert.equal(await openRaw(port, `${get}${upgrade}`).answer(), "");
  const { status } = await ask(server, "GET", `${base}/messages`);
  assert.equal(status, 200);
});

test("pages of our own and of allowed origins may connect", async () => {
  const app = "https://app.example.com";
  const { server, port, connect } = await setUp({ allowedOrigins: [app] });
  await using _ = server;
  for (const origin of [app, `http://127.0.0.1:${port}`]) {
    const client = connect("", { origin });
    await client.waitFor(() => client.ofType("start").length === 1);
    client.socket.terminate();
  }
});

function toHead(
  headers: Readonly<Record<string, string>>,
  version = "HTTP/1.1",
): string {
  const lines = Object.entries(headers).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET ${base}/ws ${version}\r\n${lines.join("")}\r\n`;
}

/** A client that never closes its end. */
function openRaw(port: number, text: string) {
  const socket = connectRaw({ port, allowHalfOpen: true });
  socket.on("error", () => {});
  socket.write(text);
  return {
    socket,
    async answer() {
      let answer = "";
      for await (const chunk of socket.iterator({ destroyOnReturn: false })) {
        answer += chunk;
      }
      return answer;
    },
  };
}

test("a client that never reads is cut off", async () => {
  const { server, connect } = await setUp();
  await using _ = server;
  await publishAll(server, ...Array<string>(40).fill("x".repeat(250_000)));
  const client = connect("?credit=1000");
  await once(client.socket, "open");
  client.socket.pause();
  for (let i = 0; i < 4; i++) {
    await server.clock.advanceSettled(15_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  client.socket.resume();
  await client.waitFor(() => client.closed !== undefined);
  assert.ok(client.ofType("message").length < 40);
});
