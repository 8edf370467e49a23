/** SMS providers of a server that runs: pausing, testing, changing, secrets. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { type ProviderType, providerTypes } from "@carillon/gateway";
import {
  type FakeTwilioOptions,
  startFakeTwilio,
} from "@carillon/testing/fake-carriers/twilio";
import { call, notifications, request } from "./harness/api.ts";
import {
  CarillonProcess,
  type CarillonProcessOptions,
} from "./harness/carillon-process.ts";
import { rowsOf, runCommand } from "./harness/command.ts";
import { findFreePort } from "./harness/free-port.ts";
import { until, untilCounted } from "./harness/until.ts";

const accountSid = `AC${"0".repeat(31)}1`;
const authToken = "hush-auth-token";
const phone = "+4915112345678";

// biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
type Body = any;

async function folderOf(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-providers-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

async function startTwilio(
  t: TestContext,
  answer?: FakeTwilioOptions["answer"],
) {
  const twilio = await startFakeTwilio({
    accountSid,
    authToken,
    ...(answer && { answer }),
  });
  t.after(() => twilio[Symbol.asyncDispose]());
  const entry = {
    type: "twilio",
    name: "us",
    accountSid,
    authToken,
    from: "+15005550006",
    baseUrl: twilio.baseUrl,
  };
  return { twilio, entry };
}

/** A server on a port that it can be started again on. */
async function setUp(t: TestContext, options: Partial<CarillonProcessOptions>) {
  const folder = await folderOf(t);
  const port = await findFreePort();
  const url = `http://127.0.0.1:${port}`;
  const data = join(folder, "data");
  let server: CarillonProcess | undefined;
  const start = async () => {
    server = await CarillonProcess.start({
      data,
      port,
      ...options,
      args: ["--public-url", url, ...(options.args ?? [])],
    });
    return server;
  };
  t.after(() => server?.kill());
  const carillon = async (...words: string[]) => {
    const run = await runCommand([...words, "--data", data, "-o", "json"]);
    assert.equal(run.code, 0, `${words.join(" ")}: ${run.stderr}`);
    return rowsOf(run) as Body[];
  };
  const send = async (text: string): Promise<string> => {
    const body = { endpoint: phone, message: text };
    const path = `${notifications}/sms`;
    return ((await call({ url }, "POST", path, body)) as Body).message_id;
  };
  const deliveryOf = async (messageId: string): Promise<Body> => {
    const path = `/api/v2/messages/${messageId}/deliveries`;
    const { deliveries } = (await call({ url }, "GET", path)) as Body;
    return deliveries[0];
  };
  return { folder, data, url, start, carillon, send, deliveryOf };
}

test("is set up by the environment alone, tested, and shown", async (t) => {
  const { twilio, entry } = await startTwilio(t, ({ To }) =>
    To?.endsWith("1")
      ? { status: 400, body: { code: 21610, message: "stopped" } }
      : undefined,
  );
  const secrets = await folderOf(t);
  const file = join(secrets, "token");
  await writeFile(file, `${authToken}\n`);
  const providers = [{ ...entry, authToken: { file } }, "null"];
  const env = { CARILLON_SMS_PROVIDERS: JSON.stringify(providers) };
  const { url, data, start, carillon } = await setUp(t, { env });
  const server = await start();

  const [tested] = await carillon("providers", "test", "us", phone);
  assert.equal(tested.provider, "us");
  // Its receipts came to the address that nobody had to configure.
  await until(
    async () =>
      (await carillon("providers", "show", "us"))[0].receipts.final === 1,
    "no final receipt",
  );
  assert.equal(twilio.texts[0]?.fields.To, phone);
  const failed = await runCommand([
    ...["providers", "test", "us", "+4915112345671", "--text", "Stop"],
    ...["--data", data, "-o", "json"],
  ]);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /test of us failed/);

  const [shown] = await carillon("providers", "show", "us");
  assert.equal(shown.state, "ok");
  assert.deepEqual(shown.balance.amount, 12.5);
  assert.deepEqual(shown.lastHour, {
    attempts: 2,
    accepted: 1,
    failed: 1,
    unknown: 0,
  });
  const [error] = shown.errors;
  assert.deepEqual(
    [error.code, error.errorClass, error.count, error.meaning],
    [
      "21610",
      "RequestError",
      1,
      "The recipient opted out of texts from this sender.",
    ],
  );
  assert.equal(shown.callbacks[0].url, `${url}/receivers/***/us/status`);
  const [revealed] = await carillon("providers", "show", "us", "--reveal");
  const credentials = await readFile(join(data, "credentials.json"), "utf8");
  const { receiverSecret } = JSON.parse(credentials);
  assert.equal(
    revealed.callbacks[0].url,
    `${url}/receivers/${receiverSecret}/us/status`,
  );
  const listed = await carillon("providers", "list", "--balance");
  assert.deepEqual(
    listed.map(({ name, isDefault, balance }) => [
      name,
      isDefault,
      balance?.currency,
    ]),
    [
      ["us", true, "USD"],
      ["null", false, undefined],
    ],
  );
  const entries = await carillon("audit", "list");
  const actions = entries.map(({ action }) => action);
  assert.equal(actions.filter((it) => it === "provider.test").length, 2);
  assert.ok(actions.includes("provider.reveal"));
  assert.ok(!JSON.stringify(entries).includes(phone.slice(1)));
  assert.ok(!server.stderr.includes(receiverSecret));
  const missing = await request({ url }, "POST", "/api/v2/providers/x/pause");
  assert.deepEqual(
    [missing.status, missing.body.code],
    [404, "PROVIDER_NOT_FOUND"],
  );
});

test("a pause keeps texts from a provider, over a restart, until it ends", async (t) => {
  const { twilio, entry } = await startTwilio(t);
  const env = { CARILLON_SMS_PROVIDERS: JSON.stringify([entry]) };
  const { url, start, carillon, send, deliveryOf } = await setUp(t, { env });
  const first = await start();
  const early = await send("before");
  await until(
    async () => (await deliveryOf(early)).state === "delivered",
    "not delivered",
  );
  await carillon("providers", "pause", "us", "--reason", "too dear");
  const texts = await Promise.all(
    Array.from({ length: 20 }, (_, n) => send(`text ${n}`)),
  );
  await until(async () => {
    const all = await Promise.all(texts.map(deliveryOf));
    return all.every((it) => it.waitReason === "paused");
  }, "not all wait");
  // A receipt of before still counts, and a text from a phone.
  const [{ callbacks }] = await carillon("providers", "show", "us", "--reveal");
  const { url: inbound } = callbacks.find(({ url }: Body) =>
    url.endsWith("/im"),
  );
  const fields = {
    MessageSid: `SM${"b".repeat(32)}`,
    From: phone,
    To: "+15005550006",
    Body: "Hello",
  };
  assert.equal(await twilio.handOver(inbound, fields), 200);
  const tested = await request({ url }, "POST", "/api/v2/providers/us/test", {
    recipient: phone,
  });
  assert.deepEqual([tested.status, tested.body.code], [409, "PROVIDER_PAUSED"]);

  await first.kill();
  await start();
  const [paused] = await carillon("providers", "list");
  assert.equal(paused.state, "paused");
  assert.equal(paused.pause.reason, "too dear");
  assert.equal(twilio.texts.length, 1);
  await carillon("providers", "resume", "us");
  await until(async () => {
    const all = await Promise.all(texts.map(deliveryOf));
    return all.every((it) => it.state === "delivered");
  }, "not all delivered");
  const bodies = twilio.texts.map(({ fields }) => fields.Body);
  assert.equal(bodies.length, 21);
  assert.equal(new Set(bodies).size, 21);
});

test("providers are added, changed and removed while texts are under way", async (t) => {
  const { twilio, entry } = await startTwilio(t);
  const folder = await folderOf(t);
  const file = join(folder, "carillon.json");
  const write = (providers: readonly unknown[]) =>
    writeFile(file, JSON.stringify({ sms: { providers } }));
  const us = { ...entry, from: "+15005550006" };
  const eu = { ...entry, name: "eu", from: "+15005550007" };
  await write([us]);
  const args = ["--config", file];
  // All texts go to one phone.
  const env = { CARILLON_SMS_GUARD_NUMBER_PER_HOUR: "0" };
  const { start, carillon, send, deliveryOf } = await setUp(t, { args, env });
  await start();

  const lists = [
    [us, eu],
    [{ ...us, from: "+15005550008" }, eu],
    [eu],
    [eu, us],
    [us],
  ];
  const texts: string[] = [];
  for (const [round, providers] of lists.entries()) {
    const sending = Array.from({ length: 40 }, (_, n) =>
      send(`text ${round}/${n}`),
    );
    await write(providers);
    await carillon("config", "reload");
    texts.push(...(await Promise.all(sending)));
  }
  await untilCounted(
    () => twilio.texts.length,
    texts.length,
    "not all texts arrived",
  );
  const states = await Promise.all(
    texts.map(async (id) => (await deliveryOf(id)).state),
  );
  // A receipt of a provider that is removed comes to nobody.
  for (const state of states) assert.match(state, /^(sent|delivered)$/);
  const bodies = twilio.texts.map(({ fields }) => fields.Body);
  assert.equal(new Set(bodies).size, texts.length);
  assert.equal(bodies.length, texts.length);
});

/** What is shown as it is. */
const open = { from: "ACME", keyword: "ACME", textid: "T1" };

/** Settings with the marker wherever a text may be anything, but what is open. */
function settingsOf(
  { type, schema = {} }: ProviderType,
  marker: string,
  known: Body = {},
) {
  const exampleOf = (schema: Readonly<Record<string, unknown>>): unknown => {
    const { enum: values, pattern, properties = {} } = schema as Body;
    if (values) return values[0];
    switch (schema.type) {
      case "string":
        if (pattern === undefined) return marker;
        return String(pattern).startsWith("^https?")
          ? `http://app:${marker}@127.0.0.1:9/`
          : undefined;
      case "integer":
      case "number":
        return (schema.minimum as number | undefined) ?? 1;
      case "boolean":
        return true;
      case "object":
        return Object.fromEntries(
          Object.entries<Body>(properties).map(([key, inner]) => [
            key,
            exampleOf(inner),
          ]),
        );
      default:
        return undefined;
    }
  };
  const values = Object.entries(schema).map(([key, field]) => {
    const value =
      known[key] ?? open[key as keyof typeof open] ?? exampleOf(field.schema);
    assert.ok(
      value !== undefined || field.isOptional,
      `No value of ${type}'s ${key} is known: write its settings down in this test.`,
    );
    return [key, value];
  });
  return Object.fromEntries(values.filter(([, value]) => value !== undefined));
}

test("shows no secret of any type of provider, whatever goes wrong", async (t) => {
  const marker = "hush7f3a";
  const { entry } = await startTwilio(t);
  const settingsByType: Readonly<Record<string, object>> = {
    "forward-client": {
      serverUrl: `http://app:${marker}@127.0.0.1:9/sms`,
      auth: { user: "app", pass: marker },
      secret: marker,
    },
    "forward-server": {
      clients: [`http://app:${marker}@127.0.0.1:9/sms`],
      auth: { user: "app", pass: marker },
      secret: marker,
    },
    twilio: {
      ...entry,
      authToken: marker,
      apiKey: { sid: marker, secret: marker },
      callbackUrl: `http://127.0.0.1:9/receivers/${marker}/twilio`,
    },
    "clickatell-http": { apiId: "123" },
    "aws-sns": { region: "eu-central-1" },
    telerivet: { projectId: "PJ1" },
    http: {
      page: {
        title: "Acme",
        settings: { key: { expected: "the key" } },
        baseUrl: "https://sms.acme.example",
        send: {
          path: "/{settings.key}",
          form: { to: "{to}", text: "{text}", key: "{settings.key}" },
        },
        answer: { format: "json", id: "id" },
      },
      settings: { key: marker },
    },
  };
  const providers = providerTypes
    .filter(({ schema }) => schema !== undefined)
    .sort((a, b) => Number(b.canSend ?? true) - Number(a.canSend ?? true))
    .map((it) => ({
      ...settingsOf(it, marker, settingsByType[it.type]),
      type: it.type,
      name: `a-${it.type}`.slice(0, 32),
    }));
  assert.ok(providers.length >= 3);
  const folder = await folderOf(t);
  const file = join(folder, "carillon.json");
  const logFile = join(folder, "log");
  const write = (list: readonly unknown[]) =>
    writeFile(file, JSON.stringify({ sms: { providers: list } }));
  await write(providers);
  const args = ["--config", file, "--log-level", "debug"];
  const { url, data, start, send, deliveryOf } = await setUp(t, {
    args,
    logFile,
  });
  await start();
  const said: string[] = [];
  const say = async (...words: string[]) => {
    const { stdout, stderr } = await runCommand(words);
    said.push(stdout, stderr);
  };
  // Fails: whatever is said of it stands in the ledger.
  const id = await send("hello");
  await until(
    async () => (await deliveryOf(id)).attempts.length > 0,
    "no attempt",
  );
  said.push(JSON.stringify(await deliveryOf(id)));
  for (const { name } of providers) {
    for (const output of ["table", "json"]) {
      await say("providers", "show", name, "--data", data, "-o", output);
    }
    const test = `/api/v2/providers/${name}/test`;
    const { body } = await request({ url }, "POST", test, {
      recipient: phone,
    });
    const { messageId } = body as Body;
    await until(async () => {
      const delivery = await deliveryOf(messageId);
      said.push(JSON.stringify(delivery));
      return delivery.attempts.length > 0;
    }, `no attempt of ${name}`);
  }
  await say("providers", "list", "--balance", "--data", data);
  await say("config", "show", "--config", file);
  await say("config", "check", "--config", file);
  await say("doctor", "--data", data, "--config", file);
  await write([
    ...providers,
    { type: "twilio", name: "broken", accountSid: marker, apiKey: marker },
  ]);
  await say("config", "reload", "--data", data);
  await say("config", "show", "--config", file);
  await say("config", "check", "--config", file);
  await say("serve", "--config", file, "--data", join(folder, "other"));
  await writeFile(file, `{"sms": {"providers": [{"authToken": "${marker}" `);
  await say("config", "reload", "--data", data);
  const log = await readFile(logFile, "utf8");
  assert.match(log, /config_not_reloaded/);
  assert.ok(said.join("").includes("mistake"), said.join("\n"));
  for (const text of [...said, log]) {
    const at = text.indexOf(marker);
    assert.equal(at, -1, text.slice(Math.max(0, at - 300), at + 20));
  }
});
