/** `carillon pull`, `publisher` and `subscriber`, against a real server. */

import assert from "node:assert/strict";
import { mkdtemp, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { isJsonObject } from "../packages/cli/src/json-object.ts";
import { call, createTopic, publish, topicUrn } from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import {
  type CommandRun,
  hasNoTerminals,
  rowsOf,
  runCommand,
  runOnTerminal,
} from "./harness/command.ts";
import { runTogether } from "./harness/run-together.ts";
import { until } from "./harness/until.ts";

const skip = hasNoTerminals();

let folder: string;
let data: string;
let server: CarillonProcess;

before(async () => {
  folder = await realpath(await mkdtemp(join(tmpdir(), "carillon-pull-")));
  data = join(folder, "data");
  server = await CarillonProcess.start({ data });
});

after(async () => {
  await server?.kill();
  await rm(folder, { recursive: true, force: true });
});

test("accounts: a secret is shown when it is made, and at no other time", async () => {
  const [created, rotated, shown, subscriber, listed] = await allDone(
    ["publisher", "create", "weather"],
    ["publisher", "rotate-secret", "weather"],
    ["publisher", "show", "weather"],
    ["subscriber", "create", "hall"],
    ["subscriber", "list"],
  );
  assert.match(String(created?.secret), /^[A-Za-z0-9]{40}$/);
  assert.notEqual(rotated?.secret, created?.secret);
  assert.equal(shown?.id, created?.id);
  assert.equal(shown?.secret, undefined);
  assert.match(String(subscriber?.secret), /^[A-Za-z0-9]{40}$/);
  assert.equal(listed?.name, "hall");
  assert.equal(listed?.secret, undefined);
  const [again] = await together(["publisher", "create", "weather"]);
  assert.equal(again?.code, 1);
  assert.match(again?.stderr ?? "", /PUBLISHER_EXISTS/);
});

test("a disabled publisher and subscriber say so, and work again", async () => {
  for (const words of [
    ["publisher", "weather"],
    ["subscriber", "hall"],
  ]) {
    const [noun = "", name = ""] = words;
    const [disabled, table, enabled] = await together(
      [noun, "disable", name],
      [noun, "show", name, "-o", "table"],
      [noun, "enable", name],
    );
    assert.equal(disabled?.code, 0, disabled?.stderr);
    assert.match(table?.stdout ?? "", /disabled/);
    assert.equal(JSON.parse(enabled?.stdout ?? "").disabled, false);
  }
});

test("who follows a category gets what is published to it", async () => {
  await done("publisher", "category", "add", "weather", "Black ice");
  await done("subscriber", "follow", "hall", "weather", "Black ice");
  const [followed] = await done("subscriber", "following", "hall");
  assert.deepEqual(followed, {
    publisher: "weather",
    categories: ["Black ice"],
  });
  const [counts] = await done(
    ...["publisher", "publish", "weather", "Slow down"],
    ...["--category", "Black ice", "--category", "nosuch"],
  );
  assert.equal(counts?.passed, 1);
  const [message] = await done("pull", "hall", "--ack");
  assert.equal(message?.body, "Slow down");
  assert.deepEqual(message?.categories, ["Black ice"]);
  assert.deepEqual(await done("pull", "hall"), []);
  await done("subscriber", "unfollow", "hall", "weather", "Black ice");
  const none = await command(
    ...["publisher", "publish", "weather", "x"],
    ...["--category", "Black ice"],
  );
  assert.equal(none.code, 1);
  assert.match(none.stderr, /^Nobody follows this: /);
});

test("a pull subscription is listed, shown and deleted", async () => {
  await subscribe("listed");
  const topic = "many-listed";
  await createTopic(server, topic);
  const path = `/api/v2/topics/${topicUrn(topic)}/subscriptions`;
  for (let n = 0; n < 101; n++) {
    const endpoint = `listed-${n}`;
    await call(server, "POST", path, { protocol: "pull", endpoint });
  }
  const many = await done("subscription", "list", topic);
  assert.equal(many.length, 101);
  assert.equal(many[100]?.endpoint, "listed-100");
  const [found, ...others] = await done("subscription", "list", "listed");
  assert.deepEqual(others, []);
  assert.deepEqual([found?.protocol, found?.status], ["pull", 2]);
  const urn = String(found?.subscription_urn);
  const all = await done("subscription", "list");
  assert.ok(all.some(({ subscription_urn }) => subscription_urn === urn));
  const id = urn.split(":").at(-1) ?? "";
  const ways = [[urn], [id], [id.slice(0, 12)], ["listed", "listed"]];
  for (const way of ways) {
    assert.deepEqual(await done("subscription", "show", ...way), [found]);
  }
  await done("subscription", "delete", id, "--yes");
  assert.deepEqual(await done("subscription", "list", "listed"), []);
  const made = await command(
    ...["subscription", "create", "listed", "pull", "listed", "-o", "table"],
  );
  assert.match(made.stdout, /^Subscription \w+ of listed needs no confirm/);
  const bad = await command("subscription", "create", "listed", "pull", "a b");
  assert.equal(bad.stderr.split("letters, digits").length, 2, bad.stderr);
});

test("a publisher whose topic was deleted says so, and is no unknown one", async () => {
  await done("publisher", "create", "radio");
  await done("topic", "delete", "radio", "--yes");
  const gone = await command("publisher", "publish", "radio", "On air");
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, /^The publisher's topic radio was deleted: create/);
  const unknown = await command("publisher", "publish", "nosuch", "On air");
  assert.match(unknown.stderr, /^There is no publisher "nosuch"/);
});

test("a mailbox of a subscription is fetched from, and its lease given back", async () => {
  await mailbox("plain", "first", "second");
  const [first, second] = await done("pull", "plain", "--lease", "600");
  assert.deepEqual([first?.body, second?.body], ["first", "second"]);
  assert.deepEqual(await done("pull", "plain"), []);
  const lease = String(first?.leaseId);
  assert.deepEqual(
    await done("pull", "extend", "plain", lease, "--lease", "60"),
    [{ extended: [lease], stale: [] }],
  );
  assert.deepEqual(await done("pull", "nack", "plain", lease), [
    { nacked: [lease], stale: [] },
  ]);
  const stale = await command("pull", "ack", "plain", lease);
  assert.equal(stale.code, 1);
  assert.match(stale.stderr, /^The lease \S+ is over/);
  const [again] = await done("pull", "plain", "--ack");
  assert.deepEqual([again?.body, again?.deliveryCount], ["first", 2]);
  const other = String(second?.leaseId);
  // An ack whose answer was lost may be given again.
  for (let n = 0; n < 2; n++) {
    assert.deepEqual(await done("pull", "ack", "plain", other), [
      { acked: [other], stale: [] },
    ]);
  }
  assert.deepEqual(await done("pull", "plain"), []);
});

test("a subscriber's own credentials fetch from its mailbox alone", async () => {
  const stateOf = async () => {
    const words = ["subscriber", "list", "-o", "table"];
    const { stdout } = await command(...words);
    return /^plain +(no secret|enabled) /m.exec(stdout)?.[1];
  };
  assert.equal(await stateOf(), "no secret");
  const [own] = await done("subscriber", "rotate-secret", "plain");
  assert.equal(await stateOf(), "enabled");
  const path = join(folder, "secret");
  await writeFile(path, `${own?.secret}\n`);
  await publish(server, "plain", "for me");
  const words = ["--url", server.url, "--id", String(own?.id)];
  const asItself = (...rest: string[]) =>
    runCommand(["pull", ...rest, ...words, "--secret", `@${path}`]);
  const mine = await asItself("plain", "--ack");
  assert.equal(rowsOf(mine)[0]?.body, "for me", mine.stderr);
  const others = await asItself("hall");
  assert.equal(others.code, 1, others.stdout);
  await writeFile(path, "wrong");
  const wrong = await asItself("plain");
  assert.equal(wrong.code, 1);
  assert.match(
    wrong.stderr,
    /does not accept the keys of --id and --secret .* carillon subscriber rotate-secret/,
  );
  const half = await runCommand(["pull", "plain", ...words]);
  assert.equal(half.code, 2);
  assert.match(half.stderr, /^Expected --id and --secret, or neither/);
});

test("a command that runs for each message confirms by its exit code", async () => {
  await mailbox("worker", "good", "bad", "late");
  const path = join(folder, "handled");
  const run = await command(
    ...["pull", "worker", "--exec"],
    `text=$(cat); echo "$text $CARILLON_MESSAGE_DELIVERY_COUNT" >> ${path}; test "$text" != bad`,
    ...["--retry-after", "600"],
  );
  assert.equal(run.code, 1);
  assert.equal(await readFile(path, "utf8"), "good 1\nbad 1\nlate 1\n");
  assert.match(run.stderr, /^The command exited with 1: message \S+ is given/);
  assert.match(run.stderr, /1 of 3 messages was given back\.\n$/);
  const [shown] = await done("subscriber", "show", "worker");
  assert.equal(shown?.depth, 1);
});

test("a message that is given back twice counts once", async () => {
  await mailbox("twice", "bad");
  const run = await command(
    ...["pull", "twice", "--exec", "exit 3", "--retry-after", "0"],
    ...["--max", "2"],
  );
  assert.equal(run.stderr.match(/exited with 3/g)?.length, 2, run.stderr);
  assert.match(run.stderr, /1 of 1 message was given back\.\n$/);
});

test("following goes on as messages come, and Ctrl-C gives back the rest", async () => {
  await mailbox("follower", "one", "two");
  const acking = await runCommand(
    ["pull", "follower", "--follow", "--ack", "--data", data],
    { interruptWhen: (stdout) => stdout.split("\n").length === 3 },
  );
  assert.equal(acking.code, 0, acking.stderr);
  assert.deepEqual(
    rowsOf(acking).map(({ body }) => body),
    ["one", "two"],
  );
  await publish(server, "follower", "three");
  const looking = await runCommand(
    ["pull", "follower", "--follow", "--data", data],
    { interruptWhen: (stdout) => stdout.includes("three") },
  );
  assert.equal(looking.code, 0, looking.stderr);
  const [back] = await done("pull", "follower", "--ack");
  assert.deepEqual([back?.body, back?.deliveryCount], ["three", 2]);
});

test("Ctrl-C ends the command that runs, and gives its message back", async () => {
  await mailbox("slow", "long work");
  const run = await runCommand(
    [
      ...["pull", "slow", "--follow", "--data", data],
      ...["--exec", "echo begun; exec sleep 60"],
    ],
    { interruptWhen: (stdout) => stdout.includes("begun") },
  );
  assert.match(run.stderr, /The command was ended by SIGINT: message \S+ is/);
  const [back] = await done("pull", "slow", "--ack");
  assert.equal(back?.deliveryCount, 2);
});

test("what a full mailbox does not take is dead, and can be put back", async () => {
  await done("subscriber", "create", "tiny", "--quota", "1");
  await subscribe("tiny");
  await publish(server, "tiny", "kept");
  await publish(server, "tiny", "refused");
  const path = "/api/v2/subscribers/tiny";
  await until(async () => {
    const { counts } = await call(server, "GET", path);
    return isJsonObject(counts) && counts.dead === 1;
  }, "a dead letter");
  const dead = await done("pull", "dead", "tiny");
  assert.equal(dead[0]?.deliveryCount, 0);
  const table = await command("pull", "dead", "tiny", "-o", "table");
  assert.match(table.stdout, /full|quota/);
  const full = await command("pull", "redrive", "tiny");
  assert.equal(full.code, 1);
  assert.deepEqual(rowsOf(full), [{ redriven: 0, left: 1 }]);
  assert.match(full.stderr, /^1 stays on the list, for the mailbox is full or/);
  await done("pull", "tiny", "--ack");
  const [answer] = await done("pull", "redrive", "tiny", String(dead[0]?.id));
  assert.deepEqual(answer, { redriven: 1, left: 0 });
  const [back] = await done("pull", "tiny", "--ack");
  assert.equal(back?.body, "refused");
});

test("on a terminal a message is a line, with its lease", {
  skip,
}, async () => {
  await mailbox("terminal", `wide ${"x".repeat(200)}`);
  const { code, screen } = await runOnTerminal(
    ["pull", "terminal", "--data", data],
    { columns: 80 },
  );
  assert.equal(code, 0, screen);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: colours.
  const plain = screen.replaceAll(/\x1b\[[0-9;]*m/g, "");
  assert.match(
    plain,
    /^\w+\.\w+\.\w+ {2}\d\d:\d\d:\d\d {2}terminal {2}test: wide x+\n/,
  );
  assert.match(
    plain.replaceAll("\n", " "),
    /Leased until .* UTC, by the lease in the first column: carillon pull ack/,
  );
  for (const line of plain.split("\n")) assert.ok(line.length <= 80, line);
  const empty = await runOnTerminal(["pull", "terminal", "--data", data]);
  assert.match(empty.screen, /There are no messages\./);
});

test("what is asked in the wrong way is refused in one sentence", async () => {
  const wrong = [
    [["pull", "hall", "--ack", "--exec", "true"], /--exec.*--ack/],
    [["pull", "hall", "--follow", "--wait", "5"], /^--wait is without --foll/],
    [["pull", "hall", "--retry-after", "5"], /^--retry-after is for --exec/],
    [["pull", "hall", "--wait", "61"], /from 0 to 60/],
    [["pull", "hall", "--lease", "4"], /from 5 to 43200/],
    [["subscriber", "set", "hall"], /^Expected --quota or --legacy-confirm/],
  ] as const;
  const outcomes = await together(...wrong.map(([words]) => words));
  for (const [at, [, pattern]] of wrong.entries()) {
    const { code, stdout, stderr = "" } = outcomes[at] ?? {};
    assert.deepEqual([code, stdout], [2, ""], stderr);
    assert.match(stderr, /^[^\n]+\n$/);
    assert.match(stderr, pattern);
  }
  const [malformed, unknown] = await together(
    ["pull", "ack", "hall", "no lease"],
    ["pull", "nosuch"],
  );
  assert.equal(malformed?.code, 1);
  assert.match(malformed?.stderr ?? "", /LEASE_ID_INVALID/);
  assert.equal(unknown?.code, 1);
  assert.match(unknown?.stderr ?? "", /^There is no mailbox "nosuch"/);
});

test("publish --wait ends when the subscriber confirms", async () => {
  await subscribe("waited");
  const words = ["publish", "waited", "hello", "--wait"];
  const publishing = command(...words, "--timeout", "60");
  const messages = await done("pull", "waited", "--ack", "--wait", "60");
  assert.deepEqual(
    messages.map(({ body }) => body),
    ["hello"],
  );
  const { code, stdout, stderr } = await publishing;
  assert.equal(code, 0, stderr);
  assert.match(stdout, /"state":"delivered"/);
});

/** A topic and a mailbox of that name, with messages in it. */
async function mailbox(name: string, ...texts: string[]): Promise<void> {
  await subscribe(name);
  for (const text of texts) await publish(server, name, text);
  const path = `/api/v2/subscribers/${name}`;
  await until(
    async () => (await call(server, "GET", path)).depth === texts.length,
    `${texts.length} messages in ${name}`,
  );
}

async function subscribe(name: string): Promise<void> {
  await createTopic(server, name);
  const path = `/api/v2/topics/${topicUrn(name)}/subscriptions`;
  await call(server, "POST", path, { protocol: "pull", endpoint: name });
}

async function command(...words: string[]): Promise<CommandRun> {
  return runCommand([...words, "--data", data]);
}

/** What it printed; it must succeed. */
async function done(...words: string[]) {
  const run = await command(...words);
  assert.equal(run.code, 0, `carillon ${words.join(" ")}: ${run.stderr}`);
  return rowsOf(run);
}

/** Several in one process. */
function together(...lines: (readonly string[])[]) {
  const withData = lines.map((words) => [...words, "--data", data]);
  return runTogether(withData, { folder });
}

/** What each printed first; all must succeed. */
async function allDone(...lines: (readonly string[])[]) {
  const outcomes = await together(...lines);
  return outcomes.map(({ words, code, stdout, stderr }) => {
    assert.equal(code, 0, `carillon ${words.join(" ")}: ${stderr}`);
    return rowsOf({ code, stdout, stderr })[0];
  });
}
