import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { CarillonError, type ErrorCode, errorCatalogue } from "@carillon/core";
import { MemoryStore } from "@carillon/testing";
import { startTestServer, tokenIn } from "../../test-support/test-server.ts";

/** A server with a topic `a`, whose store then fails as asked. */
async function setUp() {
  const store = new MemoryStore();
  const server = await startTestServer({ store });
  const topic = `${server.base}/topics/${server.topicUrn("a")}`;
  await server.call("POST", `${server.base}/topics`, { name: "a" });
  await server.call("POST", `${topic}/subscriptions`, {
    protocol: "email",
    endpoint: "a@example.test",
  });
  await server.clock.advanceSettled(100);
  const token = tokenIn(server.sent[0]?.message.content ?? assert.fail());
  const login = {
    auth: {
      identity: {
        methods: ["password"],
        password: {
          user: {
            name: server.credentials.user.name,
            password: server.credentials.user.password,
            domain: { name: server.credentials.domain },
          },
        },
      },
    },
  };
  return {
    server,
    /** A writing request of each API. */
    requests: {
      smn: () => server.call("POST", `${topic}/publish`, { message: "m" }),
      v2: () => server.call("POST", "/api/v2/keys", { name: "k" }),
      keystone: () => server.call("POST", "/v3/auth/tokens", login),
      subscriber: () =>
        server.call(
          "GET",
          `/rest/v2/notifications/subscription/confirm?token=${token}`,
        ),
    },
    fail(code: ErrorCode) {
      const refuse = async () => {
        throw new CarillonError(code, "Cannot write /var/data.");
      };
      Object.assign(store, {
        acceptMessage: refuse,
        putSetting: refuse,
        putToken: refuse,
        confirmSubscription: refuse,
      });
    },
  };
}

const cases = [
  ["STORAGE_FULL", 507, "30"],
  ["STORAGE_UNAVAILABLE", 503, "1"],
  ["STORAGE_REFUSED", 500, undefined],
] as const;

for (const [code, status, retryAfter] of cases) {
  test(`${code} is ${status} in the shape of each API`, async () => {
    const { server, requests, fail } = await setUp();
    await using _ = server;
    fail(code);
    const shapes = {
      smn: { code: "SMN.0016", error_code: "SMN.0016" },
      v2: { code, status },
      keystone: {},
      subscriber: {},
    };
    for (const [api, shape] of Object.entries(shapes)) {
      const answer = await requests[api as keyof typeof shapes]();
      assert.equal(answer.status, status, api);
      assert.equal(answer.headers["retry-after"], retryAfter, api);
      const text = JSON.stringify(answer.body);
      assert.match(text, new RegExp(errorCatalogue[code]), api);
      assert.doesNotMatch(text, /var.data/, "paths are for the log");
      assert.partialDeepStrictEqual(answer.body, shape, api);
    }
  });
}

test("logs what fails alike once in ten seconds, and how often it did", async () => {
  const { server, requests, fail } = await setUp();
  await using _ = server;
  fail("STORAGE_UNAVAILABLE");
  const failed = () =>
    server.complaints.filter(({ event }) => event === "request_failed");
  for (let n = 0; n < 20; n++) await requests.smn();
  assert.equal(failed().length, 1);
  await server.clock.advanceSettled(10_000);
  assert.equal(failed().length, 2);
  assert.equal(failed()[1]?.fields.omitted, 18);
  for (let n = 0; n < 20; n++) await requests.v2();
  assert.equal(failed().length, 3);
});

test("warns of requests beyond a bound, and shows no stack", async () => {
  const { server, requests, fail } = await setUp();
  await using _ = server;
  fail("OVERLOADED");
  for (let n = 0; n < 3; n++) await requests.v2();
  assert.equal(server.complaints.length, 1);
  const [{ fields } = assert.fail()] = server.complaints;
  assert.equal(fields.code, "OVERLOADED");
  assert.equal("error" in fields, false);
});

test("logs each of the failures that have causes of their own", async () => {
  const { server, requests, fail } = await setUp();
  await using _ = server;
  fail("STORAGE_REFUSED");
  for (let n = 0; n < 3; n++) await requests.smn();
  assert.equal(server.complaints.length, 3);
  assert.ok(server.complaints[0]?.fields.error instanceof CarillonError);
});

test("a client that hangs up in its body is no failure", async () => {
  await using server = await startTestServer();
  const port = await server.listen();
  const socket = connect(port, "127.0.0.1");
  let requests = 0;
  server.app.server.on("request", () => {
    requests++;
  });
  socket.write(
    `POST ${server.base}/topics HTTP/1.1\r\nHost: h\r\nAuthorization: ${server.authorization}\r\nContent-Length: 9\r\n\r\n{`,
  );
  const count = async (connections: number) => {
    for (let open = -1; open !== connections; ) {
      await new Promise((resolve) => setImmediate(resolve));
      open = await new Promise<number>((resolve) =>
        server.app.server.getConnections((_error, n) => resolve(n)),
      );
    }
  };
  while (requests === 0) await count(1);
  socket.destroy();
  await count(0);
  assert.deepEqual(server.complaints, []);
});
