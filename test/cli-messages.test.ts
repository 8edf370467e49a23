import assert from "node:assert/strict";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { deliveryStates, errorClasses } from "@carillon/client";
import {
  errorClasses as classesOfServer,
  deliveryStates as statesOfServer,
} from "@carillon/core";
import { createProgram } from "../packages/cli/src/program.ts";
import { operatorTransitions } from "../packages/core/src/messages/delivery-state.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import {
  type CommandRun,
  hasNoTerminals,
  rowsOf,
  runCommand,
  runOnTerminal,
} from "./harness/command.ts";
import { until } from "./harness/until.ts";
import {
  startWebhookSink,
  type WebhookSinkProcess,
} from "./harness/webhook-sink-process.ts";

const skip = hasNoTerminals();

let folder: string;
let data: string;
let server: CarillonProcess;
let sink: WebhookSinkProcess;

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "carillon-messages-")));
  data = join(folder, "data");
  [server, sink] = await Promise.all([
    CarillonProcess.start({ data, args: ["--sandbox"] }),
    startWebhookSink(),
  ]);
  await sink.call("answer", "/busy", 503);
  await sink.call("answer", "/gone", 404);
});

after(async () => {
  await server?.kill();
  await sink?.[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

test("the SDK has the states and kinds of failure that the server has", () => {
  assert.deepEqual(deliveryStates, statesOfServer);
  assert.deepEqual(errorClasses, classesOfServer);
});

test("actions offer the states that they lead on from", async () => {
  const program = await createProgram("all");
  const deliveries = program.commands.find((it) => it.name() === "deliveries");
  for (const [name, action] of [
    ["resend", "resend"],
    ["cancel", "cancel"],
    ["settle", "settle_failed"],
  ] as const) {
    const option = deliveries?.commands
      .find((it) => it.name() === name)
      ?.options.find(({ long }) => long === "--state");
    const states = Object.keys(operatorTransitions[action]);
    assert.deepEqual(option?.argChoices, states, name);
  }
});

test("a message that is held says until when, to whoever asks", async () => {
  await subscribe("held", ["fine/held"]);
  const until = new Date(Date.now() + 28 * 86_400_000).toISOString();
  const at = until.slice(0, 19).replace("T", " ");
  const text = new RegExp(`Not sent before ${at} UTC, in 28 d\\.`);
  const options = ["--at", until, "-o", "table"];
  const published = await client("publish", "held", "x", ...options);
  assert.match(published.stdout, text);
  const [, id = ""] = /Message (\S+) is/.exec(published.stdout) ?? [];
  const look = (...words: string[]) => client(...words, "-o", "table");
  assert.match((await look("deliveries", id)).stdout, text);
  assert.match((await look("deliveries", id, "--failed")).stdout, text);
  assert.match((await look("messages", "show", id)).stdout, text);
  const list = await look("messages", "list", "--topic", "held");
  assert.ok(list.stdout.includes(`not before ${at}`), list.stdout);
  const followed = await runCommand(
    ["deliveries", id, "--follow", "--data", data],
    { interruptWhen: (_, stderr) => stderr.includes("Not sent before") },
  );
  assert.equal(followed.code, 130);
  assert.match(followed.stderr, text);
});

test("a delivery is named by its message's beginning and its number", async () => {
  const id = await publishTo("numbered", ["gone/numbered", "fine/numbered"]);
  const [first] = rowsOf(await client("deliveries", id, "--follow"));
  const [, target = ""] = String(first?.id).split("-");
  const short = `${id.slice(0, 16)}-${target}`;
  const [shown] = rowsOf(await client("deliveries", short));
  assert.equal(shown?.id, first?.id);
  const none = await client("deliveries", "resend", `${id}-99`);
  assert.deepEqual(
    [none.code, none.stderr],
    [
      1,
      `There is no delivery "${id}-99": carillon deliveries <message> shows those there are.\n`,
    ],
  );
  const failed = rowsOf(await client("deliveries", id, "--failed"));
  const wrong = `${id.slice(0, 16)}-${String(failed[0]?.id).split("-")[1]}`;
  const resent = await client("deliveries", "resend", wrong);
  assert.equal(resent.code, 0, resent.stderr);
});

test("options that do not apply are refused, and nothing is done", async () => {
  const id = "0198c2f4a1b27c3d";
  for (const [words, sentence] of [
    [
      ["deliveries", "resend", `${id}-1`, "--state", "failed"],
      "--state is for many deliveries.\n",
    ],
    [
      ["deliveries", "cancel", `${id}-1`, "--topic", "t", "--no-wait"],
      "--topic and --no-wait are for many deliveries.\n",
    ],
    [
      ["deliveries", `${id}-1`, "--follow"],
      "--follow is for a message with all its deliveries.\n",
    ],
    [
      ["deliveries", "settle", "all", "failed", "--time-to-live", "30"],
      "--time-to-live is for deliveries that are sent again, by outcome resend.\n",
    ],
    [["publish", "t", "x", "--timeout", "5"], "--timeout is for --wait.\n"],
  ] as const) {
    const run = await client(...words);
    assert.deepEqual([run.code, run.stdout, run.stderr], [2, "", sentence]);
  }
});

test("the same idempotency key says that it was accepted before", async () => {
  await subscribe("twice", ["fine/twice"]);
  const words = ["publish", "twice", "x", "--idempotency-key", "twice-1"];
  const [first] = rowsOf(await client(...words));
  assert.equal(first?.replayed, undefined);
  const [again] = rowsOf(await client(...words));
  assert.deepEqual(again, { ...first, replayed: true });
  const waited = await client(...words, "--wait");
  assert.match(waited.stderr, /^Message \S+ was accepted before/);
});

test("events end after a time, with a sentence and exit code 1", async () => {
  await client("topic", "create", "quiet");
  const none = await client("events", "--topic", "quiet", "--timeout", "1");
  assert.deepEqual(
    [none.code, none.stdout, none.stderr],
    [1, "", "No events came within 1 s.\n"],
  );
  const unknown = await client("events", "--protocol", "pigeon");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /^--protocol .* http, /);
});

test("events are told that the server is gone, and that it is back", async () => {
  const own = join(folder, "comes-and-goes");
  const first = await CarillonProcess.start({ data: own, args: ["--sandbox"] });
  const { port } = new URL(first.url);
  const seen = { stdout: "", stderr: "" };
  const followed = runCommand(["events", "--data", own], {
    interruptWhen: (stdout, stderr) => {
      Object.assign(seen, { stdout, stderr });
      return stderr.includes(" again; ");
    },
  });
  // It follows once it tells of what is sent.
  await until(async () => {
    await runCommand(["sms", "send", "+15550100041", "x", "--data", own]);
    return seen.stdout !== "";
  }, "nothing was told");
  await first.stop();
  await until(() => seen.stderr !== "", "the loss was not told");
  await using _ = await CarillonProcess.start({
    data: own,
    args: ["--sandbox", "--port", port],
  });
  const run = await followed;
  assert.match(
    run.stderr,
    /^Lost the connection to http:\S+; trying again\.\nConnected to http:\S+ again; .*\n/,
  );
});

test("publishing to nobody is exit code 1, and says what to do", async () => {
  await client("topic", "create", "alone");
  const alone = await client("publish", "alone", "x");
  assert.equal(alone.code, 1);
  // It was accepted all the same.
  assert.match(String(rowsOf(alone)[0]?.message_id), /^[0-9a-f]{32}$/);
  assert.equal(
    alone.stderr,
    "The message is accepted, but nobody gets it: topic alone has no confirmed subscription. Create one with carillon subscription create alone <protocol> <endpoint>.\n",
  );
  for (const number of ["1", "2"]) {
    await client(
      "subscription",
      "create",
      "alone",
      "sms",
      `+155501001${number}`,
    );
  }
  for (const options of [[], ["--wait"]]) {
    const run = await client("publish", "alone", "x", ...options);
    assert.equal(run.code, 1);
    assert.match(run.stderr, /^The message is accepted, but nobody gets it: /);
    assert.match(run.stderr, / 2 wait for confirmation \(carillon subscr/);
    assert.match(run.stderr, /use carillon subscription confirm <link>\.\n$/);
  }
});

test("deliveries show each attempt and the next one", async () => {
  const id = await publishTo("mixed", ["fine", "busy", "gone"]);
  const short = id.slice(0, 16);
  let all: Record<string, unknown>[] = [];
  await until(async () => {
    all = rowsOf(await client("deliveries", short));
    return all.every(({ attemptCount }) => attemptCount);
  }, "not all were attempted");
  assert.deepEqual(
    all.map(({ state }) => state),
    ["delivered", "retrying", "rejected"],
  );
  assert.match(JSON.stringify(all[1]?.attempts), /"statusCode":503/);
  assert.equal(typeof all[1]?.nextAttemptAt, "string");
  const failed = rowsOf(await client("deliveries", id, "--failed"));
  assert.deepEqual(
    failed.map(({ state }) => state),
    ["rejected"],
  );
  const delivered = await client("deliveries", id, "--state", "delivered");
  assert.equal(rowsOf(delivered).length, 1);
  const both = await client("deliveries", id, "--failed", "--state", "sent");
  assert.equal(both.code, 2);
  const none = await client("deliveries", "0123456789abcdef");
  assert.deepEqual([none.code, none.stdout], [1, ""]);
  assert.match(none.stderr, /^None of the newest 1000 messages begins with /);
});

test("--follow prints a line for each change and ends when all is settled", async () => {
  const id = await publishTo("followed", ["busy/followed"]);
  const followed = client("deliveries", id, "--follow");
  await until(async () => {
    const [one] = rowsOf(await client("deliveries", id));
    return Number(one?.attemptCount) > 0;
  }, "nothing was attempted");
  await sink.call("answer", "/busy/followed", 200);
  const run = await followed;
  assert.equal(run.code, 0, run.stderr);
  const stages = rowsOf(run).map(
    ({ state, attemptCount }) => `${state} ${attemptCount}`,
  );
  assert.equal(new Set(stages).size, stages.length, stages.join());
  assert.ok(stages.includes("retrying 1"), stages.join());
  assert.match(stages.at(-1) ?? "", /^delivered \d/);
});

test("on a terminal --wait shows who is retried when and why", {
  skip,
}, async () => {
  await subscribe("live", ["fine/live", "busy/live", "gone/live"]);
  const published = onTerminal(
    ...["publish", "live", "x", "--wait", "--timeout", "3"],
  );
  const { code, screen } = await published;
  assert.equal(code, 1);
  assert.match(
    screen,
    /3 deliveries of [0-9a-f]{16}: 1 delivered, 1 retrying, 1 rejected\n/,
  );
  assert.match(screen, /next attempt in \d+ s: HTTP 503\n/);
  assert.match(
    screen,
    /settled after 3 s;\ncarillon deliveries [0-9a-f]{32} --follow shows/,
  );
  // What is drawn again goes up by as many lines as there are.
  assert.ok(screen.includes("\u001b[5A\u001b[J"), JSON.stringify(screen));
  assertWidth(screen, 80);
});

test("a live table fits a terminal of 40 columns", { skip }, async () => {
  await subscribe("narrow", ["fine/narrow", "busy/narrow"]);
  const { screen } = await runOnTerminal(
    [
      ...["publish", "narrow", "x", "--wait", "--timeout", "2"],
      ...["--data", data],
    ],
    { columns: 40, rows: 10 },
  );
  assertWidth(screen, 40);
  assert.match(screen, /retrying\S* +\d+ s: HTTP 503\n/);
});

test("a terminal shows a delivery attempt by attempt", {
  skip,
}, async () => {
  const id = await publishTo("blocks", ["gone/blocks"]);
  await until(async () => {
    const [one] = rowsOf(await client("deliveries", id));
    return one?.state === "rejected";
  }, "it was not rejected");
  const { code, screen } = await onTerminal("deliveries", id);
  assert.equal(code, 0);
  assert.match(
    screen,
    /rejected\S* {2}http {2}http:\S+\/gone\/blocks {2}[0-9a-f]{32}-\d+\n {2}1 /,
  );
  // Wrapped where the terminal ends.
  assert.match(
    screen.replace(/\s+/g, " "),
    / ms 404 (\([^)]*first byte \d+ ms\) )?The endpoint answered 404/,
  );
});

test("an e-mail without a mail server fails at once, with its reason", async () => {
  const own = join(folder, "no-mail");
  const ask = (...words: string[]) => runCommand([...words, "--data", own]);
  {
    await using _ = await CarillonProcess.start({
      data: own,
      args: ["--sandbox"],
    });
    await ask("topic", "create", "t");
    await ask("subscription", "create", "t", "email", "me@example.com");
    const mail = ["sandbox", "mail", "--latest", "--link", "--wait", "20"];
    const link = (await ask(...mail)).stdout.trim();
    assert.equal((await ask("subscription", "confirm", link)).code, 0);
  }
  await using _ = await CarillonProcess.start({ data: own });
  const run = await ask("publish", "t", "x", "--wait");
  assert.equal(run.code, 1);
  const [delivery] = rowsOf(run);
  assert.equal(delivery?.state, "failed");
  assert.match(String(delivery?.error), /^No mail server is set up/);
  assert.match(run.stderr, /^1 of 1 deliveries failed; carillon deliveries /);
  const without = await ask("sandbox", "mail");
  assert.deepEqual(
    [without.code, without.stdout, without.stderr],
    [
      1,
      "",
      "This server has no sandbox: one is started with carillon serve --sandbox.\n",
    ],
  );
  if (skip) return;
  const added = await runOnTerminal([
    ...["subscription", "create", "t", "email", "you@example.com"],
    ...["--data", own],
  ]);
  assert.match(added.screen, /waits for you@example\.com\sto\sconfirm/);
  assert.match(
    added.screen,
    /could not be sent: No\smail\sserver\sis\sset\sup/,
  );
});

test("messages are listed by topic, state and time, and shown", async () => {
  const fine = await publishTo("listed", ["fine/listed"], "--subject", "One");
  const bad = await publishTo("listed-too", ["gone/listed"]);
  await until(async () => {
    const found = await client("messages", "list", "--state", "rejected");
    return rowsOf(found).some(({ id }) => id === bad);
  }, "it was not rejected");
  const ids = async (...words: string[]) =>
    rowsOf(await client("messages", "list", ...words)).map(({ id }) => id);
  const own = await ids("--topic", "listed", "--limit", "1");
  assert.deepEqual(own, [fine]);
  assert.deepEqual((await ids("--since", "1h", "--limit", "2")).slice(0, 1), [
    bad,
  ]);
  assert.deepEqual(await ids("--since", "2000-01-01", "--limit", "1"), [bad]);
  const failed = await ids("--topic", "listed-too", "--state", "rejected");
  assert.deepEqual(failed, [bad]);
  const wrong = await client("messages", "list", "--since", "yesterday");
  assert.equal(wrong.code, 2);
  const [shown] = rowsOf(await client("messages", "show", fine.slice(0, 20)));
  assert.deepEqual([shown?.subject, shown?.text], ["One", "hello"]);
  if (skip) return;
  const { screen } = await onTerminal("messages", "list", "--limit", "5");
  assertWidth(screen, 80);
  assert.match(screen, new RegExp(`${fine.slice(0, 16)} +listed +One`));
});

test("messages list --follow goes on with those that come", async () => {
  await subscribe("stream", ["fine/stream"]);
  const words = ["messages", "list", "--topic", "stream", "--limit", "1"];
  const followed = runCommand([...words, "--follow", "--data", data], {
    interruptWhen: (stdout) => stdout.includes('"excerpt":"three"'),
  });
  // It may begin after the first ones, of which it then lists the last.
  const ids: unknown[] = [];
  for (const text of ["one", "two", "three"]) {
    const run = await client("publish", "stream", text, "--wait");
    ids.push(rowsOf(run)[0]?.messageId);
  }
  const run = await followed;
  assert.equal(run.code, 130);
  const seen = rowsOf(run).map(({ id }) => id);
  assert.equal(seen.at(-1), ids.at(-1));
  assert.equal(new Set(seen).size, seen.length);
});

test("the sandbox's mails, texts and requests are found by what is in them", async () => {
  await client("topic", "create", "box");
  for (const [protocol, endpoint] of [
    ["email", "ann@example.com"],
    ["email", "bob@example.com"],
    ["sms", "+15550100021"],
    ["http", `${server.url}/sandbox/webhooks/box`],
  ] as const) {
    await client("subscription", "create", "box", protocol, endpoint);
  }
  const latest = ["--latest", "--wait", "20", "--query"];
  for (const name of ["ann", "bob"]) {
    const query = `${name.toUpperCase()}@example`;
    const run = await client("sandbox", "mail", ...latest, query);
    const [mail] = rowsOf(run);
    assert.deepEqual(mail?.to, [`${name}@example.com`]);
    const shown = await client("sandbox", "mail", "show", String(mail?.id));
    assert.deepEqual(rowsOf(shown), [mail]);
  }
  const phone = ["sandbox", "phone", "+15550100021"];
  const [text] = rowsOf(await client(...phone, ...latest, "box"));
  assert.equal(text?.direction, "received");
  const hook = ["sandbox", "webhooks", "box"];
  const [request] = rowsOf(await client(...hook, ...latest, "subscribe_url"));
  assert.equal(request?.name, "box");
  for (const words of [phone, hook]) {
    const { stdout } = await client(...words, "--link");
    const confirmed = await client("subscription", "confirm", stdout.trim());
    assert.equal(confirmed.code, 0, confirmed.stderr);
  }
  assert.ok(rowsOf(await client("sandbox", "mail")).length >= 2);
  assert.equal(
    rowsOf(await client("sandbox", "mail", "--limit", "1")).length,
    1,
  );
  const none = await client("sandbox", "mail", "--latest", "--query", "nope");
  assert.deepEqual(
    [none.code, none.stdout, none.stderr],
    [1, "", 'There is no mail with "nope" in it; --wait 10 waits for one.\n'],
  );
  const late = await client(
    "sandbox",
    "mail",
    "--query",
    "nope",
    "--wait",
    "1",
  );
  assert.equal(late.stderr, 'No mail with "nope" in it came within 1 s.\n');
});

test("a phone's reply is an inbound text, and STOP an opt-out", async () => {
  const number = "+15550100031";
  const reply = (text: string) =>
    client("sandbox", "phone", "reply", number, text);
  assert.equal((await reply("On my way")).code, 0);
  const [inbound] = rowsOf(await client("inbound", "list", "--from", number));
  assert.equal(inbound?.text, "On my way");
  const shown = await client("inbound", "show", String(inbound?.id));
  assert.deepEqual(rowsOf(shown), [inbound]);
  await reply("STOP");
  const list = () => client("opt-outs", "list", number);
  assert.equal(rowsOf(await list())[0]?.keyword, "STOP");
  assert.equal((await client("opt-outs", "delete", number)).code, 0);
  assert.deepEqual(rowsOf(await list()), []);
  const twice = await client("opt-outs", "delete", number);
  assert.equal(twice.code, 1);
  await client("opt-outs", "create", number, "--sender", "acme");
  assert.equal(rowsOf(await list())[0]?.sender, "ACME");
});

test("an address on the suppression list gets no mails until it is removed", async () => {
  const address = "quiet@example.com";
  const suppressions = (...words: string[]) =>
    client("emails", "suppressions", ...words);
  const detail = ["--detail", "by letter"];
  const added = await suppressions("add", address, ...detail);
  assert.equal(added.code, 0, added.stderr);
  const [listed] = rowsOf(await suppressions("list", "QUIET@example.com"));
  assert.deepEqual(
    [listed?.address, listed?.reason, listed?.detail],
    [address, "manual", "by letter"],
  );
  assert.equal((await suppressions("remove", address)).code, 0);
  assert.deepEqual(rowsOf(await suppressions("list", address)), []);
  const twice = await suppressions("remove", address);
  assert.equal(twice.code, 1);
  assert.match(twice.stderr, /There is no suppressed address "quiet@/);
  const wrong = await suppressions("add", "nobody");
  assert.equal(wrong.code, 1);
  assert.match(wrong.stderr, /no @/);
});

test("subscribing says what confirms, when the sandbox got it", {
  skip,
}, async () => {
  await client("topic", "create", "hint");
  const { screen } = await onTerminal(
    ...["subscription", "create", "hint", "email", "hint@example.com"],
  );
  const [, link = ""] =
    /\n {2}carillon subscription confirm (http\S+)\n$/.exec(screen) ?? [];
  const confirmed = await client("subscription", "confirm", link);
  assert.equal(confirmed.code, 0, screen);
});

test("tables fit a terminal of 80 columns", { skip }, async () => {
  const topic = "a-topic-whose-name-is-much-longer-than-a-column";
  const long = "some words that go on and on ".repeat(4);
  const address = `${"long.".repeat(10)}address@mail.example.com`;
  await subscribe(topic, ["fine/wide", "busy/wide", "gone/wide"]);
  await client("subscription", "create", topic, "email", address);
  const hook = `${server.url}/sandbox/webhooks/${"w".repeat(60)}`;
  await client("subscription", "create", topic, "http", hook);
  await client("publish", topic, long, "--subject", long);
  await client("sms", "send", "+155501000123456", long);
  await client("sandbox", "phone", "reply", "+155501000123456", long);
  const optOut = [
    "+155501000123456",
    "--sender",
    "a-sender-name-of-32-characters-x",
  ];
  await client("opt-outs", "create", ...optOut, "--keyword", long.slice(0, 90));
  await client("sandbox", "webhooks", "--wait", "20", "--query", "wwww");
  for (const words of [
    ["messages", "list", "--limit", "5"],
    ["sms", "list"],
    ["sandbox", "mail"],
    ["sandbox", "phone"],
    ["sandbox", "webhooks"],
    ["inbound", "list"],
    ["opt-outs", "list"],
  ]) {
    const { code, screen } = await onTerminal(...words);
    assert.equal(code, 0, screen);
    assert.ok(screen.split("\n").length > 2, screen);
    assertWidth(screen, 80);
  }
});

/** A command that talks to the server of these tests. */
function client(...words: string[]): Promise<CommandRun> {
  return runCommand([...words, "--data", data]);
}

function onTerminal(...words: string[]) {
  return runOnTerminal([...words, "--data", data]);
}

/** Subscribes paths of the receiver, which confirms them. */
async function subscribe(topic: string, paths: readonly string[]) {
  await client("topic", "create", topic);
  const base = `http://127.0.0.1:${sink.port}`;
  for (const path of paths) {
    await client("subscription", "create", topic, "http", `${base}/${path}`);
  }
  await until(async () => {
    const all = rowsOf(await client("subscription", "list", topic));
    return all.filter(({ status }) => status === 1).length === paths.length;
  }, "not all were confirmed");
}

/** Answers the message's id. */
async function publishTo(
  topic: string,
  paths: readonly string[],
  ...options: string[]
): Promise<string> {
  await subscribe(topic, paths);
  const run = await client("publish", topic, "hello", ...options);
  assert.equal(run.code, 0, run.stderr);
  return String(rowsOf(run)[0]?.message_id);
}

function assertWidth(screen: string, columns: number): void {
  const colours = new RegExp(
    `${String.fromCharCode(27)}\\[[0-9;]*[a-zA-Z]`,
    "g",
  );
  for (const line of screen.replace(colours, "").split("\n")) {
    // Commands are not broken.
    if (line.startsWith("carillon ")) continue;
    assert.ok(line.length <= columns, `${line.length}: ${line}`);
  }
}
