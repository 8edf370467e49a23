/** What operators see of providers, and of where texts go through them. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startFakeTwilio } from "@carillon/testing/fake-carriers/twilio";
import { loadConfig } from "../config.ts";
import { serve } from "../serve.ts";

const accountSid = `AC${"0".repeat(32)}`;
const phone = "+4915112345678";
const publicUrl = "https://sms.example.com";

// biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
type Body = any;

interface Written {
  readonly providers: readonly unknown[];
  readonly guard?: object;
  readonly policy?: object;
}

/** A service whose configuration is what `write` wrote last. */
async function setUp(
  t: TestContext,
  first: Written,
  flags: Readonly<Record<string, unknown>> = {},
) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-view-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "carillon.json");
  const policyFile = join(folder, "policy.json");
  const write = async ({ providers, guard, policy }: Written) => {
    if (policy) await writeFile(policyFile, JSON.stringify(policy));
    const sms = {
      providers,
      ...(guard && { guard }),
      ...(policy && { policyFile }),
    };
    await writeFile(file, JSON.stringify({ sms }));
  };
  await write(first);
  const all = {
    data: join(folder, "data"),
    port: 0,
    allowTargets: ["127.0.0.0/8"],
    ...flags,
  };
  const readConfig = () => loadConfig({ file, flags: all });
  const carillon = await serve(readConfig(), { readConfig });
  const { credentials, url } = carillon;
  assert.ok(credentials);
  const { accessKey, secretKey } = credentials;
  const call = async (method: string, path: string, body?: object) => {
    const response = await fetch(`${url}/api/v2/${path}`, {
      method,
      headers: {
        authorization: `Basic ${btoa(`${accessKey}:${secretKey}`)}`,
        ...(body && { "content-type": "application/json" }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    const answer: Body = await response.json();
    assert.ok(response.ok, JSON.stringify(answer));
    return answer;
  };
  return {
    call,
    names: async () =>
      (await call("GET", "providers")).providers.map(({ name }: Body) => name),
    async reload(next: Written) {
      await write(next);
      carillon.reload();
    },
    [Symbol.asyncDispose]: () => carillon[Symbol.asyncDispose](),
  };
}

function twilio(name: string, more: object = {}) {
  const from = "+15005550006";
  // Nothing answers there.
  const baseUrl = "http://127.0.0.1:9";
  const type = "twilio";
  return { type, name, accountSid, authToken: "hush", from, baseUrl, ...more };
}

const ats = {
  type: "ats",
  name: "ats",
  username: "u",
  password: "hush",
  keyword: "K",
  from: "900",
  prefix: "acme",
  baseUrl: "http://127.0.0.1:9",
};

test("lists providers as they are configured, also after a change of one", async (t) => {
  const [a, b, c] = [twilio("a"), twilio("b"), twilio("c")];
  await using world = await setUp(t, { providers: [a, b, c] });
  assert.deepEqual(await world.names(), ["a", "b", "c"]);
  await world.reload({ providers: [a, twilio("b", { from: "ACME" }), c] });
  assert.deepEqual(await world.names(), ["a", "b", "c"]);
  await world.reload({ providers: [c, a] });
  assert.deepEqual(await world.names(), ["c", "a"]);
});

test("keeps who paused a provider, since when and why, and its type", async (t) => {
  const [a, b] = [twilio("a"), twilio("b")];
  await using world = await setUp(t, { providers: [a, b] });
  const { call } = world;
  const pause = async (body: object) =>
    (await call("POST", "providers/b/pause", body)).pause;
  const first = await pause({ reason: "raised prices" });
  assert.equal(first.reason, "raised prices");
  assert.deepEqual(await pause({}), first);
  const other = await pause({ reason: "down" });
  assert.deepEqual([other.at, other.reason], [first.at, "down"]);
  const { entries } = await call("GET", "audit?action=provider.pause");
  assert.deepEqual(
    entries.map(({ details }: Body) => details?.reason),
    ["down", undefined, "raised prices"],
  );
  await world.reload({ providers: [a] });
  const removed = await call("GET", "providers/b");
  assert.deepEqual([removed.state, removed.type], ["removed", "twilio"]);
  assert.deepEqual(await call("POST", "providers/b/resume"), {
    wasPaused: true,
  });
  const resumed = await call("POST", "providers/a/resume");
  assert.deepEqual([resumed.wasPaused, resumed.provider.state], [false, "ok"]);
});

test("shows where a carrier is told to call, and nothing where it is not", async (t) => {
  const own = "https://in.example.com/receivers/hush/own/";
  const providers = [
    twilio("a"),
    twilio("own", { callbackUrl: own }),
    ats,
    "null",
  ];
  const seen = async (flags: object) => {
    await using world = await setUp(t, { providers }, { ...flags });
    const all: Body[] = [];
    for (const name of ["a", "own", "ats", "null"]) {
      const { callbacks, reports } = await world.call(
        "GET",
        `providers/${name}`,
      );
      const path = `providers/${name}/reveal`;
      const revealed = await world.call("POST", path);
      all.push({
        how: reports.callbacks,
        isAsked: reports.askedAfterMs !== undefined,
        masked: callbacks[0]?.url,
        revealed: revealed.callbacks[0]?.url.replace(
          /(?<=\/receivers\/)[\w-]{20,}/,
          "secret",
        ),
      });
    }
    return all;
  };
  const ownUrls = {
    how: "known",
    masked: "https://in.example.com/***/status",
    revealed: "https://in.example.com/receivers/hush/own/status",
  };
  const [a, mine, polled, nothing] = await seen({ publicUrl });
  assert.deepEqual(a, {
    how: "known",
    isAsked: true,
    masked: `${publicUrl}/receivers/***/a/status`,
    revealed: `${publicUrl}/receivers/secret/a/status`,
  });
  assert.deepEqual(mine, { ...ownUrls, isAsked: true });
  assert.deepEqual(polled, {
    how: "known",
    isAsked: true,
    masked: `${publicUrl}/receivers/***/ats/im`,
    revealed: `${publicUrl}/receivers/secret/ats/im`,
  });
  const none = { masked: undefined, revealed: undefined };
  assert.deepEqual(nothing, { how: "none", isAsked: false, ...none });
  const unknown = { how: "unknown", isAsked: true, ...none };
  assert.deepEqual(await seen({}), [
    unknown,
    { ...ownUrls, isAsked: true },
    unknown,
    { how: "none", isAsked: false, ...none },
  ]);
});

test("shows settings that are not secret as they are", async (t) => {
  await using world = await setUp(t, { providers: [ats] });
  const { settings } = await world.call("GET", "providers/ats");
  assert.deepEqual(settings, { ...ats, username: "***", password: "***" });
});

test("explains a text as it would be sent now: who is paused, whose sender, what holds it", async (t) => {
  await using carrier = await startFakeTwilio({
    accountSid,
    authToken: "hush",
  });
  const { baseUrl } = carrier;
  const providers = [twilio("a"), twilio("b", { baseUrl, from: "SHOP" })];
  const policy = {
    currency: "EUR",
    providers: { b: { costPerSegment: 0.1 } },
    rules: [{ name: "all", use: "a || b" }],
  };
  const guard = { projectPerHour: 1, spendPerDay: 1 };
  await using world = await setUp(t, { providers, policy, guard });
  const { call } = world;
  const explain = async (more: object = {}) =>
    await call("POST", "sms/explain", {
      recipient: phone,
      text: "hi",
      ...more,
    });
  await call("POST", "providers/a/pause", {});
  const first = await explain();
  assert.deepEqual([first.provider, first.problems], ["b", []]);
  assert.deepEqual(
    first.candidates.map((it: Body) => [it.provider, it.sender, it.paused]),
    [
      ["a", "+15005550006", true],
      ["b", "SHOP", false],
    ],
  );
  const named = await explain({ sender: "ACMENEWS" });
  assert.equal(named.candidates[1].sender, "ACMENEWS");
  const premium = await explain({ recipient: "+499001234567" });
  assert.match(premium.problems.join(), /sms\.guard\.allowPremium/);
  const risky = await explain({ recipient: "+994501234567" });
  assert.match(risky.problems.join(), /AZ is on the list/);
  // It counted nothing: the one text that is allowed is still to come.
  await call("POST", "providers/b/test", { recipient: phone });
  while (carrier.texts.length < 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const held = await explain({ recipient: "+4915112345679" });
  assert.match(held.problems.join(), /sms\.guard\.projectPerHour allows 1/);
  const { held: counted, currency } = await call("GET", "guards");
  assert.deepEqual([counted, currency], [[], "EUR"]);
  await world.reload({
    providers,
    policy: { ...policy, currency: "CZK" },
    guard,
  });
  assert.equal((await call("GET", "guards")).currency, "CZK");
});

test("shows numbers whose texts were held with their countries", async (t) => {
  const providers = [twilio("a")];
  const guard = { countries: ["DE"] };
  await using world = await setUp(t, { providers, guard });
  const { call } = world;
  const { messageId } = await call("POST", "providers/a/test", {
    recipient: "+420777123456",
  });
  let report: Body = { topNumbers: [] };
  while (report.topNumbers.length === 0) report = await call("GET", "guards");
  const { topNumbers, topPrefixes } = report;
  assert.deepEqual(
    [...topNumbers, ...topPrefixes],
    [
      { number: "+42***456", country: "CZ", count: 1 },
      { number: "+42***123…", country: "CZ", count: 1 },
    ],
  );
  let delivery: Body;
  while (delivery?.state !== "suppressed") {
    const path = `messages/${messageId}/deliveries`;
    [delivery] = (await call("GET", path)).deliveries;
  }
  const { attempts, attemptCount, firstAttemptAt, errorClass } = delivery;
  assert.deepEqual(
    [attemptCount, firstAttemptAt, errorClass, attempts.length],
    [0, undefined, "guard", 1],
  );
  assert.equal(attempts[0].number, undefined);
});
