import assert from "node:assert/strict";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import {
  ForbiddenRequestError,
  ForwardClientProvider,
  Gateway,
  IncomingMessage,
  LoopbackProvider,
  MalformedRequestError,
  NullProvider,
  type Receiver,
  type ReceiverRequest,
  textResponse,
  UnauthorizedRequestError,
} from "@carillon/gateway";
import { startTestServer } from "../../../test-support/test-server.ts";

/** Answers what the query asks for, and keeps what it was sent. */
class CarrierProvider extends NullProvider {
  readonly requests: ReceiverRequest[] = [];

  override receiver(): Receiver {
    const handle = async (request: ReceiverRequest) => {
      this.requests.push(request);
      switch (request.query.get("do")) {
        case "malformed":
          throw new MalformedRequestError("from is missing");
        case "unauthorized":
          throw new UnauthorizedRequestError("Who are you?");
        case "forbidden":
          throw new ForbiddenRequestError("The signature is wrong");
        default:
          await this.receiveMessage(new IncomingMessage("491511", "Hi"));
          return textResponse(202, "TAKEN", { "x-carrier": "yes" });
      }
    };
    return { routes: [{ methods: ["GET", "POST"], path: "/im", handle }] };
  }
}

const requestId = /[0-9a-f]{32}/;

async function setUp(publicUrl?: string) {
  const gateway = new Gateway();
  const carrier = gateway.addProvider("acme", new CarrierProvider());
  gateway.addProvider("mute", new LoopbackProvider());
  const server = await startTestServer({
    gateway,
    ...(publicUrl !== undefined && { publicUrl }),
  });
  const { receiverSecret: secret } = server.credentials;
  return { gateway, carrier, server, base: `/receivers/${secret}` };
}

test("answers exactly what the provider answers", async () => {
  const { gateway, server, base } = await setUp();
  await using _ = server;
  const received: string[] = [];
  gateway.onReceive.add(({ provider, body }) => {
    received.push(`${provider}: ${body}`);
  });
  for (const method of ["GET", "POST"] as const) {
    const answer = await server.app.inject({ method, url: `${base}/acme/im` });
    assert.equal(answer.statusCode, 202);
    assert.equal(answer.body, "TAKEN");
    assert.equal(answer.headers["x-carrier"], "yes");
    assert.equal(answer.headers["content-type"], "text/plain; charset=utf-8");
  }
  assert.deepEqual(received, ["acme: Hi", "acme: Hi"]);
});

test("hands the body over untouched, whatever its type", async () => {
  const { carrier, server, base } = await setUp("https://sms.example.com");
  await using _ = server;
  const payload = Buffer.from('{"a": 1}\r\n\xff\x00', "latin1");
  for (const type of [
    "application/json",
    "application/x-www-form-urlencoded",
    "text/xml; charset=utf-16",
    undefined,
  ]) {
    await server.app.inject({
      method: "POST",
      url: `${base}/acme/im?x=1&x=%20`,
      payload,
      headers: type === undefined ? {} : { "content-type": type },
    });
    const last = carrier.requests.at(-1);
    assert.deepEqual(Buffer.from(last?.rawBody ?? []), payload);
    assert.equal(last?.url, `https://sms.example.com${base}/acme/im?x=1&x=%20`);
    assert.equal(last?.remoteAddress, "127.0.0.1");
  }
});

test("only what can succeed later is a 5xx", async () => {
  const { gateway, server, base } = await setUp();
  await using _ = server;
  const call = async (query: string, method: "POST" | "PUT" = "POST") => {
    const url = `${base}/acme/im${query}`;
    return (await server.app.inject({ method, url })).statusCode;
  };
  assert.equal(await call("?do=malformed"), 400);
  assert.equal(await call("?do=unauthorized"), 401);
  assert.equal(await call("?do=forbidden"), 403);
  assert.equal(await call("", "PUT"), 405);
  gateway.onReceive.add(() => {
    throw new Error("The disk is full");
  });
  assert.equal(await call(""), 500);
  assert.deepEqual(
    server.complaints.map(({ event }) => event),
    ["receiver_failed"],
  );
  const { receiverSecret } = server.credentials;
  assert.ok(!JSON.stringify(server.complaints).includes(receiverSecret));
});

test("a body that is too large is not read", async () => {
  const { carrier, server, base } = await setUp();
  await using _ = server;
  const port = await server.listen();
  const call = request({ port, path: `${base}/acme/im`, method: "POST" });
  call.on("error", () => {});
  call.end(Buffer.alloc(10 * 1024 * 1024));
  const status = await new Promise((resolve) => {
    call.on("response", (response) => {
      resolve(response.statusCode);
      void text(response).catch(() => {});
    });
  });
  assert.equal(status, 413);
  assert.equal(carrier.requests.length, 0);
});

test("without the secret there is nothing here", async () => {
  const { carrier, server, base } = await setUp();
  await using _ = server;
  const call = async (url: string) => {
    const { statusCode, body } = await server.app.inject({
      method: "POST",
      url,
      payload: "x",
    });
    // The ids of requests differ, and the error names the route.
    return [statusCode, body.replaceAll(url, "…").replace(requestId, "…")];
  };
  const unknown = await call("/nowhere");
  assert.equal(unknown[0], 404);
  const { receiverSecret } = server.credentials;
  for (const url of [
    "/receivers",
    "/receivers/acme/im",
    `/receivers/${receiverSecret}`,
    `/receivers/${receiverSecret.slice(0, -1)}/acme/im`,
    `/receivers/${receiverSecret}x/acme/im`,
    `/receivers/${"x".repeat(receiverSecret.length)}/acme/im`,
    `${base}/acme`,
    `${base}/acme/other`,
    `${base}/nobody/im`,
    `${base}/mute/im`,
  ]) {
    assert.deepEqual(await call(url), unknown, url);
  }
  assert.equal(carrier.requests.length, 0);
});

test("errors of forward peers keep their own shape", async () => {
  const gateway = new Gateway();
  gateway.addProvider(
    "hub",
    new ForwardClientProvider({ serverUrl: "http://127.0.0.1:9/apps" }),
  );
  await using server = await startTestServer({ gateway });
  const { receiverSecret } = server.credentials;
  const answer = await server.app.inject({
    method: "POST",
    url: `/receivers/${receiverSecret}/hub/im`,
    payload: "<html>",
  });
  assert.equal(answer.statusCode, 400);
  // Python peers compare the whole header.
  assert.equal(answer.headers["content-type"], "application/json");
  assert.ok("error" in answer.json());
});
