import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { silentLogger } from "@carillon/core";
import {
  AttemptRoute,
  Guard,
  type LoopbackProvider,
  MessageDelivered,
  MessageStatus,
  OutgoingMessage,
} from "@carillon/gateway";
import { ManualClock, MemoryStore, RecordingLogger } from "@carillon/testing";
import { type Config, loadConfig } from "./config.ts";
import {
  addProviders,
  createSmsGateway,
  forwardReceipts,
  prepareGateway,
} from "./text-messages.ts";

async function setUp(t: TestContext, first: Partial<Config["sms"]>) {
  const sms = (settings: Partial<Config["sms"]>): Config["sms"] => ({
    ...loadConfig().sms,
    providers: ["log", "null"],
    ...settings,
  });
  let current = sms(first);
  const http = { request: () => Promise.reject(new Error("none")) };
  const optOuts = new MemoryStore();
  const gateway = createSmsGateway(
    { http, optOuts, guard: new Guard() },
    { sandbox: false, sms: current },
  );
  addProviders(gateway, current, { logger: silentLogger });
  await gateway.start();
  t.after(() => gateway.stop());
  const reload = (settings: Partial<Config["sms"]>): readonly string[] => {
    const noted: string[] = [];
    const next = sms(settings);
    const putInPlace = prepareGateway(gateway, next, current, {
      logger: silentLogger,
      note: (path) => noted.push(path),
    });
    putInPlace();
    current = next;
    return noted;
  };
  const send = async () => {
    const sent = await gateway.send(new OutgoingMessage("4915112345678", "hi"));
    return `${sent.choice?.rule ?? sent.choice?.by} ${sent.choice?.provider}`;
  };
  return { gateway, reload, send };
}

test("a report that nobody understands is told in the log, and changes nothing", async (t) => {
  const { gateway } = await setUp(t, {});
  const logger = new RecordingLogger();
  const seen: unknown[] = [];
  const receive = async (receipt: object) => void seen.push(receipt);
  forwardReceipts(gateway, { receive }, new ManualClock(), logger);
  for (const status of [
    new MessageStatus("7", { statusCode: 25, status: "a\nnew word" }),
    new MessageDelivered("8"),
  ]) {
    status.entry = "acme";
    await gateway.report(status);
  }
  assert.equal(seen.length, 1);
  assert.deepEqual(logger.of("sms_status_unknown"), [
    { provider: "acme", externalId: "7", code: "25", text: "a new word" },
  ]);
});

test("a route, a policy and providers change together, or not at all", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "carillon-texts-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const policyFile = join(folder, "policy.json");
  const write = (content: object) =>
    writeFileSync(policyFile, JSON.stringify(content));
  const { gateway, reload, send } = await setUp(t, {});
  assert.equal(await send(), "default log");
  assert.deepEqual(reload({ route: "null || log" }), []);
  assert.equal(await send(), "sms.route null");

  write({ rules: [{ name: "de", when: { country: ["DE"] }, use: "log" }] });
  assert.deepEqual(reload({ policyFile, route: "null" }), []);
  assert.equal(await send(), "de log");
  assert.deepEqual(reload({ policyFile, route: "null" }), []);
  write({ rules: [{ name: "cz", when: { country: ["CZ"] }, use: "log" }] });
  assert.deepEqual(reload({ policyFile, route: "null" }), ["sms.policyFile"]);
  assert.equal(await send(), "sms.route null");

  // A provider that the file names and one that is there at the same time.
  const [policy, providers] = [gateway.policy, [...gateway.providers.keys()]];
  write({ rules: [{ name: "x", use: "loopback || nobody" }] });
  for (const settings of [
    { policyFile, providers: ["loopback" as const] },
    { policyFile: join(folder, "none"), providers: ["loopback" as const] },
  ]) {
    assert.throws(() => reload(settings), { name: "ConfigError" });
    assert.equal(gateway.policy, policy);
    assert.deepEqual([...gateway.providers.keys()], providers);
    assert.equal(await send(), "sms.route null");
  }
  write({ rules: [{ name: "x", use: "loopback" }] });
  reload({ policyFile, providers: ["loopback"] });
  assert.equal(await send(), "x loopback");
  assert.deepEqual([...gateway.providers.keys()], ["loopback"]);
  assert.deepEqual(reload({}), []);
  assert.equal(await send(), "default log");
});

test("a provider that a rule names is set otherwise", async (t) => {
  const client = (serverUrl: string) =>
    ({ type: "forward-client", name: "hub", serverUrl }) as const;
  const { gateway, reload } = await setUp(t, {
    providers: [client("http://127.0.0.1:9/a")],
    route: "hub",
  });
  const before = gateway.getProvider("hub");
  reload({ providers: [client("http://127.0.0.1:9/b")], route: "hub" });
  assert.notEqual(gateway.getProvider("hub"), before);
  assert.equal(gateway.policy?.data.rules[0]?.use, "hub");
});

test("an attempt that has begun ends by the route it had", async (t) => {
  const { gateway, reload } = await setUp(t, {
    providers: ["loopback", "log"],
    route: "loopback || log",
  });
  const loopback = gateway.getProvider("loopback") as LoopbackProvider;
  const heard = Promise.withResolvers<void>();
  const answered = Promise.withResolvers<void>();
  loopback.subscribe("4915112345678", async () => {
    heard.resolve();
    await answered.promise;
    throw new Error("odd");
  });
  const message = new OutgoingMessage("4915112345678", "hi");
  const route = await gateway.chooseRoute(message);
  assert.ok(route instanceof AttemptRoute);
  const policy = gateway.policy;
  const sent = gateway.sendThrough(message, route);
  await heard.promise;
  reload({ providers: ["null"], route: "null" });
  assert.ok(!gateway.hasProvider("loopback"));
  answered.resolve();
  await assert.rejects(sent, /odd/);
  assert.equal(message.choice?.provider, "loopback");
  assert.equal(route.policy, policy);
  const next = await gateway.chooseRoute(message.reset(), [
    { provider: "loopback", outcome: "deferred" },
  ]);
  assert.ok(next instanceof AttemptRoute);
  assert.equal(next.provider, "null");
  next.release();
});

test("a carrier takes as many segments as sms.maxSegments says, and no fewer", async (t) => {
  const us = {
    type: "twilio",
    name: "us",
    accountSid: `AC${"0".repeat(32)}`,
    authToken: "hush",
    from: "+15005550006",
  } as const;
  const { gateway, reload } = await setUp(t, { providers: [us] });
  const problemsOf = async (characters: number) => {
    const text = new OutgoingMessage("4915112345678", "ğ".repeat(characters));
    return (await gateway.explain(text)).problems;
  };
  assert.deepEqual(await problemsOf(900), []);
  assert.deepEqual(await problemsOf(67 * 30 + 1), [
    "The text takes 31 segments, at most 30 are allowed",
  ]);
  reload({ providers: [us], maxSegments: 4 });
  assert.deepEqual(await problemsOf(67 * 4), []);
  assert.deepEqual(await problemsOf(900), [
    "The text takes 14 segments, at most 4 are allowed",
  ]);
});
