/** A service as part of a program: how it opens, listens late, and closes. */

import assert from "node:assert/strict";
import { once } from "node:events";
import { access, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { LogFields, Logger } from "@carillon/core";
import {
  type Backend,
  LoopbackProvider,
  NullProvider,
  type Receiver,
  textResponse,
} from "@carillon/gateway";
import { open, type Settings } from "./open.ts";

test("it opens a folder without a port, and again with the same project", async (t) => {
  const data = await temporaryFolder(t);
  const first = await open({ data });
  assert.equal(first.url, undefined);
  const { credentials, projectId } = first;
  assert.ok(credentials);
  assert.equal(credentials.project.id, projectId);
  assert.ok(!process.getActiveResourcesInfo().includes("TCPServerWrap"));
  // What waits for its next attempt keeps the process.
  assert.ok(process.getActiveResourcesInfo().includes("Timeout"));
  await first.close();
  assert.ok(!process.getActiveResourcesInfo().includes("Timeout"));

  const second = await open({ data });
  assert.equal(second.projectId, projectId);
  assert.equal(second.credentials, undefined);
  await second.close();
});

test("the first start that listens hands over what none has shown", async (t) => {
  const data = await temporaryFolder(t);
  const first = await open({ data });
  const made = first.credentials;
  assert.ok(made);
  await first.close();

  const second = await open({ data, port: 0 });
  const url = await second.listen();
  assert.deepEqual(second.credentials, { ...made, url });
  await second.close();

  await using third = await open({ data, port: 0 });
  await third.listen();
  assert.equal(third.credentials, undefined);
});

test("it listens later, in the same process, with the first start's credentials", async (t) => {
  const data = await temporaryFolder(t);
  await using carillon = await open({ data, port: 0 });
  const url = await carillon.listen();
  assert.equal(carillon.url, url);
  assert.equal((await fetch(`${url}/readyz`)).status, 200);
  const { credentials } = carillon;
  assert.ok(credentials);
  assert.equal(credentials.url, url);
  await access(join(data, "credentials.json"));
  const { accessKey, secretKey, project } = credentials;
  const answer = await fetch(`${url}/v2/${project.id}/notifications/topics`, {
    headers: { authorization: `Basic ${btoa(`${accessKey}:${secretKey}`)}` },
  });
  assert.equal(answer.status, 200);
  await assert.rejects(carillon.listen({ port: 0 }), {
    name: "ConfigError",
    message: /it listens already at http/,
  });
  await carillon.close();
  await assert.rejects(fetch(`${url}/readyz`));
  await assert.rejects(carillon.listen(), { code: "SHUTTING_DOWN" });
});

test("an address that cannot be listened on may be followed by another", async (t) => {
  const taken = createServer().listen(0, "127.0.0.1");
  t.after(() => taken.close());
  await new Promise((resolve) => taken.once("listening", resolve));
  const address = taken.address();
  assert.ok(typeof address === "object" && address);
  await using carillon = await open({ data: await temporaryFolder(t) });
  await assert.rejects(carillon.listen({ port: address.port }), {
    code: "EADDRINUSE",
  });
  assert.equal(carillon.url, undefined);
  await assert.rejects(carillon.listen({ host: "0.0.0.0", port: -1 }), {
    name: "ConfigError",
    message: /port: .*got -1[\s\S]*host: .*publicUrl/,
  });
  const url = await carillon.listen({ port: 0 });
  assert.equal((await fetch(`${url}/healthz`)).status, 200);
});

test("a second service is refused the folder of the first", async (t) => {
  const data = await temporaryFolder(t);
  await using _ = await open({ data });
  await assert.rejects(open({ data }), { code: "STORAGE_IN_USE" });
});

for (const [title, settings, expected] of [
  [
    "an unknown section",
    { sms: { batc: {} } },
    /sms\.batc: there is no such key; did you mean sms\.batch\?/,
  ],
  ["an unknown key", { dat: "x" }, /dat: there is no such key; did you mean/],
  [
    "several mistakes",
    { port: -1, sms: { maxSegments: 0, rout: "a" } },
    /sms\.rout: there is no such key[\s\S]*port: [\s\S]*sms\.maxSegments: /,
  ],
  ["a section that is none", { sms: 7 }, /sms: expected an object/],
  [
    "a section that is none beside providers",
    { sms: 7, providers: { a: new NullProvider() } },
    /sms: expected an object/,
  ],
  [
    "a provider that is none",
    { port: -1, providers: { a: 7, b: {}, c: { type: "code" } } },
    /providers\.a: expected an object with publishMessage[\s\S]*providers\.b: expected a method as publishMessage[\s\S]*providers\.c: [\s\S]*port: /,
  ],
  [
    "a backend that throws",
    {
      providers: {
        a: () => {
          throw new Error("no line");
        },
      },
    },
    /providers\.a: the function a threw .*no line/,
  ],
  ["a router that is none", { sms: { router: 7 } }, /sms\.router: expected/],
  [
    "a provider's name",
    { providers: { "No Good": new NullProvider() } },
    /providers\.No Good: expected a name of 1 to 32/,
  ],
  [
    "the name of a provider twice",
    {
      providers: { a: new NullProvider() },
      sms: { providers: [{ type: "forward-client", name: "a" }] },
    },
    /there is a provider called a already/,
  ],
  [
    "a provider that no program brings",
    { sms: { providers: [{ type: "code", name: "a" }] } },
    /the program has no provider a/,
  ],
  [
    "a route over a provider that there is not",
    { providers: { a: new NullProvider() }, sms: { route: "a || b" } },
    /sms\.route: .*b; there are a/,
  ],
] as const) {
  test(`mistakes of the settings are told before anything is made: ${title}`, async (t) => {
    const data = join(await temporaryFolder(t), "data");
    // As a program in JavaScript may have them.
    const wrong = { data, ...settings } as unknown as Settings;
    await assert.rejects(open(wrong), {
      name: "ConfigError",
      message: expected,
    });
    await assert.rejects(access(data));
  });
}

test("providers come in their order, made or as settings, before those of the configuration", async (t) => {
  const events: [string, LogFields][] = [];
  const note = (event: string, fields: LogFields = {}) => {
    events.push([event, fields]);
  };
  const logger: Logger = {
    debug: () => {},
    info: note,
    warn: note,
    error: note,
    child: () => logger,
  };
  await using carillon = await open({
    data: await temporaryFolder(t),
    port: 0,
    providers: {
      own: new NullProvider(),
      hub: { type: "forward-client", serverUrl: "http://127.0.0.1:9/" },
    },
    sms: { providers: ["log"], route: "own || hub" },
    logger,
  });
  const [, started] = events.find(([event]) => event === "started") ?? [];
  assert.deepEqual(started?.smsProviders, ["own", "hub", "log"]);
  assert.equal(started.url, undefined);
  const url = await carillon.listen();
  const [, listening] = events.find(([event]) => event === "listening") ?? [];
  assert.deepEqual(listening, { url });
});

test("a provider belongs to one service", async (t) => {
  const provider = new NullProvider();
  const providers = { own: provider };
  await using _ = await open({ data: await temporaryFolder(t), providers });
  const data = await temporaryFolder(t);
  await assert.rejects(open({ data, providers }), /already belongs/);
  // What was opened before it failed was closed.
  await using other = await open({ data });
  assert.equal(other.url, undefined);
});

test("what carriers call is handled by a server of the program's own", async (t) => {
  const calls: string[] = [];
  class Carrier extends NullProvider {
    override receiver(): Receiver {
      const handle = async ({ url }: { readonly url: string }) => {
        calls.push(new URL(url).pathname);
        return textResponse(200, "TAKEN");
      };
      return { routes: [{ methods: ["POST"], path: "/im", handle }] };
    }
  }
  await using carillon = await open({
    data: await temporaryFolder(t),
    providers: { carrier: new Carrier(), mute: new LoopbackProvider() },
  });
  const receive = carillon.receiver();
  const post = async (path: string) => {
    const url = `https://example.com${path}`;
    const answer = await receive(new Request(url, { method: "POST" }));
    return [answer.status, await answer.text()];
  };
  const path = `${carillon.receiverPath}/carrier/im`;
  assert.deepEqual(await post(path), [200, "TAKEN"]);
  const secret = carillon.receiverPath.split("/")[2] ?? "";
  for (const other of [
    "/",
    "/receivers",
    path.replace(secret, `${secret}x`),
    path.replace(secret, "x".repeat(secret.length)),
    `${carillon.receiverPath}/mute/im`,
  ]) {
    assert.equal((await post(other))[0], 404, other);
  }
  assert.deepEqual(calls, [path]);
});

test("topics are published to by name", async (t) => {
  const data = await temporaryFolder(t);
  await using carillon = await open({ data, port: 0 });
  await assert.rejects(
    carillon.publish("alerts", { text: "The disk is full" }),
    {
      code: "TOPIC_NOT_FOUND",
    },
  );
  const url = await carillon.listen();
  const { credentials, projectId } = carillon;
  assert.ok(credentials);
  const pair = `${credentials.accessKey}:${credentials.secretKey}`;
  const made = await fetch(`${url}/v2/${projectId}/notifications/topics`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(pair)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ name: "alerts" }),
  });
  assert.equal(made.status, 201);
  const { messageId } = await carillon.publish("alerts", {
    text: "The disk is full",
    subject: "Alert",
  });
  assert.match(messageId, /^[0-9a-f]{32}$/);
  const wrong = { txt: "Hi" } as unknown as { text: string };
  await assert.rejects(carillon.publish("alerts", wrong), {
    code: "REQUEST_INVALID",
    message: /did you mean text\?/,
  });
});

test("backends of the program's own send, the one that its router names", async (t) => {
  const took: string[] = [];
  const taking = (name: string): Backend => ({
    publishMessage: ({ to }) => {
      took.push(`${name} ${to}`);
      return { externalId: name, state: "sent" };
    },
  });
  class Made {
    publishMessage = taking("class").publishMessage;
  }
  await using carillon = await open({
    data: await temporaryFolder(t),
    providers: {
      // No settings, though it says of which type it is.
      object: Object.assign(taking("object"), { type: "mine" }),
      class: Made,
      factory: (_settings: object, { name }: { readonly name: string }) =>
        taking(name),
    },
    sms: {
      router: (recipient) =>
        recipient.startsWith("+420") ? "class" : undefined,
    },
  });
  const send = async (to: string, backend?: string) => {
    const sent = await carillon.sms.send({ to, text: "Hi", backend });
    return [sent.state, sent.backend];
  };
  assert.deepEqual(await send("+420777123456"), ["sent", "class"]);
  assert.deepEqual(await send("+4915112345678"), ["sent", "object"]);
  assert.deepEqual(await send("+420777123456", "factory"), ["sent", "factory"]);
  assert.deepEqual(took, [
    "class +420777123456",
    "object +4915112345678",
    "factory +420777123456",
  ]);
});

test("batches are sent, and reports are looked for, when the program says", async (t) => {
  await using carillon = await open({
    data: await temporaryFolder(t),
    providers: { none: new NullProvider() },
    sms: { batch: { enabled: true } },
  });
  const { sms, email } = carillon;
  const ids: string[] = [];
  for (const to of ["+420777123456", "+420777123457", "+420777123458"]) {
    const stored = await sms.send({ to, text: "Hi" });
    assert.equal(stored.state, "waiting");
    ids.push(stored.id);
  }
  const [one, ...others] = ids;
  assert.deepEqual(await sms.sendBatch({ limit: 1 }), {
    sent: [one],
    failed: [],
    pending: [],
  });
  assert.deepEqual((await sms.sendBatch()).sent, others);
  assert.equal((await sms.find(one ?? ""))?.state, "debug");
  const { asked, idle } = await sms.checkDelivery();
  assert.deepEqual([asked, idle], [0, 0]);
  await assert.rejects(email.sendBatch(), { code: "BATCH_SENDING_OFF" });
  for (const limit of [0, 1.5, 10_001, "1"]) {
    const wrong = { limit } as { limit: number };
    await assert.rejects(sms.sendBatch(wrong), { code: "REQUEST_INVALID" });
  }
  await carillon.close();
  await assert.rejects(sms.sendBatch(), { code: "SHUTTING_DOWN" });
  await assert.rejects(sms.checkDelivery(), { code: "SHUTTING_DOWN" });
});

test("a text may say what becomes of its accents", async (t) => {
  await using carillon = await open({
    data: await temporaryFolder(t),
    providers: { none: new NullProvider() },
  });
  const send = (accents: "keep" | "strip-ascii") =>
    carillon.sms.send({ to: "+420777123456", text: "Žluťoučký kůň", accents });
  assert.equal((await send("strip-ascii")).text, "Zlutoucky kun");
  assert.equal((await send("keep")).text, "Žluťoučký kůň");
  await assert.rejects(send("none" as "keep"), {
    code: "MESSAGE_OPTION_INVALID",
  });
});

test("bounces are taken at their port, also by a service that does not listen", async (t) => {
  const events = new Map<string, LogFields>();
  const note = (event: string, fields: LogFields = {}) => {
    events.set(event, fields);
  };
  const logger: Logger = {
    debug: () => {},
    info: note,
    warn: note,
    error: note,
    child: () => logger,
  };
  await using carillon = await open({
    data: await temporaryFolder(t),
    email: { bounces: { port: 0, domain: "bounces.example.com" } },
    logger,
  });
  assert.equal(carillon.url, undefined);
  const port = Number(events.get("bounces_taken")?.port);
  const greeting = async () => {
    const socket = connect(port, "127.0.0.1");
    t.after(() => socket.destroy());
    const [line] = await once(socket, "data");
    return String(line);
  };
  assert.match(await greeting(), /^220 /);
  await carillon.close();
  await assert.rejects(greeting(), { code: "ECONNREFUSED" });
});

test("an abort during the start leaves a folder that can be opened", async (t) => {
  const data = await temporaryFolder(t);
  const reason = new Error("stop");
  const stop = new AbortController();
  const opening = open({ data }, { signal: stop.signal });
  stop.abort(reason);
  await assert.rejects(opening, (error) => error === reason);
  await using _ = await open({ data });
});

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-open-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
