import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Guard, IncomingMessage } from "@carillon/gateway";
import { MemoryStore } from "@carillon/testing";
import { loadConfig } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { createSmsGateway } from "./text-messages.ts";

function load(t: TestContext, sms: unknown) {
  const folder = mkdtempSync(join(tmpdir(), "carillon-sms-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "carillon.json");
  writeFileSync(file, JSON.stringify({ sms }));
  return loadConfig({ file }).sms;
}

function mistakeOf(t: TestContext, sms: unknown): string {
  try {
    load(t, sms);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return "";
}

const client = {
  type: "forward-client",
  name: "hub",
  serverUrl: "http://app:hunter2@hub.example/sms/apps",
  auth: { user: "hub", pass: "hunter2" },
};
const server = {
  type: "forward-server",
  name: "apps",
  clients: ["https://one.example/hub", "https://two.example/hub"],
  exemptClasses: ["otp"],
  secret: "hunter2",
};

test("takes the ends of forward pairs beside plain names", (t) => {
  const providers = ["log", client, server];
  assert.deepEqual(load(t, { providers }).providers, providers);
});

test("says which entry is wrong and why, and shows no secret", (t) => {
  const cases: [unknown, RegExp][] = [
    [
      [{ ...client, type: "pigeon" }],
      /entry 1: expected a type: forward-client, forward-server, twilio, .*http, .*yunpian or module; .*loopback.*, log.*by name alone/,
    ],
    [["log", { ...client, serverUrl: "hub" }], /entry 2: .*serverUrl/],
    [
      [{ ...client, servrUrl: "x" }],
      /no such key as servrUrl; did you mean serverUrl/,
    ],
    [
      [{ ...client, zzzzzzzz: "x" }],
      /no such key as zzzzzzzz; there are type, name/,
    ],
    [[{ ...client, type: "twillio" }], /did you mean twilio/],
    [["twilio"], /twilio needs settings/],
    [["loopbak"], /did you mean loopback/],
    [
      [{ ...client, auth: { user: "hunter2" } }],
      /entry 1: forward-client hub: expected an object of "user" and "pass" as auth/,
    ],
    [[{ ...client, name: "A hunter2" }], /as name/],
    [[{ ...client, name: "log" }], /called log/],
    [[{ ...client, name: "sandbox" }], /called sandbox/],
    [[client, client], /entry 2: .*called hub/],
    [[server], /cannot: put another before/],
    [["log", { ...server, clients: "x" }], /as clients/],
    [["log", { ...server, timeoutMs: 1 }], /timeoutMs/],
    [["log", { ...server, exemptClasses: "otp" }], /a list of classes/],
    [client, /a list of providers/],
    [["pigeon"], /a list of loopback, log, null/],
    [[], /a list of loopback/],
  ];
  for (const [providers, expected] of cases) {
    const mistake = mistakeOf(t, { providers });
    assert.match(mistake, expected);
    assert.doesNotMatch(mistake, /hunter2/);
  }
});

test("says all that is wrong with all entries", (t) => {
  const twilio = { type: "twilio", name: "us", accountSid: "hunter2" };
  const mistake = mistakeOf(t, {
    providers: [twilio, { ...client, timeoutMs: 1, name: "us" }, "pigeon"],
  });
  const lines = mistake.split("\n").slice(1);
  assert.deepEqual(
    lines.map((line) => /entry .*/.exec(line)?.[0]),
    [
      "entry 1: twilio us: expected AC and 32 hexadecimal characters as accountSid",
      "entry 1: twilio us: expected a text as authToken",
      "entry 2: forward-client us: expected a whole number of milliseconds from 100 to 60000 as timeoutMs",
      "entry 2: there is a provider called us already, or the name is reserved: give it another",
      "entry 3: expected a list of loopback, log, null, or of objects with type and name",
    ],
  );
  assert.doesNotMatch(mistake, /hunter2/);
});

test("takes from a variable what may stand in the file", () => {
  const given = { CARILLON_SMS_PROVIDERS: JSON.stringify(["log", client]) };
  assert.deepEqual(loadConfig({ env: given }).sms.providers, ["log", client]);
  const one = { CARILLON_SMS_PROVIDERS: JSON.stringify(client) };
  assert.deepEqual(loadConfig({ env: one }).sms.providers, [client]);
  const names = { CARILLON_SMS_PROVIDERS: "log, null" };
  assert.deepEqual(loadConfig({ env: names }).sms.providers, ["log", "null"]);
  for (const text of ['[{"secret": "hunter2', '["hunter2" hunter2]']) {
    assert.throws(
      () => loadConfig({ env: { CARILLON_SMS_PROVIDERS: text } }),
      (error: Error) =>
        /names or JSON, which this is not from/.test(error.message) &&
        !/hunter2/.test(error.message),
    );
  }
});

test("takes secrets from files, beside the configuration or anywhere", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "carillon-secrets-"));
  t.after(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, "secret"), "hunter2\n");
  writeFileSync(join(folder, "empty"), "\n");
  const file = join(folder, "carillon.json");
  const write = (entry: object) =>
    writeFileSync(file, JSON.stringify({ sms: { providers: [entry] } }));
  write({
    ...client,
    secret: { file: "secret" },
    auth: { user: "hub", pass: { file: join(folder, "secret") } },
  });
  assert.deepEqual(loadConfig({ file }).sms.providers, [
    { ...client, secret: "hunter2", auth: { user: "hub", pass: "hunter2" } },
  ]);
  write({
    ...client,
    secret: { file: "none" },
    auth: { user: "hub", pass: { file: "empty" } },
    timeoutMs: 1,
  });
  assert.throws(
    () => loadConfig({ file }),
    (error: Error) => {
      const entry = `sms.providers in ${file}: entry 1`;
      assert.deepEqual(error.message.split("\n  ").slice(1).sort(), [
        `${entry} (hub): the file of auth.pass, ${join(folder, "empty")}, is empty`,
        `${entry} (hub): the file of secret, ${join(folder, "none")}, is not there`,
        `${entry}: forward-client hub: expected a whole number of milliseconds from 100 to 60000 as timeoutMs`,
      ]);
      return true;
    },
  );
  write({
    ...client,
    secret: { file: "secret", encoding: "utf8" },
    auth: { user: "hub", pass: { file: 7 } },
  });
  assert.throws(
    () => loadConfig({ file }),
    (error: Error) => {
      const clause = 'expected {"file": path} with nothing beside it';
      assert.ok(error.message.includes(`${clause} as secret`), error.message);
      assert.ok(error.message.includes(`${clause} as auth.pass`));
      return true;
    },
  );
});

test("says all that is wrong with a page and its account, each on a line", (t) => {
  const page = {
    title: "Acme",
    settings: { key: { expected: "the key" }, id: { expected: "the id" } },
    baseUrl: "https://sms.acme.example",
    send: {
      path: "/send",
      json: { to: "{to", text: "{text}", a: "{txet}", b: "{form}", c: "}" },
    },
    answer: { format: "yaml", id: "id" },
  };
  const settings = {
    key: { file: "no-such-file" },
    colour: "hunter2",
    id: { file: "x", y: 1 },
  };
  const entry = { type: "http", name: "acme", page, settings };
  const mistakes = mistakeOf(t, { providers: [entry] });
  assert.doesNotMatch(mistakes, /hunter2/);
  assert.deepEqual(
    mistakes
      .split("\n  ")
      .slice(1)
      .map((line) => line.replace(/^.*?: entry 1/, ""))
      .map((line) => line.replace(/, \/.*,|; there are .*/, "")),
    [
      " (acme): the file of settings.key is not there",
      ": http acme: page.send.json.to is no template: a brace stands alone: double it, or close it",
      ": http acme: page.send.json.c is no template: a brace stands alone: double it, or close it",
      ': http acme: page.send.json has no value to put in for "txet" or "form"',
      ": http acme: page.send.to is not used: nobody gets the text",
      ": http acme: page.answer.format must be json, xml or text",
      ': http acme: Acme has no setting "colour"; it has key, id',
    ],
  );
});

test("takes a carrier's page from a file, as the JSON in it", (t) => {
  const folder = mkdtempSync(join(tmpdir(), "carillon-pages-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const page = {
    title: "Acme",
    baseUrl: "https://sms.acme.example",
    // A carrier's own name, and no file of ours.
    send: { path: "/", form: { to: "{to}", text: "{text}" } },
    answer: { format: "json", id: "id", meta: { file: "file" } },
  };
  writeFileSync(join(folder, "acme.json"), JSON.stringify(page));
  writeFileSync(join(folder, "broken.json"), '{"title": hunter2}');
  const file = join(folder, "carillon.json");
  const loaded = (given: object) => {
    const providers = [{ type: "http", name: "acme", page: given }];
    writeFileSync(file, JSON.stringify({ sms: { providers } }));
    return loadConfig({ file }).sms.providers;
  };
  const expected = [{ type: "http", name: "acme", page }];
  assert.deepEqual(loaded({ file: "acme.json" }), expected);
  assert.deepEqual(loaded(page), expected);
  assert.throws(
    () => loaded({ file: "broken.json" }),
    (error: Error) =>
      /entry 1 \(acme\): the file of page, .*broken\.json, is no JSON from/.test(
        error.message,
      ) && !/hunter2/.test(error.message),
  );
});

test("takes bindings from a list and from a variable", (t) => {
  const inbound = ["+4915112345678/JOIN=members", "*=inbox"];
  assert.deepEqual(load(t, { inbound }).inbound, inbound);
  const { sms } = loadConfig({
    env: { CARILLON_SMS_INBOUND: "12345=orders, */HELP=help" },
  });
  assert.deepEqual(sms.inbound, ["12345=orders", "*/HELP=help"]);
  assert.deepEqual(loadConfig().sms.inbound, []);
});

test("says which binding is wrong and why", (t) => {
  const cases: [unknown, RegExp][] = [
    [["*=inbox", "12345"], /number\/keyword=topic.*got "12345"/],
    [["*/two words=inbox"], /one word as keyword/],
    [["*=a", "+12345=b", "12345=c"], /one topic for 12345/],
    [["*/join=a", "*/JOIN=b"], /one topic for \*\/JOIN/],
    [
      ["*/join=carillon-events"],
      /topic of your own, got "\*\/join=carillon-events": Only the service publishes/,
    ],
    [[7], /got 7/],
    [7, /expected entries such as/],
  ];
  for (const [inbound, expected] of cases) {
    assert.match(mistakeOf(t, { inbound }), expected);
  }
});

test("takes languages that have words for STOP, and no others", async (t) => {
  assert.deepEqual(load(t, {}).optOutLanguages, []);
  const { optOutLanguages } = load(t, { optOutLanguages: ["de", "tr"] });
  assert.deepEqual(optOutLanguages, ["de", "tr"]);
  assert.match(mistakeOf(t, { optOutLanguages: ["xx"] }), /a list of en, cs, /);

  const optOuts = new MemoryStore();
  const wordOf = async (languages: typeof optOutLanguages, from: string) => {
    const gateway = createSmsGateway(
      {
        http: { request: () => Promise.reject(new Error("none")) },
        optOuts,
        guard: new Guard(),
      },
      {
        sandbox: false,
        sms: { ...load(t, {}), providers: [], optOutLanguages: languages },
      },
    );
    const text = new IncomingMessage(from, "RED");
    await gateway.receive(text);
    return text.keyword;
  };
  assert.equal(await wordOf([], "+447700900123"), null);
  assert.equal(await wordOf([], "+905321234567"), "stop");
  assert.equal(await wordOf(["tr"], "+447700900123"), "stop");
  assert.equal(await wordOf(["de"], "+905321234567"), null);
});

test("takes a route through providers that there are and that can send", async (t) => {
  const server = { type: "forward-server", name: "apps", clients: [] };
  const providers = ["log", "null", server];
  const { route } = load(t, { providers, route: "log*3 && null" });
  assert.equal(route, "log*3 && null");
  for (const [wrong, expected] of [
    [
      "log || ",
      /sms\.route in .*: expected the name of a provider after "\|\|", found the end\n {2}log \|\| \n {9}\^/,
    ],
    [
      "log || twilio && ats",
      /no provider that sends is called twilio or ats; there are log, null$/,
    ],
    ["log || apps", /is called apps; there are log, null$/],
    ["log || sandbox", /is called sandbox; there are log, null$/],
  ] as const) {
    assert.match(mistakeOf(t, { providers, route: wrong }), expected);
  }
  const env = { CARILLON_SMS_ROUTE: "log || x", CARILLON_SANDBOX: "true" };
  assert.throws(() => loadConfig({ env }), {
    message:
      /CARILLON_SMS_ROUTE: no provider that sends is called x; there are sandbox, log$/,
  });
  // Who is meant is not known before they are right.
  assert.doesNotMatch(
    mistakeOf(t, { providers: [{ type: "x", name: "y" }], route: "y" }),
    /sms\.route/,
  );
});
