/** The route of texts through the real program: set, explained, changed. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { call, sendSms } from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { runCommand } from "./harness/command.ts";
import { until } from "./harness/until.ts";

const phone = "+420777123456";

async function setUp(t: TestContext) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-routing-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, "carillon.json");
  const policyFile = join(folder, "policy.json");
  const write = (sms: object) => writeFile(file, JSON.stringify({ sms }));
  const writePolicy = (policy: object) =>
    writeFile(policyFile, JSON.stringify(policy));
  const data = join(folder, "data");
  const start = () => CarillonProcess.start({ data, args: ["--config", file] });
  const run = (...args: string[]) => runCommand([...args, "--data", data]);
  return { file, data, write, writePolicy, start, run };
}

async function providerOf(
  server: CarillonProcess,
  text: string,
): Promise<unknown> {
  const id = await sendSms(server, phone, text);
  let provider: unknown;
  await until(
    async () => {
      const path = `/api/v2/messages/${id}/deliveries`;
      const { deliveries } = (await call(server, "GET", path)) as {
        deliveries: readonly { readonly provider?: string }[];
      };
      provider = deliveries[0]?.provider;
      return provider !== undefined;
    },
    () => `no provider of ${text}`,
  );
  return provider;
}

test("a route is set, explained, and changed with policy and providers while the server runs", async (t) => {
  const { write, writePolicy, start, run } = await setUp(t);
  await write({ providers: ["log", "null"], route: "null || log" });
  await using server = await start();
  assert.equal(await providerOf(server, "one"), "null");

  await writePolicy({
    currency: "EUR",
    providers: { loopback: { costPerSegment: 0.04 } },
    rules: [
      { name: "codes", when: { class: ["otp"] }, use: "loopback || log" },
      { name: "acme", when: { sender: ["ACME"] }, use: "log" },
    ],
  });
  const settings = {
    providers: ["log", "loopback"],
    // From the file's own folder.
    policyFile: "policy.json",
    route: "log",
  };
  await write(settings);
  const reloaded = JSON.parse((await run("config", "reload")).stdout);
  assert.deepEqual(reloaded, {
    applied: ["sms.providers", "sms.route", "sms.policyFile"],
    needsRestart: [],
  });
  assert.equal(await providerOf(server, "two"), "log");

  const explain = async (...args: string[]) => {
    const { code, stdout, stderr } = await run(
      "sms",
      "explain",
      phone,
      ...args,
    );
    assert.equal(code, 0, stderr);
    return stdout;
  };
  const code = JSON.parse(await explain("Kód 1", "--class", "otp"));
  assert.deepEqual(
    [code.provider, code.rule, code.segments, code.estimatedCost],
    ["loopback", "codes", 1, { amount: 0.04, currency: "EUR" }],
  );
  const acme = JSON.parse(await explain("hi", "--sender", "Acme"));
  assert.deepEqual([acme.provider, acme.rule], ["log", "acme"]);
  const table = await explain("hi", "-o", "table");
  assert.match(table, /^provider: log\nbecause: rule "sms\.route" matched/);
  assert.match(table, /codes +no +the class is not set, not otp/);
  // Nothing was sent by that, nor by asking for help.
  const help = await run("sms", "send", phone, "text", "--help");
  assert.match(help.stdout, /Usage: carillon sms send/);
  const { messages } = await call(server, "GET", "/api/v2/messages");
  assert.equal((messages as readonly unknown[]).length, 2);

  // What the file says has changed, not its name.
  await writePolicy({ rules: [{ name: "all", use: "loopback" }] });
  assert.deepEqual(JSON.parse((await run("config", "reload")).stdout).applied, [
    "sms.policyFile",
  ]);
  assert.equal(await providerOf(server, "three"), "loopback");

  for (const [policy, sms, expected] of [
    [
      { rules: [{ name: "x", use: "loopback | log" }] },
      settings,
      /a single "\|"/,
    ],
    [
      { rules: [{ name: "x", use: "loopback" }] },
      { ...settings, providers: ["log"] },
      /"loopback" in rule "x"; there are log/,
    ],
    [
      { rules: [{ name: "x", use: "log" }] },
      { ...settings, route: "twilio" },
      /is called twilio; there are log, loopback/,
    ],
  ] as const) {
    await writePolicy(policy);
    await write(sms);
    const refused = await run("config", "reload");
    assert.equal(refused.code, 2);
    assert.match(refused.stderr.replace(/\s+/g, " "), expected);
    assert.equal(await providerOf(server, "four"), "loopback");
  }
});

test("a route that is wrong ends the start, and says where", async (t) => {
  const { file, data } = await setUp(t);
  await writeFile(file, "{}");
  for (const [route, expected] of [
    [
      "log && && null",
      /--sms-route: expected the name of a provider after "&&", found "&&"/,
    ],
    [
      "log || ats",
      /--sms-route: no provider that sends is called ats; there are log/,
    ],
  ] as const) {
    const { code, stderr } = await runCommand([
      ...["serve", "--port", "0", "--config", file, "--data", data],
      ...["--sms-route", route],
    ]);
    assert.equal(code, 2);
    assert.match(JSON.parse(stderr).message, expected);
  }
});
