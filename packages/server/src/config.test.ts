import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { test } from "node:test";
import {
  type Config,
  type ConfigSources,
  loadConfig,
  resolveConfig,
} from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { listConfigKeys } from "./config-schema.ts";
import { shownValue } from "./config-settings.ts";
import { serve } from "./serve.ts";

test("fills in every default", () => {
  const config = loadConfig();
  assert.equal(config.host, "127.0.0.1");
  assert.equal(config.port, 7070);
  assert.equal(config.data, resolve("carillon-data"));
  assert.equal(config.region, "local");
  assert.equal(config.sandbox, false);
  assert.equal(config.publicUrl, undefined);
  assert.deepEqual(config.allowTargets, []);
  assert.deepEqual(config.sms.providers, ["log"]);
  assert.equal(config.httpTimeoutMs, 5000);
});

test("a flag goes over the environment, that over the file", (t) => {
  const file = fileWith(t, '{ "port": 1, "host": "::1", "region": "eu" }');
  const config = loadConfig({
    flags: { port: "3", config: file },
    env: {
      CARILLON_PORT: "2",
      CARILLON_HOST: "0.0.0.0",
      CARILLON_PUBLIC_URL: "https://notify.example.com",
    },
  });
  assert.equal(config.port, 3);
  assert.equal(config.host, "0.0.0.0");
  assert.equal(config.region, "eu");
});

test("takes values of their own type where the program is embedded", () => {
  const config = loadConfig({
    flags: { port: 0, sandbox: true, allowTargets: ["10.0.0.0/8"] },
  });
  assert.equal(config.port, 0);
  assert.deepEqual(config.allowTargets, [
    "10.0.0.0/8",
    "127.0.0.0/8",
    "::1/128",
  ]);
});

test("is frozen to the ground", () => {
  const config = loadConfig();
  assert.throws(() => Object.assign(config, { port: 1 }), TypeError);
  assert.throws(() => Object.assign(config.sms, { providers: [] }), TypeError);
  assert.ok(Object.isFrozen(config.allowTargets));
});

test("reads lists separated by commas, and flags given twice", () => {
  assert.deepEqual(
    loadConfig({ env: { CARILLON_ALLOW_TARGETS: "10.0.0.0/8, fd00::/8," } })
      .allowTargets,
    ["10.0.0.0/8", "fd00::/8"],
  );
  assert.deepEqual(
    loadConfig({ flags: { smsProviders: ["loopback", "log"] } }).sms.providers,
    ["loopback", "log"],
  );
});

test("reads the usual spellings of true and false", () => {
  for (const word of ["true", "1", "yes", "ON"]) {
    assert.equal(loadConfig({ env: { CARILLON_SANDBOX: word } }).sandbox, true);
  }
  for (const word of ["false", "0", "no", "off"]) {
    assert.equal(
      loadConfig({ env: { CARILLON_SANDBOX: word } }).sandbox,
      false,
    );
  }
});

test("takes an empty variable for an unset one", () => {
  const config = loadConfig({
    env: { CARILLON_PORT: "", CARILLON_CONFIG: "" },
  });
  assert.equal(config.port, 7070);
});

test("cuts the slash off the public URL", () => {
  const env = { CARILLON_PUBLIC_URL: "https://notify.example.com/n/" };
  assert.equal(loadConfig({ env }).publicUrl, "https://notify.example.com/n");
});

test("reads sections, comments and trailing commas in the file", (t) => {
  const file = fileWith(
    t,
    `{
      // Texts go nowhere.
      "sms": { "providers": ["null",], },
      /* A URL holds what looks
         like a comment. */
      "publicUrl": "https://notify.example.com",
    }`,
  );
  const config = loadConfig({ file });
  assert.deepEqual(config.sms.providers, ["null"]);
  assert.equal(config.publicUrl, "https://notify.example.com");
});

test("a relative data folder starts where it was said", (t) => {
  const file = fileWith(t, '{ "data": "state" }');
  assert.equal(loadConfig({ file }).data, resolve(file, "../state"));
  assert.equal(
    loadConfig({ file, flags: { data: "state" } }).data,
    resolve("state"),
  );
});

test("so does the file of the secret key, which has no default", (t) => {
  const file = fileWith(t, '{ "secretKeyFile": "a.key" }');
  assert.equal(loadConfig({ file }).secretKeyFile, resolve(file, "../a.key"));
  const env = { CARILLON_SECRET_KEY_FILE: "b.key" };
  assert.equal(loadConfig({ file, env }).secretKeyFile, resolve("b.key"));
  const flags = { secretKeyFile: "/c.key" };
  assert.equal(loadConfig({ file, env, flags }).secretKeyFile, "/c.key");
  assert.equal(loadConfig({}).secretKeyFile, undefined);
});

test("reports all mistakes at once, each with its source", (t) => {
  const file = fileWith(t, '{ "lgoLevel": "info", "sms": { "provider": [] } }');
  const error = mistakesOf({
    flags: { port: "http", host: "" },
    env: {
      CARILLON_PROT: "7070",
      CARILLON_ALLOW_TARGETS: "10.0.0.0/8,10.0.0.0/33",
      CARILLON_CONFIG: file,
    },
  });
  assert.deepEqual(
    error.mistakes.map(({ key, source }) => [key, source]),
    [
      ["lgoLevel", `lgoLevel in ${file}`],
      ["sms.provider", `sms.provider in ${file}`],
      ["CARILLON_PROT", "CARILLON_PROT"],
      ["allowTargets", "CARILLON_ALLOW_TARGETS"],
      ["port", "--port"],
      ["host", "--host"],
    ],
  );
  assert.match(error.message, /^6 configuration mistakes:\n/);
  assert.match(error.message, /did you mean logLevel\?/);
  assert.match(error.message, /did you mean sms\.providers\?/);
  assert.match(error.message, /did you mean CARILLON_PORT\?/);
  assert.match(
    error.message,
    /--port: expected a whole number from 0 to 65535 .*, got "http"/,
  );
});

test("a policy file and limits without prices are among the mistakes, before anything is made", (t) => {
  const file = fileWith(
    t,
    '{ "sms": { "policyFile": "none.json", "guard": { "spendPerDay": 5 } } }',
  );
  const env = {
    CARILLON_PORT: "http",
    CARILLON_SMS_GUARD_SPEND_PER_DAY: "0.2",
  };
  const linesOf = (sources: ConfigSources) => {
    try {
      loadConfig(sources);
      return [];
    } catch (error) {
      assert.ok(error instanceof ConfigError);
      return error.mistakes.map(
        ({ source, problem }) => `${source}: ${problem}`,
      );
    }
  };
  const [port, spend, ...more] = linesOf({ env });
  assert.match(port ?? "", /^CARILLON_PORT: /);
  assert.match(
    spend ?? "",
    /^CARILLON_SMS_GUARD_SPEND_PER_DAY: expected a policy with prices, because spend is limited to 0\.2: /,
  );
  assert.deepEqual(more, []);
  const [, policy, ...rest] = linesOf({ file, env });
  assert.match(
    policy ?? "",
    /^sms\.policyFile in .*: .*none\.json: it cannot be read \(ENOENT\)$/,
  );
  assert.deepEqual(rest, []);
});

test("a variable below a section of ours is ours", () => {
  const problemOf = (name: string) =>
    resolveConfig({ env: { [name]: "1" } }).mistakes.map(
      ({ source, problem }) => `${source}: ${problem}`,
    );
  for (const [name, meant] of [
    ["CARILLON_SMS_GAURD_X", "CARILLON_SMS_GUARD_…"],
    ["CARILLON_SMS_GUARD_X", "CARILLON_SMS_GUARD_…"],
    ["CARILLON_SMS_X", "CARILLON_SMS_…"],
  ] as const) {
    assert.deepEqual(problemOf(name), [
      `${name}: there is no such variable; did you mean ${meant}?`,
    ]);
  }
  assert.deepEqual(problemOf("CARILLON_SMSX"), []);
});

test("a variable that resembles none of ours is somebody else's", () => {
  const { port } = loadConfig({ env: { CARILLON_TEAM_CONTACT: "ops" } });
  assert.equal(port, 7070);
});

test("reads a file that begins with a byte order mark", (t) => {
  const file = fileWith(t, '\ufeff{ "port": 1 }');
  assert.equal(loadConfig({ file }).port, 1);
});

test("reads lists of numbers from text and from the file", (t) => {
  const env = { CARILLON_ALLOW_PORTS: "25, 6379" };
  assert.deepEqual(loadConfig({ env }).allowPorts, [25, 6379]);
  const file = fileWith(t, '{ "allowPorts": [9200] }');
  assert.deepEqual(loadConfig({ file }).allowPorts, [9200]);
  assert.deepEqual(loadConfig().allowPorts, []);
});

const wrong: readonly (readonly [string, unknown])[] = [
  ["port", "65536"],
  ["port", "-1"],
  ["port", "70.5"],
  ["port", "7070x"],
  ["host", "not a host"],
  ["publicUrl", "notify.example.com"],
  ["publicUrl", "ftp://notify.example.com"],
  ["publicUrl", "https://user@notify.example.com"],
  ["publicUrl", "https://notify.example.com/?a=b"],
  ["sandbox", "maybe"],
  ["region", "eu de"],
  ["logLevel", "verbose"],
  ["projectId", "0F3C5D1E2A4B46788899AABBCCDDEEFF"],
  ["projectId", "1"],
  ["allowTargets", "10.0.0.1"],
  ["allowTargets", "example.com/8"],
  ["allowTargets", "fe80::/129"],
  ["allowPorts", "smtp"],
  ["allowPorts", "0"],
  ["allowPorts", "25,65536"],
  ["allowPorts", "25,25"],
  ["emailBouncesDomain", "localhost"],
  ["emailBouncesDomain", "a b.example"],
  ["emailBouncesMailbox", "Bounces"],
  ["emailBouncesMailbox", "too-long"],
  ["emailSoftBounceLimit", 1001],
  ["smtpUrl", "mail.example.com"],
  ["smtpUrl", "smtp://user:pa/ss@mail.example.com"],
  ["smtpUrl", "smtp://user:12#ss@mail.example.com"],
  ["mailFrom", "nobody"],
  ["mailFrom", "a@b\r\nBcc: c@d"],
  ["retryProfile", "never"],
  ["smsProviders", "pigeon"],
  ["smsProviders", "log,log"],
  ["rangeSize", "0"],
  ["pullLeaseMs", "99"],
  ["pullLeaseMs", "43200001"],
  ["pullConfirmWindowMs", "0"],
  ["pullMaxDeliveries", "0"],
  ["pullMaxDeliveries", "1.5"],
  ["pullMailboxQuota", "10000001"],
];

for (const [option, value] of wrong) {
  test(`refuses ${option} ${JSON.stringify(value)}`, () => {
    const { mistakes } = mistakesOf({ flags: { [option]: value } });
    assert.equal(mistakes.length, 1);
    assert.match(
      mistakes[0]?.problem ?? "",
      /^(entry \d+: )?expected .*, (got|or) /,
    );
  });
}

test("never shows a secret", () => {
  const error = mistakesOf({
    env: { CARILLON_SECRET_KEY: "top secret", CARILLON_ACCESS_KEY: "ok" },
  });
  assert.doesNotMatch(error.message, /top secret/);
  for (const smtpUrl of [
    "http://user:hush@host",
    "smtp://user:hush/@host",
    "smtp://user:1/hush@host",
  ]) {
    assert.doesNotMatch(mistakesOf({ flags: { smtpUrl } }).message, /hush/);
  }
});

test("wants the domain that a port for bounces is for", () => {
  const { mistakes } = mistakesOf({ flags: { emailBouncesPort: 25 } });
  assert.deepEqual(
    mistakes.map(({ key }) => key),
    ["email.bounces.domain"],
  );
  const secret = "whsec_hush hush";
  const hidden = mistakesOf({ env: { CARILLON_EMAIL_WEBHOOK_SECRET: secret } });
  assert.doesNotMatch(hidden.message, /hush/);
});

test("wants both halves of the key pair", () => {
  const error = mistakesOf({ env: { CARILLON_ACCESS_KEY: "AK" } });
  assert.match(error.message, /secretKey: expected a value/);
});

test("says that this version runs embedded only", () => {
  const error = mistakesOf({
    env: { CARILLON_DATABASE_URL: "postgres://db", CARILLON_NATS_URL: "nats:" },
  });
  assert.equal(error.mistakes.length, 2);
  for (const { problem } of error.mistakes) {
    assert.match(problem, /this version runs embedded only/);
  }
});

test("says why the file cannot be used", (t) => {
  assert.match(
    mistakesOf({ flags: { config: "/nowhere/carillon.json" } }).message,
    /--config: expected a readable JSON file, got "\/nowhere\/carillon.json" \(no such file\)/,
  );
  assert.match(mistakesOf({ file: fileWith(t, "{") }).message, /readable JSON/);
  assert.match(
    mistakesOf({ file: fileWith(t, "[]") }).message,
    /expected an object/,
  );
  assert.match(
    mistakesOf({ file: fileWith(t, '{ "sms": "log" }') }).message,
    /sms in .*: expected an object/,
  );
});

test("passes over what Kubernetes sets for a service called carillon", () => {
  const env = {
    CARILLON_SERVICE_HOST: "10.0.0.1",
    CARILLON_SERVICE_PORT: "7070",
    CARILLON_PORT: "tcp://10.0.0.1:7070",
    CARILLON_PORT_7070_TCP_ADDR: "10.0.0.1",
  };
  assert.equal(loadConfig({ env }).port, 7070);
});

test("the client's own variables are no mistakes", () => {
  loadConfig({ env: { CARILLON_URL: "http://127.0.0.1:7070" } });
});

test("each lease that can be set covers the longest attempts", async (t) => {
  const data = mkdtempSync(join(tmpdir(), "carillon-lease-"));
  t.after(() => rmSync(data, { recursive: true }));
  const { message } = mistakesOf({ flags: { leaseMs: 1 } });
  const leaseMs = Number(/from (\d+) to/.exec(message)?.[1]);
  mistakesOf({ flags: { leaseMs: leaseMs - 1 } });
  const flags = { data, port: 0, httpTimeoutMs: 60_000, leaseMs };
  const config = loadConfig({ flags });
  await (await serve(config)).close();
  await assert.rejects(serve({ ...config, leaseMs: leaseMs / 2 }), {
    name: "ConfigError",
  });
});

test("a host that others reach needs a public URL, or the sandbox", () => {
  const { mistakes } = mistakesOf({ env: { CARILLON_HOST: "0.0.0.0" } });
  assert.deepEqual(
    mistakes.map(({ key, source }) => [key, source]),
    [["host", "CARILLON_HOST"]],
  );
  assert.match(mistakes[0]?.problem ?? "", /--public-url .* or --sandbox/);
  for (const host of ["::", "192.0.2.1", "notify.internal", "127.example"]) {
    mistakesOf({ flags: { host } });
    const publicUrl = "https://notify.example.com";
    assert.equal(loadConfig({ flags: { host, publicUrl } }).host, host);
    assert.equal(loadConfig({ flags: { host, sandbox: true } }).host, host);
  }
  for (const host of ["localhost", "127.0.0.2", "::1"]) {
    assert.equal(loadConfig({ flags: { host } }).host, host);
  }
});

test("says of each value where it is from, also when something is wrong", (t) => {
  const file = fileWith(
    t,
    '{ "port": 1, "rangeSize": "x", "sms": { "optOutExempt": ["otp"] } }',
  );
  const { settings, mistakes } = resolveConfig({
    file,
    env: { CARILLON_PORT: "2", CARILLON_REGION: "eu" },
    flags: { region: "de", colour: "red" },
  });
  const found = Object.fromEntries(
    settings.map(({ key, value, origin }) => [key.path, [value, origin]]),
  );
  assert.deepEqual(found.port, [2, "CARILLON_PORT"]);
  assert.deepEqual(found.region, ["de", "--region"]);
  assert.deepEqual(found.rangeSize, ["x", `file:${file}`]);
  assert.deepEqual(found["sms.optOutExempt"], [["otp"], `file:${file}`]);
  assert.deepEqual(found.host, ["127.0.0.1", "default"]);
  assert.deepEqual(found.smtpUrl, [undefined, "default"]);
  assert.equal(settings.length, listConfigKeys().length);
  assert.deepEqual(mistakes.map(({ key }) => key).sort(), [
    "colour",
    "rangeSize",
  ]);
});

test("what is shown of settings holds no secrets", (t) => {
  const providers = [
    "log",
    {
      type: "forward-client",
      name: "carrier",
      serverUrl: "https://ann:hush@sms.example.com/",
      auth: { user: "u", pass: "hush" },
      secret: "hush",
    },
  ];
  const file = fileWith(t, JSON.stringify({ sms: { providers } }));
  const { settings } = resolveConfig({
    file,
    env: {
      CARILLON_SMTP_URL: "smtp://user:hush@mail.example.com",
      CARILLON_ADMIN_PASSWORD: "hush",
      CARILLON_ACCESS_KEY: "AK",
      CARILLON_SECRET_KEY: "hush",
    },
  });
  const text = JSON.stringify(settings.map(shownValue));
  assert.ok(!text.includes("hush"), text);
  const given = JSON.stringify([...providers, { secret: "hush" }]);
  const wrong = resolveConfig({ env: { CARILLON_SMS_PROVIDERS: given } });
  assert.ok(wrong.mistakes.length > 0);
  assert.ok(!JSON.stringify(wrong.settings.map(shownValue)).includes("hush"));
  assert.match(text, /https:\/\/\*\*\*@sms\.example\.com/);
});

test("what is wrong with a value shows no secret in it", (t) => {
  const provider = { type: "forward-client", name: "a", password: "hush" };
  const list = JSON.stringify([provider]);
  const cases: readonly ConfigSources[] = [
    { env: { CARILLON_PUBLIC_URL: "https://ann:hush@example.com/?q" } },
    { env: { CARILLON_PUBLIC_URL: "https://ann:hu/hush@example.com" } },
    { env: { CARILLON_PUBLIC_URL: "ann:hush@example.com" } },
    { env: { CARILLON_ALLOWED_ORIGINS: "https://ann:hush@example.com" } },
    { env: { CARILLON_SMS_PROVIDERS: list } },
    { flags: { smsProviders: [list] } },
    { file: fileWith(t, `{"sms":{"providers":${list}}}`) },
    { file: fileWith(t, `{"sms":${list}}`) },
    { file: fileWith(t, `{"sms":${JSON.stringify(list)}}`) },
  ];
  for (const sources of cases) {
    const { settings, mistakes } = resolveConfig(sources);
    assert.ok(mistakes.length > 0, JSON.stringify(sources));
    const shown = JSON.stringify([mistakes, settings.map(shownValue)]);
    assert.ok(!shown.includes("hush"), shown);
  }
});

test("every key has a variable, and all but credentials, guards, batches and what is dangerous a flag", () => {
  const keys = listConfigKeys();
  const variables = new Set(keys.map(({ variable }) => variable));
  assert.equal(variables.size, keys.length);
  for (const key of keys) {
    assert.ok(key.description.length > 10, key.path);
  }
  assert.ok(variables.has("CARILLON_SMS_PROVIDERS"));
  assert.deepEqual(
    keys
      .filter(({ flag }) => flag === undefined)
      .map(({ path }) => path)
      .filter(
        (path) => !/^(sms\.(guard|deliveryCheck)|\w+\.batch)\./.test(path),
      ),
    [
      "metricsToken",
      "adminPassword",
      "accessKey",
      "secretKey",
      "email.bounces.trustMessageIds",
      "email.webhookSecret",
      "email.mandrillKey",
      "email.dkim.key",
    ],
  );
});

test("the type of a value is known", () => {
  const config: Config = loadConfig();
  const level: "debug" | "info" | "warn" | "error" | "silent" = config.logLevel;
  const inbound: readonly string[] = config.sms.inbound;
  assert.ok(level && inbound);
});

function mistakesOf(sources: ConfigSources): ConfigError {
  try {
    loadConfig(sources);
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error;
  }
  return assert.fail("a ConfigError was expected");
}

function fileWith(t: { after(run: () => void): void }, text: string): string {
  const folder = mkdtempSync(join(tmpdir(), "carillon-config-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "carillon.json");
  writeFileSync(path, text);
  return path;
}
