import assert from "node:assert/strict";
import { connect } from "node:net";
import { test } from "node:test";
import { silentLogger, systemClock } from "@carillon/core";
import { Gateway, OutgoingMessage } from "@carillon/gateway";
import { ManualClock } from "@carillon/testing";
import { startTestServer } from "../../test-support/test-server.ts";
import { createSandbox } from "./sandbox.ts";

const api = "/api/v2/sandbox";

async function setUp(clock = new ManualClock()) {
  const gateway = new Gateway();
  const sandbox = await createSandbox({ clock, logger: silentLogger, gateway });
  const server = await startTestServer({ sandbox });
  const stack = new AsyncDisposableStack();
  stack.use(sandbox);
  stack.use(server);
  return { clock, gateway, sandbox, server, stack };
}

test("keeps what webhooks were sent", async () => {
  const { server, stack } = await setUp();
  await using _ = stack;
  const post = (name: string, payload: string) =>
    server.app.inject({
      method: "POST",
      url: `/sandbox/webhooks/${name}?a=b`,
      headers: { "x-smn-message-type": "Notification" },
      payload,
    });
  assert.equal((await post("one", '{"message":"é"}')).statusCode, 200);
  assert.equal((await post("two", "no json")).statusCode, 200);
  const { body } = await server.call("GET", `${api}/webhooks/one`);
  const [request] = body.requests;
  assert.equal(body.requests.length, 1);
  assert.equal(request.name, "one");
  assert.equal(request.headers["x-smn-message-type"], "Notification");
  assert.deepEqual(request.query, { a: "b" });
  assert.deepEqual(request.json, { message: "é" });
  assert.equal(request.receivedAt, "2026-01-01T00:00:00.000Z");
  const all = await server.call("GET", `${api}/webhooks`);
  assert.deepEqual(
    all.body.requests.map((r: { name: string; json?: unknown }) => [
      r.name,
      r.json !== undefined,
    ]),
    [
      ["one", true],
      ["two", false],
    ],
  );
  await server.call("DELETE", `${api}/webhooks/one`);
  const rest = await server.call("GET", `${api}/webhooks`);
  assert.equal(rest.body.requests.length, 1);
});

test("gives the newest that have a text in them", async () => {
  const { server, sandbox, stack } = await setUp();
  await using _ = stack;
  for (const [number, text] of [
    ["+15550100001", "Your code is 1"],
    ["+15550100002", "Your CODE is 2"],
    ["+15550100001", "Goodbye"],
  ] as const) {
    sandbox.phones.deliver(number, text);
  }
  const texts = async (path: string) => {
    const { body } = await server.call("GET", `${api}/${path}`);
    return body.messages.map(({ text }: { text: string }) => text);
  };
  const all = ["Your code is 1", "Your CODE is 2", "Goodbye"];
  assert.deepEqual(await texts("phone-messages"), all);
  assert.deepEqual(await texts("phone-messages?query=code"), all.slice(0, 2));
  assert.deepEqual(await texts("phone-messages?query=0001&limit=1"), [all[2]]);
  assert.deepEqual(await texts("phone-messages?query=code&limit=1"), [all[1]]);
  const ofOne = "phones/+15550100001/messages?query=Code";
  assert.deepEqual(await texts(ofOne), [all[0]]);
  for (const [name, payload] of Object.entries({ one: "a", two: "b" })) {
    const url = `/sandbox/webhooks/${name}`;
    await server.app.inject({ method: "POST", url, payload });
  }
  const { body } = await server.call("GET", `${api}/webhooks?query=TWO`);
  assert.equal(body.requests.length, 1);
  assert.equal(body.requests[0].body, "b");
  for (const limit of ["0", "1001", "x"]) {
    const path = `${api}/mails?limit=${limit}`;
    const { status, body } = await server.call("GET", path);
    assert.deepEqual([status, body.code], [400, "PAGE_INVALID"]);
  }
});

test("a webhook answers and waits as its address says", async () => {
  const { server, sandbox, clock, stack } = await setUp();
  await using _ = stack;
  const post = (query: string) =>
    server.app.inject({
      method: "POST",
      url: `/sandbox/webhooks/x?${query}`,
      payload: "{}",
    });
  assert.equal((await post("status=503")).statusCode, 503);
  assert.equal((await post("status=99")).statusCode, 400);
  assert.equal((await post("delay=-1")).statusCode, 400);
  let answered = false;
  const slow = post("delay=10000&status=202").then((response) => {
    answered = true;
    return response.statusCode;
  });
  await until(() => sandbox.webhooks.list().length === 2);
  await clock.advanceSettled(9999);
  assert.equal(answered, false);
  await clock.advanceSettled(1);
  assert.equal(await slow, 202);
});

test("a webhook that hangs does not hold up the end", async () => {
  const { server, sandbox, stack } = await setUp();
  const port = await server.listen();
  const hanging = fetch(
    `http://127.0.0.1:${port}/sandbox/webhooks/x?delay=60000`,
    { method: "POST", body: "{}" },
  );
  await until(() => sandbox.webhooks.list().length === 1);
  await stack.disposeAsync();
  assert.equal((await hanging).status, 200);
});

test("keeps the newest thousand requests", async () => {
  const { sandbox, stack } = await setUp();
  await using _ = stack;
  const request = { method: "POST", headers: {}, query: {}, status: 200 };
  for (let i = 0; i < 1005; i++) {
    sandbox.webhooks.add({ ...request, name: "x", body: String(i) });
  }
  const bodies = sandbox.webhooks.list().map(({ body }) => body);
  assert.equal(bodies.length, 1000);
  assert.deepEqual([bodies[0], bodies.at(-1)], ["5", "1004"]);
  const large = "x".repeat(1024 * 1024);
  for (let i = 0; i < 100; i++) {
    sandbox.webhooks.add({ ...request, name: "y", body: large });
  }
  assert.ok(sandbox.webhooks.list({ name: "y" }).length < 65);
});

test("takes mail and reads it", async () => {
  const { sandbox, server, stack } = await setUp();
  await using _ = stack;
  await sendMail(sandbox.smtpUrl, [
    "From: =?UTF-8?Q?B=C3=BCro?= <noreply@example.test>",
    "To: a@example.test",
    "Subject: =?UTF-8?B?w6Rscm0=?=",
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: quoted-printable",
    "List-Unsubscribe: <http://x.test/>",
    "",
    "caf=C3=A9",
  ]);
  const { body } = await server.call("GET", `${api}/mails?to=a@example.test`);
  const [mail] = body.mails;
  assert.deepEqual(mail.envelopeTo, ["a@example.test"]);
  assert.equal(mail.envelopeFrom, "noreply@example.test");
  assert.equal(mail.from, "Büro <noreply@example.test>");
  assert.equal(mail.subject, "älrm");
  assert.equal(mail.text.trim(), "café");
  assert.ok(
    mail.headers.some(
      ({ name, value }: { name: string; value: string }) =>
        name === "List-Unsubscribe" && value === "<http://x.test/>",
    ),
  );
  for (const query of ["A@EXAMPLE", body.mails[0].subject, "nothing"]) {
    const path = `${api}/mails?query=${encodeURIComponent(query)}&limit=1`;
    const found = (await server.call("GET", path)).body.mails.length;
    assert.equal(found, query === "nothing" ? 0 : 1, query);
  }
  const none = await server.call("GET", `${api}/mails?to=b@example.test`);
  assert.deepEqual(none.body.mails, []);
  await server.call("DELETE", `${api}/mails`);
  assert.deepEqual((await server.call("GET", `${api}/mails`)).body.mails, []);
});

test("a mailbox that is slow takes its time", async () => {
  const { clock, sandbox, stack } = await setUp();
  await using _ = stack;
  let taken = false;
  const mail = sendMail(sandbox.smtpUrl, mailLines, "Slow@example.test");
  const sent = mail.then(() => {
    taken = true;
  });
  await until(() => clock.nextTimerInMs === 20_000);
  await clock.advanceSettled(19_999);
  assert.deepEqual([taken, sandbox.mails.list().length], [false, 0]);
  await clock.advanceSettled(1);
  await sent;
  assert.equal(sandbox.mails.list().length, 1);
});

test("a mailbox that is slow does not hold up the end", async () => {
  const { clock, sandbox, stack } = await setUp();
  const refused = assert.rejects(
    sendMail(sandbox.smtpUrl, mailLines, "slow@example.test"),
    /421/,
  );
  await until(() => clock.nextTimerInMs === 20_000);
  await stack.disposeAsync();
  await refused;
  assert.equal(clock.nextTimerInMs, undefined);
});

const mailLines = ["Subject: Hi", "", "Hello"];

test("every number is a phone, and can write back", async () => {
  const { gateway, server, stack } = await setUp();
  await using _ = stack;
  const statuses: string[] = [];
  const replies: string[] = [];
  gateway.onStatus.add((status) => void statuses.push(status.kind));
  gateway.onReceive.add((m) => void replies.push(`${m.src}: ${m.body}`));
  const message = new OutgoingMessage("+49 170 1234567", "code 12");
  message.providerOptions.statusReport = true;
  await gateway.send(message);
  assert.deepEqual(statuses, ["delivered"]);
  const url = `${api}/phones/+491701234567/messages`;
  const sent = await server.call("POST", url, { text: "STOP" });
  assert.equal(sent.status, 201);
  assert.deepEqual(replies, ["491701234567: STOP"]);
  const { body } = await server.call("GET", url);
  assert.deepEqual(
    body.messages.map((m: { direction: string; text: string }) => [
      m.direction,
      m.text,
    ]),
    [
      ["received", "code 12"],
      ["sent", "STOP"],
    ],
  );
  const { body: phones } = await server.call("GET", `${api}/phones`);
  assert.deepEqual(phones.phones, [{ number: "491701234567", messages: 2 }]);
  const bad = await server.call("POST", `${api}/phones/x/messages`, {
    text: "hi",
  });
  assert.deepEqual([bad.status, bad.body.code], [400, "REQUEST_INVALID"]);
});

test("texts to one number at the same time are all delivered", async () => {
  const { gateway, sandbox, stack } = await setUp();
  await using _ = stack;
  const statuses = new Map<string, string>();
  gateway.onStatus.add(async ({ msgid, kind }) => {
    // Others go on meanwhile.
    await new Promise((resolve) => setImmediate(resolve));
    statuses.set(msgid, kind);
  });
  const sent = await Promise.all(
    ["one", "two", "three"].map((text) =>
      gateway.send(
        new OutgoingMessage("491701234567", text).options({
          statusReport: true,
        }),
      ),
    ),
  );
  assert.deepEqual(
    sent.map(({ msgid }) => statuses.get(msgid ?? "")),
    ["delivered", "delivered", "delivered"],
  );
  assert.equal(sandbox.phones.list({ number: "491701234567" }).length, 3);
});

test("a phone may name the number it writes to", async () => {
  const { gateway, server, stack } = await setUp();
  await using _ = stack;
  const received: unknown[] = [];
  gateway.onReceive.add(({ src, dst, msgid }) => {
    received.push([src, dst]);
    assert.match(msgid ?? "", /^[0-9a-f]{32}$/);
  });
  const url = `${api}/phones/+491701234567/messages`;
  await server.call("POST", url, { text: "Hi", to: "+4930123456" });
  assert.deepEqual(received, [["491701234567", "4930123456"]]);
});

test("lists and empties all of it", async () => {
  const { sandbox, server, stack } = await setUp();
  await using _ = stack;
  await server.app.inject({ method: "POST", url: "/sandbox/webhooks/a%20b" });
  sandbox.phones.deliver("49170", "hi");
  const { body } = await server.call("GET", api);
  assert.deepEqual(body, {
    webhooks: [
      {
        name: "a b",
        url: "http://localhost:80/sandbox/webhooks/a%20b",
        requests: 1,
      },
    ],
    mails: { smtpUrl: sandbox.smtpUrl, messages: 0 },
    phones: [{ number: "49170", messages: 1 }],
  });
  const emptied = await server.call("DELETE", api);
  assert.deepEqual([emptied.status, emptied.body], [204, ""]);
  const { body: after } = await server.call("GET", api);
  assert.deepEqual([after.webhooks, after.phones], [[], []]);
});

test("what was received is shown to known callers only", async () => {
  const { server, stack } = await setUp();
  await using _ = stack;
  for (const path of [
    ...["", "/webhooks", "/mails", "/phones", "/phone-messages"],
  ]) {
    const response = await server.app.inject({ url: `${api}${path}` });
    assert.equal(response.statusCode, 401);
  }
  const { body } = await server.call("GET", "/api/v2/openapi.json");
  assert.ok(body.paths["/api/v2/sandbox/webhooks/{name}"]);
});

test("listens on this machine only, and ends twice without harm", async () => {
  const sandbox = await createSandbox({
    clock: systemClock,
    logger: silentLogger,
  });
  assert.equal(new URL(sandbox.smtpUrl).hostname, "127.0.0.1");
  await sandbox.close();
  await sandbox.close();
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

/** The least an SMTP client says (RFC 5321 §3.3). */
async function sendMail(
  smtpUrl: string,
  lines: string[],
  recipient = "a@example.test",
): Promise<void> {
  const { hostname, port } = new URL(smtpUrl);
  const socket = connect(Number(port), hostname);
  const steps = [
    "EHLO test",
    "MAIL FROM:<noreply@example.test>",
    `RCPT TO:<${recipient}>`,
    "DATA",
    `${lines.join("\r\n")}\r\n.`,
    "QUIT",
  ];
  for await (const chunk of socket) {
    const answer = String(chunk);
    assert.match(answer, /^[23]/);
    // The last line of an answer has a space behind its code.
    if (!/^\d{3} .*\r\n$/m.test(answer)) continue;
    const next = steps.shift();
    if (next === undefined) break;
    socket.write(`${next}\r\n`);
  }
}
