/** Text messages both ways through real servers, and between two of them. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { after, test } from "node:test";
import {
  basicAuthorization,
  CarillonProcess,
  credentials,
} from "./harness/carillon-process.ts";
import { WebhookSink } from "./harness/webhook-sink.ts";

const { projectId, region } = credentials;
const notifications = `/v2/${projectId}/notifications`;
const phone = "+15550100100";
const folders: string[] = [];

after(async () => {
  for (const folder of folders) {
    await rm(folder, { recursive: true, force: true });
  }
});

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "carillon-sms-"));
  folders.push(path);
  return path;
}

// biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
type Body = any;

async function call(
  { url }: { readonly url: string },
  method: string,
  path: string,
  body?: unknown,
): Promise<Body> {
  const response = await fetch(`${url}${path}`, {
    method,
    headers: {
      authorization: basicAuthorization,
      ...(body !== undefined && { "content-type": "application/json" }),
    },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  assert.ok(response.ok, `${method} ${path}: ${response.status} ${text}`);
  return text ? JSON.parse(text) : undefined;
}

/** The phone of the sandbox writes to us. */
async function reply(
  server: CarillonProcess,
  text: string,
  to?: string,
): Promise<void> {
  const path = `/api/v2/sandbox/phones/${phone}/messages`;
  await call(server, "POST", path, { text, ...(to && { to }) });
}

async function sendSms(server: CarillonProcess, text: string): Promise<string> {
  const { message_id } = await call(server, "POST", `${notifications}/sms`, {
    endpoint: phone,
    message: text,
  });
  return message_id;
}

/** The delivery of a text, once it is in one of these states. */
async function delivered(
  server: CarillonProcess,
  messageId: string,
  ...states: string[]
): Promise<Body> {
  let last: Body;
  for (const deadline = Date.now() + 20_000; Date.now() < deadline; ) {
    const path = `/api/v2/messages/${messageId}/deliveries`;
    [last] = (await call(server, "GET", path)).deliveries;
    if (states.includes(last?.state)) return last;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  assert.fail(`Not ${states}: ${JSON.stringify(last)}`);
}

async function listInbound(
  server: CarillonProcess,
  query = "",
): Promise<Body[]> {
  return (await call(server, "GET", `/api/v2/inbound${query}`)).inbound;
}

/** Creates a topic with a confirmed webhook. */
async function subscribe(
  server: CarillonProcess,
  sink: WebhookSink,
  topic: string,
): Promise<void> {
  await call(server, "POST", `${notifications}/topics`, { name: topic });
  const urn = `urn:smn:${region}:${projectId}:${topic}`;
  await call(server, "POST", `${notifications}/topics/${urn}/subscriptions`, {
    protocol: "http",
    endpoint: `${sink.url}/${topic}`,
  });
  await sink.until(() => sink.confirmed.has(`/${topic}`), "no confirmation");
}

/** What webhooks of a topic were told, oldest first. */
function told(sink: WebhookSink, topic: string): Body[] {
  return sink.arrivals
    .filter(({ path }) => path === `/${topic}`)
    .map(({ body }) => JSON.parse(body));
}

async function receiverOf(
  data: string,
  { url }: { readonly url: string },
  provider: string,
): Promise<string> {
  const file = await readFile(join(data, "credentials.json"), "utf8");
  return `${url}/receivers/${JSON.parse(file).receiverSecret}/${provider}`;
}

/** The lines of a server's log. */
function logged({ stderr }: CarillonProcess): Body[] {
  return stderr.split("\n").flatMap((line) => {
    try {
      return [JSON.parse(line)];
    } catch {
      // Node's own lines.
      return [];
    }
  });
}

async function configure(data: string, sms: object): Promise<string[]> {
  const file = join(data, "carillon.json");
  // A few phones get more than anybody would be sent.
  const guard = { numberPerHour: 0, numberPerHalfDay: 0 };
  await writeFile(file, JSON.stringify({ sms: { guard, ...sms } }));
  return ["--config", file];
}

test("a phone's text is kept, listed and published to its topic", async () => {
  await using sink = await WebhookSink.start();
  const data = await folder();
  const options = {
    data,
    args: ["--sandbox"],
    env: {
      CARILLON_SMS_INBOUND:
        "*=inbox, 4930123456=office, 4930123456/JOIN=members, */LOST=nowhere",
    },
  };
  await using server = await CarillonProcess.start(options);
  for (const topic of ["inbox", "office", "members"]) {
    await subscribe(server, sink, topic);
  }
  await reply(server, "On my way 🛎");
  await reply(server, "Hello", "+4930123456");
  await reply(server, "join, please", "+4930123456");
  await reply(server, "Lost my key");
  await sink.until(() => sink.arrivals.length === 3, "not all arrived");
  const [notification, ...others] = told(sink, "inbox");
  assert.equal(others.length, 0);
  assert.equal(notification.subject, `SMS from ${phone}`);
  assert.equal(told(sink, "office").length, 1);
  assert.equal(told(sink, "members").length, 1);

  const inbound = await listInbound(server);
  assert.deepEqual(
    inbound.map(({ text, to, keyword }) => [text, to, keyword]),
    [
      ["Lost my key", undefined, "LOST"],
      ["join, please", "+4930123456", "JOIN"],
      ["Hello", "+4930123456", "HELLO"],
      ["On my way 🛎", undefined, "ON"],
    ],
  );
  const first = inbound.at(-1);
  assert.equal(notification.message_id, first.messageId);
  const { id, from, provider, text, receivedAt } = JSON.parse(
    notification.message,
  );
  assert.deepEqual(
    { id, from, provider, text, receivedAt },
    {
      id: first.id,
      from: phone,
      provider: "sandbox",
      text: "On my way 🛎",
      receivedAt: first.receivedAt,
    },
  );
  // No topic of that name: nothing is lost, and the log tells.
  assert.equal(inbound[0].messageId, undefined);
  assert.match(server.stderr, /inbound_not_published/);

  await server.kill();
  await using again = await CarillonProcess.start(options);
  assert.deepEqual(await listInbound(again), inbound);
  assert.equal((await listInbound(again, "?to=4930123456")).length, 2);
  // The sandbox's ids are new after a restart: this one is no repetition.
  await reply(again, "On my way 🛎");
  assert.equal((await listInbound(again)).length, 5);
});

test("STOP keeps texts away until START, across a restart", async () => {
  const options = { data: await folder(), args: ["--sandbox"] };
  await using server = await CarillonProcess.start(options);
  await delivered(server, await sendSms(server, "one"), "delivered");
  await reply(server, "Stop!");
  await server.kill();
  await using again = await CarillonProcess.start(options);
  const two = await delivered(
    again,
    await sendSms(again, "two"),
    "suppressed",
    "delivered",
  );
  assert.equal(two.state, "suppressed");
  assert.match(two.error, /opted out of all senders with "STOP"/);
  const { optOuts } = await call(again, "GET", "/api/v2/opt-outs");
  assert.deepEqual(
    optOuts.map(({ recipient, keyword }: Body) => [recipient, keyword]),
    [[phone, "STOP"]],
  );

  await reply(again, "start");
  await delivered(again, await sendSms(again, "three"), "delivered");
  await call(again, "POST", "/api/v2/opt-outs", { recipient: phone });
  await delivered(again, await sendSms(again, "four"), "suppressed");
  await call(again, "DELETE", `/api/v2/opt-outs/${phone}`);
  await delivered(again, await sendSms(again, "five"), "delivered");
  const { messages } = await call(
    again,
    "GET",
    `/api/v2/sandbox/phones/${phone}/messages`,
  );
  assert.deepEqual(
    messages
      .filter(({ direction }: Body) => direction === "received")
      .map(({ text }: Body) => text),
    ["three", "five"],
  );
});

/**
 * A forward server that is no Carillon: answers as a Python peer does, and
 * reports before or after its answer.
 */
async function startPeer(
  report: "early" | "late" | "never" | "failed" | "refuses" | "hangs",
) {
  let ids = 0;
  const texts: string[] = [];
  let receiver = Promise.withResolvers<string>();
  const server = createServer(async (request, response) => {
    const { message } = JSON.parse(await readText(request));
    const [name, fields] = message["?"];
    texts.push(fields.body);
    if (report === "hangs") return;
    if (report === "refuses") {
      response.writeHead(503).end();
      return;
    }
    const msgid = String(++ids);
    const kind = report === "failed" ? "MessageError" : "MessageDelivered";
    const tell = async () =>
      await post(`${await receiver.promise}/status`, statusOf(kind, msgid));
    if (report === "early") await tell();
    response.writeHead(200, { "content-type": "application/json" });
    response.end(
      JSON.stringify({
        message: object(name, { ...fields, provider: "lo", msgid }),
      }),
    );
    // The server may be gone before it answers: the test has what it wanted.
    if (report === "late" || report === "failed")
      setTimeout(() => tell().catch(() => {}), 100);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    serverUrl: `http://127.0.0.1:${port}/apps`,
    texts,
    /** Reports that come before it is called wait for it. */
    reportTo: (url: string) => receiver.resolve(url),
    /** The server goes: the next one is somewhere else. */
    forgetReceiver: () => {
      receiver = Promise.withResolvers();
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
    },
  };
}

const datetime = { "?": ["datetime", "2026-01-31T08:30:00.000000"] };

/** What a remote provider called `lo` reports of a message. */
function statusOf(kind: string, msgid: string, fields: object = {}) {
  return {
    status: object(kind, {
      msgid,
      rtime: datetime,
      meta: {},
      status: "OK",
      provider: "lo",
      ...fields,
    }),
  };
}

/** A text that came in through a remote provider. */
function incoming(msgid: number, provider: string) {
  return {
    message: object("IncomingMessage", {
      src: "15550100100",
      body: "Yo",
      msgid,
      dst: null,
      rtime: datetime,
      meta: {},
      provider,
    }),
  };
}

function object(name: string, fields: object) {
  return { "?": [name, fields] };
}

async function post(url: string, body: unknown) {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  return { status: response.status, body: await response.json() };
}

for (const report of ["early", "late"] as const) {
  test(`a receipt that comes ${report} advances its delivery`, async () => {
    await using peer = await startPeer(report);
    const data = await folder();
    const { serverUrl } = peer;
    const hub = { type: "forward-client", name: "hub", serverUrl };
    await using server = await CarillonProcess.start({
      data,
      args: await configure(data, { providers: [hub] }),
    });
    peer.reportTo(await receiverOf(data, server, "hub"));
    const delivery = await delivered(
      server,
      await sendSms(server, "Hello"),
      "delivered",
    );
    assert.deepEqual([delivery.provider, delivery.externalId], ["hub", "1"]);
  });
}

test("a forward peer settles only what was sent through it", async () => {
  await using peer = await startPeer("never");
  const data = await folder();
  const { serverUrl } = peer;
  // Either calls its own carrier "lo"; texts go through the first.
  const providers = ["hub", "other"].map((name) => ({
    type: "forward-client",
    name,
    serverUrl,
  }));
  await using server = await CarillonProcess.start({
    data,
    args: await configure(data, { providers }),
  });
  const messageId = await sendSms(server, "Hello");
  const sent = await delivered(server, messageId, "sent");
  const report = async (peerName: string, status: object) => {
    const receiver = await receiverOf(data, server, peerName);
    const answer = await post(`${receiver}/status`, status);
    assert.equal(answer.status, 200);
  };
  await report("other", statusOf("MessageError", sent.externalId));
  await report("other", statusOf("MessageDelivered", sent.externalId));
  assert.equal((await delivered(server, messageId, "sent")).state, "sent");

  await report("hub", statusOf("MessageDelivered", sent.externalId));
  await delivered(server, messageId, "delivered");

  // Too late to change anything; yet it is not lost.
  const late = { status: "Absent subscriber", status_code: 27 };
  await report("hub", statusOf("MessageError", sent.externalId, late));
  const { state, receipts } = await call(
    server,
    "GET",
    `/api/v2/deliveries/${sent.id}`,
  );
  assert.equal(state, "delivered");
  const shown = { provider: "hub", externalId: sent.externalId };
  assert.deepEqual(
    receipts.map(({ at: _, ...receipt }: Body) => receipt),
    [
      { ...shown, event: "deliver", text: "OK" },
      { ...shown, event: "reject", code: "27", text: "Absent subscriber" },
    ],
  );
});

/** Two peers, the second for what the first did not carry. */
async function startPair(
  first: Parameters<typeof startPeer>[0],
  second: Parameters<typeof startPeer>[0] = "late",
) {
  const peers = [await startPeer(first), await startPeer(second)] as const;
  const data = await folder();
  const names = ["first", "second"] as const;
  const providers = names.map((name, n) => ({
    type: "forward-client",
    name,
    serverUrl: peers[n]?.serverUrl,
  }));
  const policyFile = join(data, "policy.json");
  await writeFile(
    policyFile,
    JSON.stringify({
      rules: [{ name: "all", use: "first || second" }],
      failover: { receipts: { silentMinutes: 0.03 } },
    }),
  );
  const args = await configure(data, { providers, policyFile });
  const start = async () => {
    for (const peer of peers) peer.forgetReceiver();
    const server = await CarillonProcess.start({ data, args });
    for (const [n, name] of names.entries()) {
      peers[n]?.reportTo(await receiverOf(data, server, name));
    }
    return server;
  };
  return {
    peers,
    start,
    async [Symbol.asyncDispose]() {
      for (const peer of peers) await peer[Symbol.asyncDispose]();
    },
  };
}

const attemptsOf = ({ attempts }: Body) =>
  attempts.map(({ provider, outcome }: Body) => `${provider} ${outcome}`);

for (const [first, outcome] of [
  ["refuses", "deferred"],
  ["failed", "failed"],
] as const) {
  test(`the second provider carries what the first ${first}`, async () => {
    await using pair = await startPair(first);
    await using server = await pair.start();
    const id = await sendSms(server, "Hello");
    const delivery = await delivered(server, id, "delivered");
    assert.deepEqual(attemptsOf(delivery), [
      `first ${outcome}`,
      "second accepted",
    ]);
    assert.equal(delivery.provider, "second");
    assert.deepEqual(pair.peers[1].texts, ["Hello"]);
  });
}

test("the second provider carries what the first is silent on, after a kill too", async () => {
  await using pair = await startPair("never");
  await using server = await pair.start();
  const id = await sendSms(server, "Hello");
  const sent = await delivered(server, id, "sent");
  assert.equal(sent.receiptExpected, true);
  assert.equal(typeof sent.nextAttemptAt, "string");
  await server.kill();
  await using again = await pair.start();
  const delivery = await delivered(again, id, "delivered");
  assert.deepEqual(attemptsOf(delivery), ["first accepted", "second accepted"]);
  // Both gave it the id "1": an id is of the entry it came through.
  assert.deepEqual(
    delivery.parts.map(({ provider, externalId, state }: Body) =>
      [provider, externalId, state].join(" "),
    ),
    ["first 1 sent", "second 1 delivered"],
  );
  assert.deepEqual(pair.peers[0].texts, ["Hello"]);
});

test("a kill during the call leaves it unknown, and says through whom", async () => {
  await using pair = await startPair("hangs");
  await using server = await pair.start();
  const id = await sendSms(server, "Hello");
  while (pair.peers[0].texts.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await server.kill();
  await using again = await pair.start();
  const delivery = await delivered(again, id, "unknown");
  assert.deepEqual(attemptsOf(delivery), ["first unknown"]);
  assert.equal(delivery.errorClass, "interrupted");
  assert.deepEqual(pair.peers[1].texts, []);
});

test("a kill amid failover leaves it unknown, and nobody is called again", async () => {
  await using pair = await startPair("refuses", "hangs");
  await using server = await pair.start();
  const id = await sendSms(server, "Hello");
  while (pair.peers[1].texts.length === 0) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await server.kill();
  await using again = await pair.start();
  const delivery = await delivered(again, id, "unknown");
  assert.deepEqual(attemptsOf(delivery), ["first deferred", "second unknown"]);
  assert.equal(delivery.nextAttemptAt, undefined);
  // One that is sent now comes after all that were due.
  await sendSms(again, "Later");
  while (!pair.peers[1].texts.includes("Later")) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  await again.kill();
  assert.deepEqual(
    pair.peers.map(({ texts }) => texts.filter((it) => it === "Hello").length),
    [1, 1],
  );
});

test("kills at any moment of failover send no text twice through one, or past an unknown", async () => {
  // The first takes each text and reports it failed: the second is to take it.
  await using pair = await startPair("failed");
  const sent: { readonly id: string; readonly text: string }[] = [];
  for (const afterMs of [40, 90, 160]) {
    await using server = await pair.start();
    for (let n = 0; n < 12; n++) {
      const text = `text ${sent.length}`;
      sent.push({ id: await sendSms(server, text), text });
    }
    await new Promise((resolve) => setTimeout(resolve, afterMs));
    await server.kill();
  }
  await using server = await pair.start();
  const takenBy = (n: 0 | 1, text: string) =>
    pair.peers[n].texts.filter((it) => it === text).length;
  let byBoth = 0;
  for (const { id, text } of sent) {
    const states = ["delivered", "unknown", "sent"];
    let delivery = await delivered(server, id, ...states);
    // Until the first was silent for long enough; of the second's report a kill
    // may leave nothing.
    while (delivery.state === "sent" && delivery.attempts.length === 1) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      delivery = await delivered(server, id, ...states);
    }
    const attempts = attemptsOf(delivery);
    const taken = [takenBy(0, text), takenBy(1, text)] as const;
    const what = `${text}: ${attempts} ${taken}`;
    assert.ok(taken[0] <= 1 && taken[1] <= 1, what);
    // Each call stands on record, that of a kill as unknown.
    assert.ok(taken[0] + taken[1] <= attempts.length, what);
    assert.equal(delivery.state === "unknown", /unknown$/.test(`${attempts}`));
    if (taken[1] === 0) continue;
    // By a failed receipt, or by silence where the kill lost it.
    assert.match(`${attempts}`, /^first (failed|accepted),second /, what);
    byBoth++;
  }
  assert.ok(byBoth > 12, `${byBoth} of ${sent.length}`);
});

test("texts through two peers are no repetitions of each other", async () => {
  const data = await folder();
  const serverUrl = "http://127.0.0.1:9/apps";
  const providers = ["hub", "other"].map((name) => ({
    type: "forward-client",
    name,
    serverUrl,
  }));
  await using server = await CarillonProcess.start({
    data,
    args: await configure(data, { providers }),
  });
  for (const [peer, provider] of [
    ["hub", "lo"],
    ["hub", "lo"],
    ["hub", "carrier"],
    ["other", "lo"],
  ] as const) {
    const receiver = await receiverOf(data, server, peer);
    const answer = await post(`${receiver}/im`, incoming(1, provider));
    assert.equal(answer.status, 200);
  }
  assert.deepEqual(
    (await listInbound(server)).map((it) => `${it.provider} ${it.externalId}`),
    ["other lo/1", "hub carrier/1", "hub lo/1"],
  );
});

test("a text that the carrier repeats is kept once", async () => {
  const data = await folder();
  const hub = {
    type: "forward-client",
    name: "hub",
    serverUrl: "http://127.0.0.1:9/apps",
    auth: { user: "hub", pass: "secret" },
  };
  await using server = await CarillonProcess.start({
    data,
    args: await configure(data, { providers: [hub], inbound: ["*=inbox"] }),
  });
  await using sink = await WebhookSink.start();
  await subscribe(server, sink, "inbox");
  const receiver = await receiverOf(data, server, "hub");
  const authorized = receiver.replace("http://", "http://hub:secret@");
  const { username, password, origin, pathname } = new URL(authorized);
  const send = async (msgid: number) => {
    const response = await fetch(`${origin}${pathname}/im`, {
      method: "POST",
      headers: {
        authorization: `Basic ${btoa(`${username}:${password}`)}`,
      },
      body: JSON.stringify(incoming(msgid, "lo")),
    });
    assert.equal(response.status, 200);
  };
  await Promise.all([send(1), send(1), send(1)]);
  await send(1);
  await send(2);
  await sink.until(() => sink.arrivals.length >= 2, "not all arrived");
  const inbound = await listInbound(server);
  assert.deepEqual(
    inbound.map(({ provider, externalId }) => `${provider} ${externalId}`),
    ["hub lo/2", "hub lo/1"],
  );
  assert.equal(sink.arrivals.length, 2);
  assert.equal((await post(`${receiver}/im`, {})).status, 401);
  const elsewhere = receiver.replace(/receivers\/[^/]+/, "receivers/guess");
  assert.equal((await post(`${elsewhere}/im`, {})).status, 404);
});

for (const provider of ["log", "null"]) {
  test(`a text that provider ${provider} takes is never called sent`, async () => {
    const data = await folder();
    await using server = await CarillonProcess.start({
      data,
      env: { CARILLON_SMS_PROVIDERS: provider },
    });
    const delivery = await delivered(
      server,
      await sendSms(server, "The code is 123456 €"),
      "debug",
      "sent",
      "delivered",
    );
    assert.deepEqual(
      [delivery.state, delivery.provider, delivery.segments],
      ["debug", provider, 1],
    );
    await server.stop();
    assert.doesNotMatch(server.stderr, /123456|15550100100/);
    const lines = logged(server).filter(({ event }) => event === "sms_logged");
    assert.deepEqual(
      lines.map(({ level, provider, msgid, characters, segments }) => [
        level,
        provider,
        msgid,
        characters,
        segments,
      ]),
      provider === "log" ? [["info", "log", "1", 20, 1]] : [],
    );
  });
}

test("provider log shows texts to who asks for level debug", async () => {
  await using server = await CarillonProcess.start({
    data: await folder(),
    env: { CARILLON_SMS_PROVIDERS: "log", CARILLON_LOG_LEVEL: "debug" },
  });
  await delivered(server, await sendSms(server, "The code is 123456"), "debug");
  await server.stop();
  assert.deepEqual(
    logged(server)
      .filter(({ text }) => /123456|15550100100/.test(text))
      .map(({ level, text }) => [level, text]),
    [["debug", "Sent SMS to 15550100100: The code is 123456"]],
  );
});

test("a text that a forward server only logs is not called sent", async () => {
  const [hubData, appData] = [await folder(), await folder()];
  const apps = { type: "forward-server", name: "apps", clients: [] };
  await using hub = await CarillonProcess.start({
    data: hubData,
    args: await configure(hubData, { providers: ["log", apps] }),
  });
  const serverUrl = await receiverOf(hubData, hub, "apps");
  await using app = await CarillonProcess.start({
    data: appData,
    args: await configure(appData, {
      providers: [{ type: "forward-client", name: "hub", serverUrl }],
    }),
  });
  const id = await sendSms(app, "Hello");
  const { state } = await delivered(app, id, "debug", "sent");
  assert.equal(state, "debug");
});

test("two servers forward to each other", async () => {
  const [hubData, appData] = [await folder(), await folder()];
  const auth = { user: "app", pass: "p4ss" };
  const secret = "between the two";
  // The ends name each other: the hub's address is known after a first start.
  const before = await CarillonProcess.start({
    data: hubData,
    args: ["--sandbox"],
  });
  const port = Number(new URL(before.url).port);
  const serverUrl = (await receiverOf(hubData, before, "apps")).replace(
    "http://",
    `http://${auth.user}:${auth.pass}@`,
  );
  await before.stop();
  await using app = await CarillonProcess.start({
    data: appData,
    args: await configure(appData, {
      providers: [{ type: "forward-client", name: "hub", serverUrl, secret }],
      inbound: ["*=inbox"],
    }),
  });
  const clients = [await receiverOf(appData, app, "hub")];
  await using hub = await CarillonProcess.start({
    data: hubData,
    port,
    args: [
      "--sandbox",
      ...(await configure(hubData, {
        providers: [
          "log",
          { type: "forward-server", name: "apps", clients, auth, secret },
        ],
      })),
    ],
  });
  await using sink = await WebhookSink.start();
  await subscribe(app, sink, "inbox");

  const delivery = await delivered(
    app,
    await sendSms(app, "Hello through the hub"),
    "delivered",
  );
  assert.equal(delivery.provider, "hub");
  await reply(hub, "Hello back");
  await sink.until(() => sink.arrivals.length === 1, "the reply did not come");
  for (const [server, provider] of [
    [hub, "sandbox"],
    [app, "hub"],
  ] as const) {
    const [inbound] = await listInbound(server);
    assert.deepEqual(
      [inbound.from, inbound.text, inbound.provider],
      [phone, "Hello back", provider],
    );
  }
});

test("carriers in private networks are not called unless allowed", async () => {
  const data = await folder();
  const serverUrl = "http://127.0.0.1:9/apps";
  await using server = await CarillonProcess.start({
    data,
    args: await configure(data, {
      providers: [{ type: "forward-client", name: "hub", serverUrl }],
    }),
    env: { CARILLON_ALLOW_TARGETS: "10.99.0.0/16" },
  });
  const { state, error } = await delivered(
    server,
    await sendSms(server, "Hello"),
    "retrying",
    "unknown",
    "rejected",
  );
  // Surely not sent, and sent once the set-up is mended.
  assert.equal(state, "retrying");
  assert.match(error, /loopback address.*CARILLON_ALLOW_TARGETS/);
});
