/** Changing the configuration of a server that runs, through the real program. */

import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import {
  call,
  createTopic,
  notifications,
  publish,
  request,
  sendSms,
  subscribe,
} from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { runCommand } from "./harness/command.ts";
import { startSmtpSink } from "./harness/smtp-sink.ts";
import { until } from "./harness/until.ts";
import { WebhookSink } from "./harness/webhook-sink.ts";

interface Line {
  readonly event: string;
  readonly [field: string]: unknown;
}

interface Delivery {
  readonly state: string;
  readonly error?: string;
  readonly provider?: string;
  readonly attempts: readonly unknown[];
}

/** A server with a file, and ways to change the one and look at the other. */
async function setUp(t: TestContext, first: object) {
  const folder = await mkdtemp(join(tmpdir(), "carillon-reload-"));
  const file = join(folder, "carillon.json");
  const write = (content: object | string) =>
    writeFile(
      file,
      typeof content === "string" ? content : JSON.stringify(content),
    );
  await write(first);
  const data = join(folder, "data");
  const server = await CarillonProcess.start({
    data,
    args: ["--config", file],
    // The file's own are tested here.
    env: { CARILLON_ALLOW_TARGETS: "" },
  });
  t.after(async () => {
    await server.kill();
    await rm(folder, { recursive: true, force: true });
  });
  const linesOf = (event: string): readonly Line[] =>
    server.stderr
      .split("\n")
      .filter((line) => line.startsWith("{"))
      .map((line) => JSON.parse(line) as Line)
      .filter((line) => line.event === event);
  /** Answers the line that the log has of it. */
  const hangUp = async (event = "config_reloaded") => {
    const last = () => linesOf(event).at(-1);
    const before = last();
    server.signal("SIGHUP");
    // Not by their number: only the end of the log is kept.
    await until(
      () => (last()?.time ?? before?.time) !== before?.time,
      () => server.stderr,
    );
    return last() ?? { event };
  };
  const deliveriesOf = async (messageId: string) => {
    const path = `/api/v2/messages/${messageId}/deliveries`;
    const { deliveries } = await call(server, "GET", path);
    return deliveries as readonly Delivery[];
  };
  const reload = () =>
    runCommand(["config", "reload", "--data", data, "-o", "json"]);
  return { server, data, write, hangUp, deliveriesOf, reload, linesOf };
}

async function untilState(
  deliveriesOf: (id: string) => Promise<readonly Delivery[]>,
  messageId: string,
  states: readonly string[],
): Promise<Delivery> {
  let found: Delivery | undefined;
  let deliveries: readonly Delivery[] = [];
  await until(
    async () => {
      deliveries = await deliveriesOf(messageId);
      found = deliveries.find(({ state }) => states.includes(state));
      return found !== undefined;
    },
    () => `${states.join(" or ")}, got ${JSON.stringify(deliveries)}`,
  );
  assert.ok(found);
  return found;
}

test("a mail server is set up, and taken away again", async (t) => {
  const { server, write, hangUp, deliveriesOf, linesOf } = await setUp(t, {});
  await createTopic(server, "a");
  const [{ protocols } = { protocols: [] }] = linesOf("started");
  assert.ok(!JSON.stringify(protocols).includes("email"));

  await using sink = await startSmtpSink();
  const smtpUrl = `smtp://127.0.0.1:${sink.port}`;
  await write({ smtpUrl, mailFrom: "from@example.com" });
  const line = await hangUp();
  assert.deepEqual(line.applied, ["smtpUrl", "mailFrom"]);
  assert.deepEqual(line.needsRestart, []);
  assert.ok(!server.stderr.includes(smtpUrl));
  await subscribe(server, "a", "email", "second@example.com");
  await until(async () => (await sink.call("countConfirmed")) === 1, "confirm");
  const id = await publish(server, "a", "one");
  await untilState(deliveriesOf, id, ["delivered", "accepted"]);
  const arrivals = await sink.call("listArrivals");
  assert.deepEqual(
    arrivals.map(({ messageId }) => messageId),
    [id],
  );

  await write({});
  assert.deepEqual((await hangUp()).applied, ["smtpUrl", "mailFrom"]);
  const failed = await untilState(
    deliveriesOf,
    await publish(server, "a", "two"),
    ["failed"],
  );
  assert.match(failed.error ?? "", /No mail server is set up/);

  await write({ smtpUrl, mailFrom: "from@example.com" });
  await hangUp();
  const third = await publish(server, "a", "three");
  await untilState(deliveriesOf, third, ["delivered", "accepted"]);
  assert.equal((await sink.call("listArrivals")).length, 2);
  assert.equal(await server.stop(), 0);
});

test("limits, level of the log, targets and providers change; others are named", async (t) => {
  const first = { sms: { providers: ["log"] }, logLevel: "info" };
  const { server, write, hangUp, deliveriesOf, reload, linesOf } = await setUp(
    t,
    first,
  );
  await createTopic(server, "a");
  await using sink = await WebhookSink.start();
  const endpoint = `${sink.url}/ok/1`;
  const subscriptions = `${notifications}/topics/urn:smn:local:0123456789abcdef0123456789abcdef:a/subscriptions`;
  const tried = await request(server, "POST", subscriptions, {
    protocol: "http",
    endpoint,
  });
  assert.equal(tried.status, 403);

  const next = {
    port: 1,
    topicsPerProject: 1,
    logLevel: "debug",
    allowTargets: ["127.0.0.0/8"],
    sms: { providers: ["null", "log"] },
  };
  await write(next);
  const run = await reload();
  assert.equal(run.code, 0, run.stderr);
  const reloaded = JSON.parse(run.stdout);
  assert.deepEqual([...reloaded.applied].sort(), [
    "allowTargets",
    "logLevel",
    "sms.providers",
    "topicsPerProject",
  ]);
  // The port is a flag's, which goes over the file.
  assert.deepEqual(reloaded.needsRestart, []);

  const topics = `${notifications}/topics`;
  const refused = await request(server, "POST", topics, { name: "b" });
  assert.equal(refused.status, 403, JSON.stringify(refused.body));
  await call(server, "GET", "/api/v2/messages");
  await until(
    () => linesOf("request").some(({ level }) => level === "debug"),
    "lines of level debug",
  );
  await subscribe(server, "a", "http", endpoint);
  await sink.until(() => sink.confirmed.size === 1, "confirmed");
  const id = await publish(server, "a", "one");
  await untilState(deliveriesOf, id, ["delivered"]);

  const text = await sendSms(server, "+4915112345678", "hello");
  const sent = await untilState(deliveriesOf, text, ["debug"]);
  assert.equal(sent.provider, "null");

  await write({ ...next, region: "other", publicUrl: "https://x.example" });
  const line = await hangUp();
  assert.deepEqual(line.applied, []);
  assert.deepEqual(line.needsRestart, ["publicUrl", "region"]);

  // A connection that is open carries nothing more once its target is refused.
  await write({ ...next, allowTargets: [] });
  assert.deepEqual((await hangUp()).applied, ["allowTargets"]);
  const blocked = await untilState(
    deliveriesOf,
    await publish(server, "a", "two"),
    ["rejected"],
  );
  assert.match(blocked.error ?? "", /loopback/);
  const audit = await call(server, "GET", "/api/v2/audit?action=config.reload");
  assert.match(JSON.stringify(audit), /allowTargets, .*topicsPerProject/);
});

test("a file with mistakes changes nothing, and all of them are named", async (t) => {
  const { server, write, hangUp, reload } = await setUp(t, {});
  await write({ topicsPerProject: 0, logLevel: "loud", nope: 1, smtpUrl: "x" });
  const run = await reload();
  assert.equal(run.code, 2);
  for (const name of ["topicsPerProject", "logLevel", "nope", "smtpUrl"]) {
    assert.match(run.stderr, new RegExp(`${name} in `));
  }
  await write("{ broken");
  const { message } = await hangUp("config_not_reloaded");
  assert.match(String(message), /readable JSON file/);
  await createTopic(server, "still-there");
  assert.ok(!server.hasEnded);
  await write({ topicsPerProject: 1 });
  assert.deepEqual((await hangUp()).applied, ["topicsPerProject"]);
  const { status } = await request(server, "POST", `${notifications}/topics`, {
    name: "b",
  });
  assert.equal(status, 403);
});

test("nothing is lost or sent twice while it is reloaded 20 times", async (t) => {
  const files = ["log", "loopback"].map((provider) => ({
    allowTargets: provider === "log" ? ["127.0.0.0/8"] : ["127.0.0.0/9"],
    mailFrom: `${provider}@example.com`,
    sms: { providers: [provider, "null"] },
  }));
  const { server, write, hangUp, deliveriesOf } = await setUp(t, {
    ...files[0],
  });
  await using mails = await startSmtpSink();
  const smtpUrl = `smtp://127.0.0.1:${mails.port}`;
  await write({ ...files[0], smtpUrl });
  await hangUp();
  await using sink = await WebhookSink.start();
  await createTopic(server, "a");
  await subscribe(server, "a", "http", `${sink.url}/ok/1`);
  await subscribe(server, "a", "email", "reader@example.com");
  await sink.until(() => sink.confirmed.size === 1, "confirmed");
  await until(async () => (await mails.call("countConfirmed")) === 1, "mail");

  const published: string[] = [];
  const texts: string[] = [];
  let isDone = false;
  const publishing = (async () => {
    while (!isDone) {
      published.push(await publish(server, "a", `n ${published.length}`));
      texts.push(await sendSms(server, "+4915112345678", "hello"));
    }
  })();
  for (let n = 1; n <= 20; n++) {
    await write({ ...files[n % 2], smtpUrl });
    await hangUp();
  }
  isDone = true;
  await publishing;
  assert.ok(published.length >= 20, String(published.length));
  for (const id of published) {
    const countOf = (arrivals: readonly { messageId: string }[]) =>
      arrivals.filter(({ messageId }) => messageId === id).length;
    await until(() => countOf(sink.arrivals) > 0, `webhook of ${id}`);
    await until(
      async () => countOf(await mails.call("listArrivals")) > 0,
      `mail of ${id}`,
    );
    assert.equal(countOf(sink.arrivals), 1);
    assert.equal(countOf(await mails.call("listArrivals")), 1);
  }
  for (const id of texts) {
    const sent = await untilState(deliveriesOf, id, ["debug", "sent"]);
    assert.equal(sent.attempts.length, 1, JSON.stringify(sent));
    assert.match(sent.provider ?? "", /^(log|loopback)$/);
  }
});
