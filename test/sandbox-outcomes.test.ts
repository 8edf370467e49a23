/** Each recipient that forces an outcome, through the API of a real server. */

import assert from "node:assert/strict";
import { connect } from "node:net";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import {
  mailboxOutcomes,
  phoneOutcomes,
  webhookParameters,
} from "../packages/server/src/sandbox/outcomes.ts";
import {
  call,
  createTopic,
  publish,
  sendSms,
  subscribe,
} from "./harness/api.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { listDeliveries } from "./harness/ledger.ts";
import {
  createFolder,
  type TemporaryFolder,
} from "./harness/temporary-folder.ts";
import { until } from "./harness/until.ts";

// biome-ignore lint/suspicious/noExplicitAny: tests look into all of them
type Body = any;

let folder: TemporaryFolder;
let server: CarillonProcess;
/** Message ids by row; all under way at once, as each takes up to 42 s. */
const texts = new Map<string, string>();
const mails = new Map<string, string>();

before(async () => {
  folder = await createFolder();
  server = await CarillonProcess.start({
    data: join(folder.path, "data"),
    args: ["--sandbox"],
  });
  for (const { ending } of phoneOutcomes) {
    texts.set(ending, await sendSms(server, `+1555010${ending}`, "Hello"));
  }
  for (const { localPart } of mailboxOutcomes) {
    await createTopic(server, localPart);
    const mailbox = `${localPart}@example.com`;
    await subscribe(server, localPart, "email", mailbox);
    // Invitations arrive whatever the mailbox does with messages.
    const link = await confirmationIn(mailbox);
    assert.ok((await fetch(link, { method: "POST" })).ok);
    mails.set(localPart, await publish(server, localPart, "Hello"));
  }
});

after(async () => {
  await server.kill();
  await folder[Symbol.asyncDispose]();
});

test("these recipients force these states", () => {
  const states = [
    ...phoneOutcomes.map(({ ending, state }) => `${ending} ${state}`),
    ...mailboxOutcomes.map(({ localPart, state }) => `${localPart} ${state}`),
  ];
  assert.deepEqual(states, [
    "0001 rejected",
    "0002 expired",
    "0003 rejected",
    "0004 sent",
    "0005 delivered",
    "0008 delivered",
    "bounce rejected",
    "complain delivered",
    "slow delivered",
    "greylist delivered",
  ]);
});

for (const row of phoneOutcomes) {
  const { ending, meaning, state } = row;
  test(`a text to …${ending}: ${meaning}`, async () => {
    const delivery = await settled(texts.get(ending), state);
    const { throttledTimes = 0, refusal, receipt, answer } = row;
    assert.equal(delivery.attemptCount, throttledTimes + 1);
    if (refusal) assert.match(delivery.error, new RegExp(refusal));
    const seen = await phoneMessages(`+1555010${ending}`);
    const arrives = !refusal && (!receipt || receipt === "delivered");
    assert.deepEqual(seen, [
      ...(arrives ? ["received: Hello"] : []),
      ...(answer ? [`sent: ${answer}`] : []),
    ]);
    if (!answer) return;
    const from = encodeURIComponent(`+1555010${ending}`);
    const { inbound }: Body = await get(`/api/v2/inbound?from=${from}`);
    assert.deepEqual(
      inbound.map(({ text }: Body) => text),
      [answer],
    );
  });
}

for (const row of mailboxOutcomes) {
  const { localPart, meaning, state, refusal, delayMs = 0 } = row;
  test(`a mail to ${localPart}@: ${meaning}`, async () => {
    const delivery = await settled(mails.get(localPart), state);
    assert.equal(delivery.attemptCount, (refusal?.times ?? 0) + 1);
    assert.ok(delivery.attempts.at(-1).durationMs >= delayMs);
    if (refusal) {
      const [first] = delivery.attempts;
      assert.equal(first.statusCode, refusal.code);
      assert.ok(first.error.includes(`${refusal.code} ${refusal.text}`));
    }
    const arrived = await mailsTo(`${localPart}@example.com`);
    const isTaken = state === "delivered";
    assert.equal(arrived.length, isTaken ? 2 : 1);
  });
}

test("a complaint is reported to the sender, and changes nothing", async () => {
  await settled(mails.get("complain"), "delivered");
  await until(
    async () => (await mailsTo("noreply@localhost")).length > 0,
    "no report",
  );
  const [report, ...others] = await mailsTo("noreply@localhost");
  assert.equal(others.length, 0);
  assert.equal(report.envelopeFrom, "");
  assert.match(report.text, /Feedback-Type: abuse/);
  assert.match(report.text, /Original-Rcpt-To: <complain@example\.com>/);
  const type = report.headers.find(({ name }: Body) => name === "Content-Type");
  assert.match(type.value, /report-type="?feedback-report/);
  const again = await publish(server, "complain", "Still there?");
  await settled(again, "delivered");
});

test("the mail server answers so on the wire", async () => {
  const refused = await smtpReplies("bounce@example.net");
  assert.match(refused.at(-1) ?? "", /^550 5\.1\.1 /);
  for (const code of [451, 451, 250, 250]) {
    const replies = await smtpReplies("greylist@example.net");
    assert.match(replies.at(-1) ?? "", new RegExp(`^${code} `));
  }
});

test("a webhook answers so a number of times, then 200", async () => {
  const path =
    "/sandbox/webhooks/a?status=503&times=2&retry-after=10&delay=300";
  const answers: Response[] = [];
  const durations: number[] = [];
  for (let i = 0; i < 4; i++) {
    const begun = performance.now();
    answers.push(await post(path));
    durations.push(performance.now() - begun);
  }
  assert.deepEqual(
    answers.map(({ status }) => status),
    [503, 503, 200, 200],
  );
  assert.deepEqual(
    answers.map(({ headers }) => headers.get("retry-after")),
    ["10", "10", null, null],
  );
  assert.ok(durations.slice(0, 2).every((ms) => ms >= 290));
  // Another name, or other parameters, are another endpoint.
  assert.equal((await post(path.replace("/a?", "/b?"))).status, 503);
  assert.equal((await post(`${path}&test=1`)).status, 503);
  assert.equal((await post("/sandbox/webhooks/a?status=204")).status, 204);
});

test("requests at the same time share the refusals of their webhook", async () => {
  const path = "/sandbox/webhooks/c?status=503&times=20";
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => post(path)),
  );
  const refused = answers.filter(({ status }) => status === 503);
  assert.equal(refused.length, 20);
});

test("each message to a webhook is refused so often", async () => {
  await createTopic(server, "hooks");
  const endpoint = `${server.url}/sandbox/webhooks/d?status=503&times=1`;
  await subscribe(server, "hooks", "http", endpoint);
  let requests: Body[] = [];
  await until(async () => {
    ({ requests } = await get("/api/v2/sandbox/webhooks/d"));
    return requests.length > 0;
  }, "no invitation");
  assert.equal(requests[0].status, 200);
  assert.ok((await fetch(requests[0].json.subscribe_url)).ok);
  const both = await Promise.all([
    publish(server, "hooks", "one"),
    publish(server, "hooks", "two"),
  ]);
  for (const id of both) {
    const { attempts } = await settled(id, "delivered");
    assert.deepEqual(
      attempts.map(({ statusCode }: Body) => statusCode),
      [503, 200],
    );
  }
});

for (const { name, least, most } of webhookParameters) {
  test(`${name} of a webhook is from ${least} to ${most}`, async () => {
    const wrong = [
      `${name}=${most + 1}`,
      `${name}=-1`,
      `${name}=1.5`,
      `${name}=x`,
      `${name}=`,
      `${name}=${least}&${name}=${least}`,
    ];
    if (least > 0) wrong.push(`${name}=${least - 1}`);
    for (const query of wrong) {
      const answer = await post(`/sandbox/webhooks/bad?${query}`);
      assert.equal(answer.status, 400, query);
      const text = await answer.text();
      const sentence = `${name} must be one whole number from ${least} to ${most}, got `;
      assert.ok(text.includes(sentence), text);
    }
    const { requests } = await get("/api/v2/sandbox/webhooks/bad");
    assert.deepEqual(requests, []);
  });
}

/** The delivery of a message once it is in a state; fails in another final one. */
async function settled(id: string | undefined, state: string): Promise<Body> {
  assert.ok(id);
  let last: Body;
  await until(
    async () => {
      [last] = await listDeliveries(server, id);
      return last?.state === state;
    },
    () => `${state}: ${JSON.stringify(last)}`,
    90_000,
  );
  return last;
}

async function get(path: string): Promise<Body> {
  return await call(server, "GET", path);
}

async function post(path: string): Promise<Response> {
  return await fetch(`${server.url}${path}`, { method: "POST", body: "{}" });
}

async function phoneMessages(number: string): Promise<string[]> {
  const path = `/api/v2/sandbox/phones/${number}/messages`;
  const { messages } = await get(path);
  return messages.map((it: Body) => `${it.direction}: ${it.text}`);
}

async function mailsTo(address: string): Promise<Body[]> {
  const query = `to=${encodeURIComponent(address)}`;
  return (await get(`/api/v2/sandbox/mails?${query}`)).mails;
}

async function confirmationIn(mailbox: string): Promise<string> {
  let link: string | undefined;
  await until(async () => {
    const [mail] = await mailsTo(mailbox);
    link = /http\S+\/c\/\S+/.exec(mail?.text ?? "")?.[0];
    return link !== undefined;
  }, `no invitation to ${mailbox}`);
  assert.ok(link);
  return link;
}

/** Sends a mail as any client may, and answers the replies up to the last. */
async function smtpReplies(recipient: string): Promise<string[]> {
  const { mails } = await get("/api/v2/sandbox");
  const { hostname, port } = new URL(mails.smtpUrl);
  const socket = connect(Number(port), hostname);
  const commands = [
    "EHLO test",
    "MAIL FROM:<somebody@example.com>",
    `RCPT TO:<${recipient}>`,
    "DATA",
    "Subject: Hi\r\n\r\nHello\r\n.",
  ];
  const replies: string[] = [];
  for await (const line of createInterface({ input: socket })) {
    // Only the last line of a reply has a space behind its code.
    if (!/^\d{3} /.test(line)) continue;
    replies.push(line);
    const command = commands.shift();
    if (command === undefined) break;
    socket.write(`${command}\r\n`);
  }
  socket.destroy();
  return replies;
}
