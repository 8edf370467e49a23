/** The wire: what a real server receives, and what a real receiver checks. */

import assert from "node:assert/strict";
import {
  createVerify,
  generateKeyPairSync,
  X509Certificate,
} from "node:crypto";
import { once } from "node:events";
import {
  createServer,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from "node:http";
import {
  createServer as createTlsServer,
  type Server as TlsServer,
} from "node:https";
import type { AddressInfo } from "node:net";
import { type TestContext, test } from "node:test";
import { TLSSocket } from "node:tls";
import {
  type Channel,
  type Recipient,
  type SubscriptionId,
  type SubscriptionSignature,
  silentLogger,
  systemClock,
  toEpochMs,
} from "@carillon/core";
import { MemoryStore } from "@carillon/testing";
import { Webhook } from "standardwebhooks";
import { createEgressGuard } from "../egress/egress-guard.ts";
import type { ResolveName } from "../egress/name-resolver.ts";
import {
  grant,
  recipient as httpRecipient,
  message,
  subscriptionId,
  text,
  tokens,
  topicUrn,
  untimed,
} from "../fixtures.test.ts";
import { createLinks } from "../links.ts";
import { createSelfSignedCertificate } from "./certificate.ts";
import { createHttpChannel, type HttpChannelOptions } from "./channel.ts";
import { type Signer, SigningKeys } from "./signing-key.ts";
import { WebhookKeys } from "./webhook-keys.ts";

const publicUrl = "https://notify.example";

const webhookKeys = new WebhookKeys(Buffer.alloc(32, 7));

const hmac: SubscriptionSignature = {
  scheme: "standard-webhooks",
  keys: [{ number: 1, algorithm: "hmac-sha256" }],
  lastKeyNumber: 1,
};

/** RSA costs more than all the rest of a delivery: it is not even begun. */
const unusable: Signer = {
  sign: async () => assert.fail("signed as SMN does"),
};

test("sends a notification with the documented headers and fields", async (t) => {
  const { channel, keys } = createChannel(t);
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(
    message({ subject: "Disk", content: text('{"level": "93 %"}\nGrüße 👋') }),
  );

  const result = await prepared.deliver(
    recipient(`${receiver.origin}/hooks/a?b=c#d`),
  );

  assert.deepEqual(untimed(result), { outcome: "delivered", statusCode: 200 });
  const request = receiver.only();
  assert.equal(request.method, "POST");
  assert.equal(request.url, "/hooks/a?b=c");
  assert.deepEqual(namesOf(request.rawHeaders), [
    "host",
    "connection",
    "content-length",
    "x-smn-subscription-urn",
    "content-type",
    "user-agent",
    "x-smn-message-type",
    "x-smn-message-id",
    "x-smn-topic-urn",
  ]);
  assert.equal(
    request.headers["content-type"],
    "application/json; charset=utf-8",
  );
  assert.equal(request.headers.host, receiver.origin.slice("http://".length));
  assert.equal(request.headers["x-smn-message-type"], "Notification");
  assert.equal(request.headers["x-smn-message-id"], "1".repeat(32));
  assert.equal(request.headers["x-smn-topic-urn"], topicUrn);
  assert.equal(
    request.headers["x-smn-subscription-urn"],
    `${topicUrn}:${subscriptionId}`,
  );
  const { signature, signing_cert_url, ...fields } = request.json();
  assert.deepEqual(fields, {
    type: "Notification",
    message_id: "1".repeat(32),
    topic_urn: topicUrn,
    subject: "Disk",
    message: '{"level": "93 %"}\nGrüße 👋',
    timestamp: "2026-01-15T08:30:07Z",
    unsubscribe_url: `${publicUrl}/smn/subscription/unsubscribe?region=eu-de&region_id=eu-de&subscription_urn=${topicUrn}:${subscriptionId}`,
    signature_version: "v1",
  });
  assert.match(String(signature), /^[A-Za-z0-9+/]{342}==$/);
  assert.match(
    String(signing_cert_url),
    /^https:\/\/notify\.example\/smn\/SMN_eu-de_[0-9a-f]{32}\.pem$/,
  );
  assert.ok(await isGenuine(request.json(), keys));
});

test("signs each request of Standard Webhooks on its own, body and all", async (t) => {
  const { channel } = createChannel(t, { signer: unusable });
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(message({ subject: "Disk" }));
  const to = { ...recipient(`${receiver.origin}/hook`), signature: hmac };

  for (let i = 0; i < 2; i++) {
    assert.equal((await prepared.deliver(to)).outcome, "delivered");
  }

  assert.equal(receiver.requests.length, 2);
  const [key] = hmac.keys;
  assert.ok(key);
  const text = webhookKeys.textOf(subscriptionId, key);
  assert.ok("secret" in text);
  const webhook = new Webhook(text.secret);
  for (const { rawHeaders, headers, body } of receiver.requests) {
    assert.deepEqual(namesOf(rawHeaders), [
      "host",
      "connection",
      "content-length",
      "x-smn-subscription-urn",
      "webhook-id",
      "webhook-timestamp",
      "webhook-signature",
      "content-type",
      "user-agent",
      "x-smn-message-type",
      "x-smn-message-id",
      "x-smn-topic-urn",
    ]);
    assert.equal(headers["webhook-id"], "1".repeat(32));
    const verified = webhook.verify(body, headers as Record<string, string>);
    assert.deepEqual(Object.keys(verified as object), [
      "message",
      "message_id",
      "subject",
      "timestamp",
      "topic_urn",
      "type",
      "unsubscribe_url",
    ]);
  }
});

test("asks to confirm with the signature of the subscription", async (t) => {
  const { channel } = createChannel(t, { signer: unusable });
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(
    message({ content: { kind: "confirmation", grant } }),
  );
  const to = { ...recipient(`${receiver.origin}/hook`), signature: hmac };
  assert.equal((await prepared.deliver(to)).outcome, "delivered");
  const { headers, body } = receiver.only();
  assert.match(String(headers["webhook-signature"]), /^v1,/);
  assert.match(body, /"type":"SubscriptionConfirmation"}$/);
});

test("signs nothing where nothing is to be signed", async (t) => {
  const { channel } = createChannel(t, { signer: unusable });
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(message());
  const signature = { scheme: "none", keys: [], lastKeyNumber: 1 } as const;
  const to = { ...recipient(`${receiver.origin}/hook`), signature };
  assert.equal((await prepared.deliver(to)).outcome, "delivered");
  const { headers, body } = receiver.only();
  const names = Object.keys(headers).filter((name) => /^webhook/.test(name));
  assert.deepEqual(names, []);
  assert.doesNotMatch(body, /signature|signing/);
});

test("signs as SMN for those who had another scheme before, once a message", async (t) => {
  let signatures = 0;
  const { channel, keys } = createChannel(t, {
    signer: {
      sign: (text) => {
        signatures++;
        return keys.sign(text);
      },
    },
  });
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(message());
  const to = recipient(`${receiver.origin}/hook`);
  const smn = { scheme: "smn", keys: [], lastKeyNumber: 1 } as const;
  await prepared.deliver({ ...to, signature: hmac });
  assert.equal(signatures, 0);
  await prepared.deliver(to);
  await prepared.deliver({ ...to, signature: smn });
  assert.equal(signatures, 1);
  const [, second, third] = receiver.requests;
  assert.equal(second?.body, third?.body);
  assert.ok(await isGenuine(JSON.parse(third?.body ?? ""), keys));
});

test("sends a URL's user info as Basic authentication, and its query as given", async (t) => {
  const { channel } = createChannel(t);
  const receiver = await startReceiver(t);
  const withUser = receiver.origin.replace("//", "//us%20er:p%40ß@");
  for (const content of [
    text("hello"),
    { kind: "confirmation", grant } as const,
    { kind: "unsubscription", grant } as const,
  ]) {
    const prepared = await channel.prepare(message({ content }));
    const result = await prepared.deliver(recipient(`${withUser}/a?b='c'`));
    assert.equal(result.outcome, "delivered");
  }
  assert.equal(receiver.requests.length, 3);
  for (const { url, headers } of receiver.requests) {
    assert.equal(url, "/a?b='c'");
    assert.equal(
      headers.authorization,
      `Basic ${Buffer.from("us er:p@ß").toString("base64")}`,
    );
    assert.equal(headers.host, receiver.origin.slice("http://".length));
  }
});

test("leaves out the subject when there is none", async (t) => {
  const { channel, keys } = createChannel(t);
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(message({ subject: "" }));
  await prepared.deliver(recipient(receiver.origin));

  const body = receiver.only().json();
  assert.ok(!("subject" in body));
  assert.ok(await isGenuine(body, keys));
});

test("a message without a topic has neither its headers nor a link", async (t) => {
  const { channel, keys } = createChannel(t);
  const receiver = await startReceiver(t);
  const { topic: _, ...direct } = message({ audience: "direct" });
  const prepared = await channel.prepare(direct);
  const { subscriptionId: _id, ...phone } = recipient(receiver.origin);
  const result = await prepared.deliver(phone);
  assert.equal(result.outcome, "delivered");
  const request = receiver.only();
  for (const name of ["x-smn-topic-urn", "x-smn-subscription-urn"]) {
    assert.equal(request.headers[name], undefined);
  }
  const { signature, signing_cert_url, ...fields } = request.json();
  assert.deepEqual(fields, {
    type: "Notification",
    message_id: "1".repeat(32),
    message: "Volume data-1 is 93 % full.",
    timestamp: "2026-01-15T08:30:07Z",
    signature_version: "v1",
  });
  assert.ok(await isGenuine(request.json(), keys));
});

test("a changed body is found out", async (t) => {
  const { channel, keys } = createChannel(t);
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(message());
  await prepared.deliver(recipient(receiver.origin));

  const body = receiver.only().json();
  assert.ok(!(await isGenuine({ ...body, message: "other" }, keys)));
});

test("messages on their way stay verifiable when the key changes", async (t) => {
  const { channel, keys } = createChannel(t);
  const receiver = await startReceiver(t);
  const before = await channel.prepare(message());
  await before.deliver(recipient(receiver.origin));
  await keys.rotate();
  const after = await channel.prepare(message());
  await after.deliver(recipient(receiver.origin));

  const [first, second] = receiver.requests.map((request) => request.json());
  assert.notEqual(first?.signing_cert_url, second?.signing_cert_url);
  assert.ok(await isGenuine(first ?? {}, keys));
  assert.ok(await isGenuine(second ?? {}, keys));
});

test("invites with a link, without a subscription URN, headers or unsubscribe link", async (t) => {
  const { channel, keys } = createChannel(t);
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(
    message({ content: { kind: "confirmation", grant } }),
  );
  await prepared.deliver(
    recipient(receiver.origin, { header: { "x-tenant": "7" } }),
  );

  const request = receiver.only();
  assert.equal(
    request.headers["x-smn-message-type"],
    "SubscriptionConfirmation",
  );
  assert.equal(request.headers["x-smn-subscription-urn"], undefined);
  assert.equal(request.headers["x-tenant"], undefined);
  const { message: confirmation, ...body } = request.json();
  assert.ok(String(confirmation).includes(topicUrn));
  assert.ok(String(confirmation).includes("48 hours"));
  assert.deepEqual(
    { ...body, signature: "", signing_cert_url: "" },
    {
      type: "SubscriptionConfirmation",
      message_id: "1".repeat(32),
      topic_urn: topicUrn,
      timestamp: "2026-01-15T08:30:07Z",
      subscribe_url: `${publicUrl}/smn/subscription/confirm?token=00f1&topic_urn=${topicUrn}&region=eu-de&region_id=eu-de`,
      signature: "",
      signature_version: "v1",
      signing_cert_url: "",
    },
  );
  assert.ok(await isGenuine(request.json(), keys));
});

test("sends the unsubscribe notice with the subscription's URN and a link back", async (t) => {
  const { channel, keys } = createChannel(t);
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(
    message({ content: { kind: "unsubscription", grant } }),
  );
  await prepared.deliver(recipient(receiver.origin));

  const request = receiver.only();
  assert.equal(
    request.headers["x-smn-message-type"],
    "UnsubscribeConfirmation",
  );
  assert.equal(
    request.headers["x-smn-subscription-urn"],
    `${topicUrn}:${subscriptionId}`,
  );
  const body = request.json();
  assert.match(String(body.subscribe_url), /confirm\?token=00f1&/);
  assert.match(String(body.message), /unsubscribed.*48 hours/);
  assert.ok(!("unsubscribe_url" in body));
  assert.ok(await isGenuine(body, keys));
});

test("adds the subscription's own headers to notifications", async (t) => {
  const { channel } = createChannel(t);
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(message());
  await prepared.deliver(
    recipient(receiver.origin, { header: { "x-tenant": "7", "x-key": "a b" } }),
  );

  const { headers } = receiver.only();
  assert.deepEqual([headers["x-tenant"], headers["x-key"]], ["7", "a b"]);
});

test("keeps none of the secrets that an answer quotes", async (t) => {
  const { channel } = createChannel(t);
  const origin = originOf(
    await listen(t, async (request, response) => {
      await readBody(request);
      const { url, headers } = request;
      const [, base64 = ""] = headers.authorization?.split(" ") ?? [];
      const pair = Buffer.from(base64, "base64").toString();
      const quoted = `${url} ${JSON.stringify(headers.authorization)} ${pair}`;
      response.statusCode = url?.includes("moved") ? 302 : 500;
      if (response.statusCode === 302) {
        response.setHeader("location", `/de${url?.split("?")[0]}/login`);
      }
      response.end(`{"at":"${quoted}","key":"${headers["x-key"]}"}`);
    }),
  );
  const withUser = origin.replace("//", "//ann:pass%20word@");
  const prepared = await channel.prepare(message());
  const errors: string[] = [];
  for (const path of ["/hooks/T024", "/hooks/moved"]) {
    const result = await prepared.deliver(
      recipient(`${withUser}${path}?token=s3cret-7&v=2`, {
        header: { "x-key": "Bearer 0123" },
      }),
    );
    errors.push("error" in result ? result.error : "");
  }
  assert.deepEqual(errors, [
    'The endpoint answered 500: {"at":"***?*** "Basic ***" ***","key":"***"}',
    'The endpoint answered 302 with the Location /de***/login, and redirects are not followed: {"at":"***?*** "Basic ***" ***","key":"***"}',
  ]);
});

test("each recipient gets its own link, each protocol its own text", async (t) => {
  const signed: string[] = [];
  const signer = {
    async sign(text: string) {
      signed.push(text);
      return { signature: "c2ln", certificateId: "x.pem" };
    },
  };
  const { channel } = createChannel(t, { signer });
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(
    message({
      content: {
        kind: "structure",
        variants: { default: "for all", http: "for http" },
      },
    }),
  );
  const ids = Array.from({ length: 40 }, (_, i) =>
    i.toString(16).padStart(32, "0"),
  );
  assert.equal(signed.length, 0);
  await Promise.all(
    ids.map((id) =>
      prepared.deliver({
        ...recipient(receiver.origin),
        subscriptionId: id as SubscriptionId,
      }),
    ),
  );

  assert.equal(signed.length, 1);
  const links = receiver.requests.map(({ json }) =>
    String(json().unsubscribe_url).slice(-32),
  );
  assert.deepEqual(links.sort(), ids);
  for (const { json } of receiver.requests) {
    assert.equal(json().message, "for http");
  }
});

test("signs once when http and https say the same", async (t) => {
  let signatures = 0;
  const signer = {
    async sign() {
      signatures++;
      return { signature: "c2ln", certificateId: "x.pem" };
    },
  };
  const { channel } = createChannel(t, { signer });
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(message());
  await prepared.deliver(recipient(receiver.origin));
  await prepared.deliver({ ...recipient(receiver.origin), protocol: "https" });
  assert.equal(signatures, 1);
});

test("a failing signer defers, and is asked again for the next attempt", async (t) => {
  let isBroken = true;
  const signer = {
    async sign() {
      if (isBroken) throw new Error("the store is away");
      return { signature: "c2ln", certificateId: "x.pem" };
    },
  };
  const { channel } = createChannel(t, { signer });
  const receiver = await startReceiver(t);
  const prepared = await channel.prepare(message());

  assert.deepEqual(await prepared.deliver(recipient(receiver.origin)), {
    outcome: "deferred",
    errorClass: "internal",
    error: "The message could not be signed; the log says why.",
  });
  isBroken = false;
  const result = await prepared.deliver(recipient(receiver.origin));
  assert.equal(result.outcome, "delivered");
});

test("carries messages of 256 KB and of any characters", async (t) => {
  const { channel, keys } = createChannel(t);
  const receiver = await startReceiver(t);
  const long = `${'ü\u0000\u2028\ud83d\udc4b"\\\n'.repeat(20_000)}\ud800`;
  const prepared = await channel.prepare(message({ content: text(long) }));
  await Promise.all([
    prepared.deliver(recipient(receiver.origin)),
    prepared.deliver(recipient(receiver.origin)),
  ]);

  for (const { json } of receiver.requests) {
    assert.equal(json().message, long.toWellFormed());
    assert.ok(await isGenuine(json(), keys));
  }
});

test("a small body after a larger one is not mixed up with it", async (t) => {
  const { channel } = createChannel(t);
  const receiver = await startReceiver(t);
  for (const length of [10, 5000, 20, 30_000, 1]) {
    const long = "x".repeat(length);
    const prepared = await channel.prepare(message({ content: text(long) }));
    await prepared.deliver(recipient(receiver.origin));
    assert.equal(receiver.requests.at(-1)?.json().message, long);
  }
  assert.equal(receiver.connections(), 1);
});

test("what cannot be an HTTP recipient is rejected and nothing is sent", async (t) => {
  const receiver = await startReceiver(t);
  const { channel } = createChannel(t);
  const prepared = await channel.prepare(message());
  const { topic: _, ...direct } = message();
  const preparedDirect = await channel.prepare(direct);
  const { subscriptionId: __, ...unsubscribed } = recipient("http://x.example");

  for (const result of [
    await prepared.deliver(recipient("no URL")),
    await prepared.deliver(unsubscribed),
    await preparedDirect.deliver(recipient("http://x.example")),
    await prepared.deliver(
      recipient(receiver.origin, { header: { "x-bad": "a\r\nb: c" } }),
    ),
  ]) {
    assert.equal(result.outcome, "rejected");
    assert.equal("errorClass" in result && result.errorClass, "internal");
  }
  assert.equal(receiver.requests.length, 0);
});

test("the certificate is checked against the name, which SNI and Host carry", async (t) => {
  const { cert, port, server } = await startTlsReceiver(t, "hooks.example");
  const seen: unknown[] = [];
  server.on("request", ({ socket, headers }: IncomingMessage, response) => {
    seen.push(socket instanceof TLSSocket && socket.servername, headers.host);
    response.end("ok");
  });
  const resolve: ResolveName = async () => ["127.0.0.1"];
  const trusting = createChannel(t, { ca: cert, resolve }).channel;
  const wary = createChannel(t, { resolve }).channel;
  const good = `https://hooks.example:${port}/`;
  const other = `https://other.example:${port}/`;

  assert.equal((await deliver(trusting, good)).outcome, "delivered");
  assert.deepEqual(seen, ["hooks.example", `hooks.example:${port}`]);
  for (const [channel, url, code] of [
    [trusting, other, "ERR_TLS_CERT_ALTNAME_INVALID"],
    [wary, good, "DEPTH_ZERO_SELF_SIGNED_CERT"],
  ] as const) {
    assert.deepEqual(await deliver(channel, url), {
      outcome: "deferred",
      errorClass: "unreachable",
      error: `No secure connection could be made (${code}).`,
    });
  }
});

test("over TLS too, connections are kept and bodies are not mixed up", async (t) => {
  const { cert, port, server } = await startTlsReceiver(t, "hooks.example");
  const ids: string[] = [];
  let connections = 0;
  server.on("secureConnection", () => connections++);
  server.on("request", async (request: IncomingMessage, response) => {
    const { unsubscribe_url } = JSON.parse(await readBody(request));
    ids.push(unsubscribe_url.slice(-32));
    response.end("ok");
  });
  const { channel } = createChannel(t, {
    ca: cert,
    resolve: async () => ["127.0.0.1"],
    connectionsPerOrigin: 4,
  });
  const prepared = await channel.prepare(message());
  const to = recipient(`https://hooks.example:${port}/`);
  const expected = Array.from({ length: 100 }, (_, i) =>
    i.toString(16).padStart(32, "0"),
  );
  await Promise.all(
    expected.map((id) =>
      prepared.deliver({ ...to, subscriptionId: id as SubscriptionId }),
    ),
  );
  assert.deepEqual(ids.sort(), expected);
  assert.equal(connections, 4);
});

interface Received {
  readonly method: string | undefined;
  readonly url: string | undefined;
  readonly headers: IncomingMessage["headers"];
  readonly rawHeaders: readonly string[];
  readonly body: string;
  json(): Record<string, unknown>;
}

async function startReceiver(t: TestContext): Promise<{
  origin: string;
  requests: readonly Received[];
  only(): Received;
  connections(): number;
}> {
  const requests: Received[] = [];
  const server = await listen(t, async (request, response) => {
    const { method, url, headers, rawHeaders } = request;
    const body = await readBody(request);
    requests.push({
      method,
      url,
      headers,
      rawHeaders,
      body,
      json: () => JSON.parse(body),
    });
    response.end("thanks");
  });
  let connections = 0;
  server.on("connection", () => connections++);
  return {
    origin: originOf(server),
    requests,
    only() {
      assert.equal(requests.length, 1);
      return requests[0] ?? assert.fail();
    },
    connections: () => connections,
  };
}

async function listen(
  t: TestContext,
  listener: RequestListener,
): Promise<Server> {
  const server = createServer(listener).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

async function startTlsReceiver(
  t: TestContext,
  name: string,
): Promise<{ server: TlsServer; port: number; cert: string }> {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  const cert = await createSelfSignedCertificate({
    privateKey,
    commonName: name,
    notBefore: toEpochMs(Date.now() - 1000),
    notAfter: toEpochMs(Date.now() + 60_000),
  });
  const server = createTlsServer({ key, cert }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { server, port: (server.address() as AddressInfo).port, cert };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

function originOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function createChannel(
  t: TestContext,
  options: Partial<HttpChannelOptions> & { resolve?: ResolveName } = {},
): { channel: Channel; keys: SigningKeys } {
  const { resolve, ...rest } = options;
  const keys = new SigningKeys({
    settings: new MemoryStore(),
    secrets: { seal: (secret) => secret, open: (sealed) => sealed },
    region: "eu-de",
    clock: systemClock,
    logger: silentLogger,
  });
  const channel = createHttpChannel({
    egress: createEgressGuard({
      allowTargets: ["127.0.0.0/8"],
      ...(resolve && { resolve }),
    }),
    signer: keys,
    webhookKeys,
    links: createLinks({
      publicUrl: () => publicUrl,
      region: "eu-de",
      tokens,
    }),
    clock: systemClock,
    logger: silentLogger,
    ...rest,
  });
  t.after(() => channel.close());
  return { channel, keys };
}

async function deliver(channel: Channel, endpoint: string) {
  const prepared = await channel.prepare(message());
  return untimed(await prepared.deliver(recipient(endpoint)));
}

function recipient(
  endpoint: string,
  extension?: Recipient["extension"],
): Recipient {
  return httpRecipient("http", endpoint, extension);
}

function namesOf(rawHeaders: readonly string[]): string[] {
  return rawHeaders.filter((_, index) => index % 2 === 0);
}

/**
 * A receiver's check, written from the documented rule alone: for each field
 * in order its name and value with a line feed behind both, RSA with SHA-256,
 * the certificate from where signing_cert_url points.
 */
async function isGenuine(
  body: Record<string, unknown>,
  certificates: Pick<SigningKeys, "findCertificate">,
): Promise<boolean> {
  const names =
    body.type === "Notification"
      ? [
          "message",
          "message_id",
          ...("subject" in body ? ["subject"] : []),
          "timestamp",
          ...("topic_urn" in body ? ["topic_urn"] : []),
          "type",
        ]
      : [
          "message",
          "message_id",
          "subscribe_url",
          "timestamp",
          "topic_urn",
          "type",
        ];
  const verifier = createVerify("RSA-SHA256");
  for (const name of names) verifier.update(`${name}\n${body[name]}\n`);
  const { pathname } = new URL(String(body.signing_cert_url));
  assert.ok(pathname.startsWith("/smn/"));
  const pem = await certificates.findCertificate(
    pathname.slice("/smn/".length),
  );
  return verifier.verify(
    new X509Certificate(pem ?? "").publicKey,
    String(body.signature),
    "base64",
  );
}
