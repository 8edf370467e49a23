import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { rootCertificates } from "node:tls";
import { type LogFields, silentLogger } from "@carillon/core";
import { at, loadConfig } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { reloadConfig } from "./config-reload.ts";
import { listConfigKeys } from "./config-schema.ts";
import { LiveSettings } from "./live-settings.ts";

/** Another value than the default, for each key that takes one. */
const others: Readonly<Record<string, unknown>> = {
  host: "localhost",
  port: 7071,
  data: "/elsewhere",
  secretKeyFile: "/etc/carillon/secret.key",
  publicUrl: "https://notify.example.com",
  trustedProxies: ["10.0.0.1/32"],
  openMetrics: true,
  metricsToken: "0123456789abcdef",
  metricsPort: 9464,
  metricsHost: "localhost",
  allowedOrigins: ["https://app.example.com"],
  sandbox: true,
  region: "other",
  logLevel: "debug",
  adminPassword: "another",
  projectId: "0f3c5d1e2a4b46788899aabbccddeeff",
  projectName: "other",
  allowTargets: ["10.0.0.0/8"],
  allowPorts: [587],
  httpTimeoutMs: 4000,
  retryProfile: "smn",
  maxRetryAfterSeconds: 60,
  defaultLifeHttp: 60,
  defaultLifeHttps: 60,
  defaultLifeEmail: 60,
  defaultLifeSms: 60,
  defaultLifeSmsOtp: 30,
  defaultLifePull: 60,
  smtpUrl: "smtp://mail.example.com",
  "email.baseTemplate": "base",
  "email.contentBlock": "content",
  "email.extendBody": false,
  "email.bannedTags": ["script"],
  mailFrom: "from@example.com",
  "email.backend": "debug",
  "email.senders": ["example.com"],
  "email.tls": "required",
  "email.tlsServername": "mail.example.com",
  "email.connections": 2,
  "email.mailsPerSecond": 10,
  "email.maxAttachmentBytes": 1000,
  "email.bounces.domain": "bounces.example.com",
  "email.bounces.mailbox": "back",
  "email.bounces.port": 2525,
  "email.bounces.host": "0.0.0.0",
  "email.bounces.trustMessageIds": true,
  "email.webhookSecret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
  "email.mandrillKey": "key",
  "email.backends": [{ type: "debug", name: "none" }],
  "email.reportDays": 2,
  "email.softBounceLimit": 0,
  "email.softBounceDays": 1,
  "sms.providers": ["log", "null"],
  "sms.route": "log",
  "sms.inbound": ["*=inbox"],
  "sms.optOutExempt": ["otp"],
  "sms.optOutLanguages": ["de"],
  "sms.maxSegments": 3,
  "sms.batch.enabled": true,
  "sms.batch.size": 10,
  "sms.batch.intervalSeconds": 60,
  "sms.batch.maxRetries": 5,
  "sms.batch.maxAgeSeconds": 60,
  "sms.batch.retry": false,
  "sms.batch.retriedErrors": ["AuthError"],
  "email.batch.enabled": true,
  "email.batch.size": 10,
  "email.batch.intervalSeconds": 60,
  "email.batch.maxRetries": 5,
  "email.batch.maxAgeSeconds": 60,
  "email.batch.retry": false,
  "email.batch.retriedErrors": ["AuthError"],
  storedProfile: "pymess",
  "sms.defaultPhoneCode": "+420",
  "sms.accents": "strip-ascii",
  "sms.deliveryCheck.intervalSeconds": 0,
  "sms.deliveryCheck.idleTimeoutMinutes": 10,
  "sms.deliveryCheck.idleFrom": "created",
  "sms.deliveryCheck.failIdle": true,
  "sms.deliveryCheck.logIdle": false,
  "sms.guard.countries": ["DE"],
  "sms.guard.deniedCountries": ["AT"],
  "sms.guard.allowPremium": true,
  "sms.guard.allowSatellite": true,
  "sms.guard.allowInvalid": true,
  "sms.guard.numberPerHour": 1,
  "sms.guard.numberPerHalfDay": 1,
  "sms.guard.otpPerTenMinutes": 1,
  "sms.guard.otpPerHour": 1,
  "sms.guard.prefixPerHour": 1,
  "sms.guard.countryPerHour": 1,
  "sms.guard.projectPerHour": 1,
  "sms.guard.classPerHour": 1,
  "sms.guard.sequenceLength": 5,
  "sms.guard.spendPerDay": 1,
  "sms.guard.spendPerMonth": 1,
  "sms.guard.projectSpendPerDay": 0.2,
  "sms.guard.projectSpendPerMonth": 1,
  "pull.leaseMs": 1000,
  "pull.confirmWindowMs": 100,
  "pull.maxDeliveries": 3,
  "pull.deadLetterDays": 7,
  "pull.mailboxQuota": 10,
  maxConnections: 10,
  topicsPerProject: 10,
  subscriptionsPerTopic: 10,
  templatesPerProject: 10,
  limitConfirmations: false,
  tagsPerTopic: 10,
  rangeSize: 10,
  maxInFlight: 10,
  laneInFlight: 10,
  leaseMs: 130_000,
  slowAfterMs: 100,
};

const otherPolicy = "other-policy.json";
const routerFile = "router.mjs";

const authorities = "authorities.pem";
/** A port for bounces needs to know which are its own. */
const withDomain = {
  email: { bounces: { domain: "bounces.example.com", port: 2525 } },
};

/** Both halves are set together; the rest is refused by this version. */
const together = { accessKey: "AK", secretKey: "SK" };

const dkim = {
  domain: "example.com",
  selector: "s1",
  keyFile: "dkim.pem",
};

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), "carillon-config-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const config = join(folder, "carillon.json");
  const policy = {
    rules: [{ name: "all", use: "log" }],
    // Limits on spend need it.
    providers: { log: { costPerSegment: 0.01 } },
  };
  for (const name of ["policy.json", otherPolicy]) {
    writeFileSync(join(folder, name), JSON.stringify(policy));
  }
  writeFileSync(join(folder, authorities), rootCertificates[0] ?? "");
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  writeFileSync(
    join(folder, dkim.keyFile),
    privateKey.export({ type: "pkcs8", format: "pem" }),
  );
  writeFileSync(join(folder, routerFile), "export default () => 'log';");
  const write = ({
    sms,
    ...content
  }: {
    readonly sms?: object;
    readonly [key: string]: unknown;
  }) =>
    writeFileSync(
      config,
      JSON.stringify({
        ...content,
        sms: { policyFile: "policy.json", ...sms },
      }),
    );
  write({});
  const readConfig = () => loadConfig({ flags: { config } });
  const settings = new LiveSettings(readConfig());
  const lines: (LogFields & { readonly event: string })[] = [];
  const note = (event: string, fields: LogFields = {}) => {
    lines.push({ ...fields, event });
  };
  const logger = { ...silentLogger, info: note, error: note };
  const reload = () => reloadConfig({ settings, readConfig, logger });
  return { folder, settings, write, reload, lines };
}

function toFile(path: string, value: unknown): Record<string, unknown> {
  const [name = "", ...inner] = path.split(".");
  return {
    [name]: inner.length === 0 ? value : toFile(inner.join("."), value),
  };
}

const files: Readonly<Record<string, string>> = {
  "sms.policyFile": otherPolicy,
  "email.tlsCaFile": authorities,
  "sms.router": routerFile,
  "email.router": routerFile,
};

test("each key is applied, or named as one that needs a restart", (t) => {
  const { folder, settings, write, reload } = setUp(t);
  for (const { path, group, reloadable, unsupported } of listConfigKeys()) {
    if (unsupported || path in together) continue;
    if (path.startsWith("email.dkim.")) continue;
    const file = files[path];
    const value = file === undefined ? others[path] : join(folder, file);
    assert.ok(value !== undefined, `${path}: no other value is known`);
    const before = settings.get();
    write(path === "email.bounces.port" ? withDomain : toFile(path, value));
    const { applied, needsRestart } = reload();
    if (group === "First start") {
      assert.deepEqual([applied, needsRestart], [[], []], path);
      assert.ok(!reloadable, path);
    } else if (reloadable) {
      assert.deepEqual(applied, [path]);
      assert.deepEqual(needsRestart, []);
      assert.deepEqual(at(settings.get(), path), value);
      write({});
      assert.deepEqual(reload().applied, [path]);
    } else {
      assert.deepEqual(applied, []);
      assert.ok(needsRestart.includes(path), path);
      // Named as long as it differs, and never applied.
      assert.ok(reload().needsRestart.includes(path), path);
    }
    assert.deepEqual(settings.get(), before, path);
  }
  write(together);
  assert.deepEqual(reload(), { applied: [], needsRestart: [] });
  write({ email: { dkim } });
  assert.deepEqual(reload(), {
    applied: ["email.dkim.domain", "email.dkim.selector", "email.dkim.keyFile"],
    needsRestart: [],
  });
});

test("a mistake changes nothing, and all of them are in error and log", (t) => {
  const { settings, write, reload, lines } = setUp(t);
  const before = settings.get();
  write({ topicsPerProject: 5, mailFrom: "nobody", port: -1 });
  assert.throws(reload, (error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(
      error.mistakes.map(({ key }) => key),
      ["mailFrom", "port"],
    );
    return true;
  });
  assert.equal(settings.get(), before);
  const [line] = lines;
  assert.equal(line?.event, "config_not_reloaded");
  assert.match(String(line?.message), /mailFrom in .*\n.*port in /);
});

test("what one part cannot make ready changes no part", (t) => {
  const { settings, write, reload } = setUp(t);
  const changes: string[] = [];
  settings.onChange(() => () => changes.push("first"));
  settings.onChange(({ mailFrom }) => {
    if (mailFrom === "from@example.com") throw new TypeError("not this one");
    return () => changes.push("second");
  });
  const before = settings.get();
  write({ mailFrom: "from@example.com" });
  assert.throws(reload, /not this one/);
  assert.deepEqual(changes, []);
  assert.equal(settings.get(), before);
  write({ mailFrom: "other@example.com" });
  reload();
  assert.deepEqual(changes, ["first", "second"]);
});

test("networks of a sandbox that is not on yet are not opened", (t) => {
  const { settings, write, reload } = setUp(t);
  write({ sandbox: true, allowTargets: ["10.0.0.0/8"] });
  assert.deepEqual(reload(), {
    applied: [],
    needsRestart: ["sandbox", "allowTargets"],
  });
  assert.deepEqual(settings.get().allowTargets, []);
});
