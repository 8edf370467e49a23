/** The guard with its counts in a store, and at its place in the service. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { CounterStore } from "@carillon/core";
import {
  defaultGuardRules,
  type GuardRules,
  highRiskCountries,
} from "@carillon/gateway";
import { openSqliteStore } from "@carillon/storage";
import { ManualClock, MemoryStore, RecordingLogger } from "@carillon/testing";
import { startFakeTwilio } from "@carillon/testing/fake-carriers/twilio";
import { loadConfig } from "./config.ts";
import { createKeyedHash } from "./keyed-hash.ts";
import { serve } from "./serve.ts";
import { createSmsGuard } from "./sms-guard.ts";

const hash = createKeyedHash(new Uint8Array(32).fill(7), "sms-guard");

function createGuard(
  store: Pick<CounterStore, "changeCounters" | "readCounters">,
  clock: ManualClock,
  rules: Partial<GuardRules>,
) {
  const logger = new RecordingLogger();
  const ports = { store, hash, clock, logger };
  const settings = { ...defaultGuardRules, sequenceLength: 0, ...rules };
  return { ...createSmsGuard(ports, settings), logger };
}

function text(digits = "4915112345678") {
  return { digits, messageClass: null, project: "a".repeat(32) };
}

test("counts for all nodes of a store, and shows no number in it or in the log", async () => {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  const keys: string[] = [];
  const spied: Pick<CounterStore, "changeCounters" | "readCounters"> = {
    readCounters: (...args) => store.readCounters(...args),
    changeCounters(rule, change) {
      keys.push(...change.added.map(({ key }) => key));
      return store.changeCounters(rule, change);
    },
  };
  const one = createGuard(spied, clock, { numberPerHour: 2 });
  const other = createGuard(store, clock, { numberPerHour: 2 });
  assert.equal(await one.guard.check(text()), undefined);
  assert.equal(await other.guard.check(text()), undefined);
  const hold = await one.guard.check(text());
  assert.equal(hold?.reason, "number_limit");
  assert.match(hold.error, /sms\.guard\.numberPerHour allows 2 texts/);
  assert.ok(keys.length > 0);
  assert.ok(keys.every((key) => /^[A-Za-z]+-[A-Za-z0-9_-]{43}$/.test(key)));
  assert.deepEqual(one.held.counts(), [{ reason: "number_limit", count: 1 }]);
  assert.ok(!JSON.stringify(one.logger.lines).includes("15112345678"));
  const { held } = await other.guard.summary();
  assert.deepEqual(held, { number_limit: 1 });
});

test("takes few transactions for a thousand texts that come together", async () => {
  const clock = new ManualClock();
  const store = new MemoryStore({ clock });
  let changes = 0;
  const { guard } = createGuard(
    {
      readCounters: (...args) => store.readCounters(...args),
      changeCounters(...args) {
        changes++;
        return store.changeCounters(...args);
      },
    },
    clock,
    { projectPerHour: 990 },
  );
  const holds = await Promise.all(
    Array.from({ length: 1000 }, (_, n) =>
      guard.check(text(String(4915100000000 + 7919 * n))),
    ),
  );
  assert.equal(holds.filter((hold) => hold !== undefined).length, 10);
  assert.ok(changes <= 5, `${changes} transactions`);
});

test("knows premium numbers of each country by the library", async () => {
  const clock = new ManualClock();
  const { guard } = createGuard(new MemoryStore({ clock }), clock, {});
  const reasonOf = async (digits: string) =>
    (await guard.check(text(digits)))?.reason;
  assert.equal(await reasonOf("449098790000"), "premium_number");
  assert.equal(await reasonOf("499001123456"), "premium_number");
  assert.equal(await reasonOf("447700900123"), undefined);
  assert.equal(await reasonOf("4990012345678"), "premium_number");
  assert.equal(await reasonOf("491371234567"), "premium_number");
  assert.equal(await reasonOf("420777123"), "invalid_number");
});

test("keeps what was counted over a restart", async (t) => {
  const folder = await temporaryFolder(t);
  const clock = new ManualClock();
  const reasons: unknown[] = [];
  for (let start = 0; start < 2; start++) {
    await using store = await openSqliteStore({ folder, clock });
    const { guard } = createGuard(store, clock, { numberPerHour: 1 });
    reasons.push((await guard.check(text()))?.reason);
  }
  assert.deepEqual(reasons, [undefined, "number_limit"]);
});

test("takes its rules from the configuration, and names every mistake", () => {
  const { guard } = loadConfig({
    env: {
      CARILLON_SMS_GUARD_COUNTRIES: "DE,AT",
      CARILLON_SMS_GUARD_NUMBER_PER_HOUR: "5",
    },
  }).sms;
  assert.deepEqual(guard, {
    ...defaultGuardRules,
    countries: ["DE", "AT"],
    numberPerHour: 5,
  });
  assert.throws(
    () =>
      loadConfig({
        env: {
          CARILLON_SMS_GUARD_COUNTRIES: "de",
          CARILLON_SMS_GUARD_DENIED_COUNTRIES: "*",
          CARILLON_SMS_GUARD_OTP_PER_HOUR: "-1",
          CARILLON_SMS_MAX_SEGMENTS: "0",
          CARILLON_SMS_GUARD_SPEND_PER_DAY: "0.00001",
        },
      }),
    (error: Error) => {
      assert.match(error.message, /COUNTRIES: .*got "de"; did you mean DE\?/);
      assert.match(error.message, /DENIED_COUNTRIES: expected ISO 3166 codes/);
      assert.match(error.message, /OTP_PER_HOUR: expected a whole number/);
      assert.match(error.message, /MAX_SEGMENTS: expected a whole number/);
      assert.match(error.message, /SPEND_PER_DAY: .*four decimals at most/);
      return true;
    },
  );
});

test("holds texts before the carrier has them, says why, and lets them go when the rules change", async (t) => {
  const accountSid = `AC${"0".repeat(32)}`;
  await using twilio = await startFakeTwilio({ accountSid, authToken: "hush" });
  const folder = await temporaryFolder(t);
  const file = join(folder, "carillon.json");
  const policyFile = join(folder, "policy.json");
  const policy = {
    currency: "EUR",
    providers: { carrier: { costPerSegment: 0.1 } },
    rules: [{ name: "all", use: "carrier" }],
  };
  await writeFile(policyFile, JSON.stringify(policy));
  const write = (guard: object) =>
    writeFile(
      file,
      JSON.stringify({
        sms: {
          policyFile,
          maxSegments: 3,
          guard: { spendPerDay: 100, ...guard },
          providers: [
            {
              type: "twilio",
              name: "carrier",
              accountSid,
              authToken: "hush",
              from: "+15005550006",
              baseUrl: twilio.baseUrl,
            },
          ],
        },
      }),
    );
  const flags = {
    data: join(folder, "data"),
    port: 0,
    allowTargets: ["127.0.0.0/8"],
  };
  const readConfig = () => loadConfig({ file, flags });
  await write({ numberPerHour: 2 });
  await using carillon = await serve(readConfig(), { readConfig });
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
    // biome-ignore lint/suspicious/noExplicitAny: the test looks into it
    return { status: response.status, body: (await response.json()) as any };
  };
  const send = async (endpoint: string, content = "hi") => {
    const audience = {
      kind: "direct",
      recipients: [{ protocol: "sms", endpoint }],
    };
    const sent = await call("POST", "messages", { audience, text: content });
    assert.equal(sent.status, 201, JSON.stringify(sent.body));
    return sent.body.id as string;
  };
  const settled = async (id: string) => {
    for (;;) {
      const { body } = await call("GET", `messages/${id}/deliveries`);
      const [delivery] = body.deliveries;
      const isOpen = ["waiting", "sending", "retrying"];
      if (delivery && !isOpen.includes(delivery.state)) return delivery;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };

  const phone = "+4915112345678";
  const states: unknown[] = [];
  for (let n = 0; n < 2; n++)
    states.push((await settled(await send(phone))).state);
  assert.deepEqual(states, ["sent", "sent"]);
  const heldId = await send(phone);
  const held = await settled(heldId);
  assert.equal(held.state, "suppressed");
  assert.equal(held.attempts.at(-1)?.errorClass, "guard");
  assert.match(
    held.attempts.at(-1)?.error,
    /sms\.guard\.numberPerHour allows 2/,
  );
  assert.equal(
    (await settled(await send("+994501234567"))).state,
    "suppressed",
  );
  assert.equal(twilio.texts.length, 2);

  const long = await call("POST", "messages", {
    audience: {
      kind: "direct",
      recipients: [{ protocol: "sms", endpoint: phone }],
    },
    text: "x".repeat(460),
  });
  assert.deepEqual(
    [long.status, long.body.code, long.body.detail],
    [
      400,
      "MESSAGE_INVALID",
      "Invalid message: the text for sms takes 4 segments; sms.maxSegments allows 3.",
    ],
  );

  const { status, body } = await call("GET", "guards");
  assert.equal(status, 200);
  assert.equal(body.rules.numberPerHour, 2);
  assert.deepEqual(
    body.held.toSorted((a: { reason: string }, b: { reason: string }) =>
      a.reason.localeCompare(b.reason),
    ),
    [
      { reason: "high_risk_country", count: 1 },
      { reason: "number_limit", count: 1 },
    ],
  );
  assert.ok(
    body.topNumbers.some((it: object) =>
      JSON.stringify(it).includes('"+49***678"'),
    ),
  );
  assert.deepEqual(
    [body.spend[0].amount, body.spend[0].limit, body.currency],
    [0.2, 100, "EUR"],
  );
  const metrics = await (await fetch(`${url}/metrics`)).text();
  assert.match(metrics, /carillon_sms_held_total\{reason="number_limit"\} 1/);

  await write({ numberPerHour: 3 });
  assert.deepEqual(carillon.reload().applied, ["sms.guard.numberPerHour"]);
  const resent = await call("POST", `deliveries/${held.id}/resend`, {});
  assert.ok(resent.status < 300, JSON.stringify(resent.body));
  assert.equal((await settled(heldId)).state, "sent");
  assert.equal(twilio.texts.length, 3);
});

test("the guide lists each country with a high risk, under its reason", async () => {
  const path = join(import.meta.dirname, "../../../docs/guides/sms-guards.md");
  const page = await readFile(path, "utf8");
  const listed: Record<string, string> = {};
  for (const [, why = "", row = ""] of page.matchAll(
    /^\| `(\w+)`: [^|]*\|(.*)\|$/gm,
  )) {
    for (const [code] of row.matchAll(/\b[A-Z]{2}\b/g)) listed[code] = why;
  }
  assert.deepEqual(listed, highRiskCountries);
});

async function temporaryFolder(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-guard-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}
