import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, test } from "node:test";
import { silentLogger, toEpochMs } from "@carillon/core";
import {
  grant,
  message,
  recipient,
  text,
  tokens,
  withTopic,
} from "../fixtures.test.ts";
import { createSelfSignedCertificate } from "../http/certificate.ts";
import { createLinks } from "../links.ts";
import { createEmailChannel } from "./channel.ts";
import {
  createChannel,
  deliver,
  refusing,
  smtpError,
  startRawServer,
  startServer,
} from "./mail-fixtures.test.ts";

const unsubscribeUrl = `https://notify.example/u/${tokens.unsubscribeToken(grant)}`;

test("sends a plain mail that names its sender, its topic and the way out", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url);
  const { topic } = withTopic({ displayName: "Zürich Betrieb" });

  const result = await deliver(
    channel,
    message({
      ...(topic && { topic }),
      subject: "Platte fast voll – 93 %",
      content: text("Grüße 👋\n.\nvom Server"),
    }),
  );

  assert.deepEqual(result, { outcome: "delivered", statusCode: 250 });
  const { mail, envelope, headers } = await server.only();
  assert.deepEqual(envelope, {
    from: "noreply@carillon.example",
    to: ["ann@example.com"],
  });
  assert.deepEqual(mail.from, {
    name: "Zürich Betrieb",
    address: "noreply@carillon.example",
  });
  assert.deepEqual(mail.to, [{ name: "", address: "ann@example.com" }]);
  assert.equal(mail.subject, "Platte fast voll – 93 %");
  assert.equal(
    mail.text,
    `Grüße 👋\n.\nvom Server\n\nTo receive no more messages from Zürich Betrieb, open this link:\n${unsubscribeUrl}\n`,
  );
  assert.equal(mail.html, undefined);
  assert.equal(mail.date, "2026-01-15T08:30:07.000Z");
  assert.equal(headers["content-type"], "text/plain; charset=utf-8");
  assert.equal(headers["list-unsubscribe"], `<${unsubscribeUrl}>`);
  assert.equal(headers["list-unsubscribe-post"], "List-Unsubscribe=One-Click");
  assert.equal(headers["auto-submitted"], "auto-generated");
  assert.equal(headers["x-smn-message-id"], "1".repeat(32));
  assert.equal(headers["message-id"], `<${"1".repeat(32)}.7@carillon.example>`);
});

test("takes the text for e-mail, and the topic's name where there is no subject", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url);
  const variants = { default: "for all", email: "for e-mail" };
  await deliver(channel, message({ content: { kind: "structure", variants } }));

  const { mail } = await server.only();
  assert.equal(mail.subject, "alerts");
  assert.deepEqual(mail.from, {
    name: "",
    address: "noreply@carillon.example",
  });
  assert.match(mail.text ?? "", /^for e-mail\n\n/);
});

test("a mail without a topic has no way out, and its first line for a subject", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url);
  const { topic: _, ...direct } = message({
    audience: "direct",
    content: text("\n  Your order\tis on its way.\nThanks!"),
  });
  const { subscriptionId: _id, ...to } = recipient("email", "ann@example.com");
  for (const change of [{}, { subject: "Order 4711" }]) {
    const one = await channel.prepare({ ...direct, ...change });
    assert.equal((await one.deliver(to)).outcome, "delivered");
  }
  const [first, second] = await server.mails();
  assert.equal(first?.mail.subject, "Your order is on its way.");
  assert.equal(second?.mail.subject, "Order 4711");
  assert.match(
    first?.mail.text ?? "",
    /Your order\tis on its way\.\nThanks!\s*$/,
  );
  assert.equal(first?.headers["list-unsubscribe"], undefined);
});

test("keeps subjects and names in every script as they are written", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url);
  const subjects = [
    "می\u200cخواهم",
    "👨\u200d👩\u200d👧",
    "क्\u200dष",
    "\u200fשלום\u200f!",
    "Donau\u00addampfschiff",
    `${"می\u200cخواهم 👨\u200d👩\u200d👧 ".repeat(12)}!`,
  ];
  const { topic } = withTopic({ displayName: "می\u200cخواهم" });
  for (const subject of subjects) {
    await deliver(channel, message({ ...(topic && { topic }), subject }));
  }
  const mails = await server.mails();
  assert.deepEqual(
    mails.map(({ mail }) => mail.subject),
    subjects,
  );
  for (const { mail } of mails) assert.equal(mail.from?.name, "می\u200cخواهم");
});

test("sends to the A-label of a domain in another script", async (t) => {
  const server = await startServer(t);
  const prepared = await createChannel(t, server.url).prepare(message());
  const result = await prepared.deliver(
    // Two characters for ü: the mapping composes them.
    recipient("email", "Jane@BU\u0308CHER.example"),
  );
  assert.equal(result.outcome, "delivered");
  const { headers, envelope } = await server.only();
  assert.equal(headers.to, "Jane@xn--bcher-kva.example");
  // The test's server decodes what it was given.
  assert.deepEqual(envelope.to, ["Jane@b\u00fccher.example"]);
});

test("has the same message id at each attempt, and another for another recipient", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url);
  const prepared = await channel.prepare(message());
  const ann = recipient("email", "ann@example.com");
  for (const to of [ann, ann, { ...ann, target: 8 }])
    await prepared.deliver(to);

  const ids = (await server.mails()).map(({ mail }) => mail.messageId);
  assert.equal(ids[0], ids[1]);
  assert.notEqual(ids[0], ids[2]);
});

test("invites with the topic's introduction, a link and its time limit", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url);
  await deliver(
    channel,
    withTopic(
      { introduction: "News of the harbour.", displayName: "Harbour" },
      { kind: "confirmation", grant },
    ),
  );

  const { mail, headers } = await server.only();
  assert.equal(mail.subject, "Confirm your subscription to Harbour");
  assert.match(mail.text ?? "", /^News of the harbour\.\n\nYou are invited/);
  assert.ok(
    mail.text?.includes("within 48 hours:\nhttps://notify.example/c/00f1\n"),
  );
  assert.equal(headers["list-unsubscribe"], undefined);
});

test("sends the unsubscribe notice with a link back", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url);
  await deliver(
    channel,
    message({ content: { kind: "unsubscription", grant } }),
  );

  const { mail, headers } = await server.only();
  assert.equal(mail.subject, "You are unsubscribed from alerts");
  assert.match(
    mail.text ?? "",
    /within 48 hours:\nhttps:\/\/notify\.example\/c\/00f1\n/,
  );
  assert.equal(headers["list-unsubscribe"], undefined);
});

test("what a publisher writes adds no header and no recipient", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url);
  const { topic } = withTopic({
    displayName: 'x" <eve@example.com>\r\nX-Evil: 1, ',
    introduction: "a\r\nX-Evil: 2\r\n\r\nb",
  });
  const evil = "Hi\r\nBcc: eve@example.com\r\nX-Evil: 3\u0000\u2028X-Evil: 4";
  for (const content of [
    text(`a\r\n.\r\nRCPT TO:<eve@example.com>\r\nX-Evil: 5`),
    { kind: "confirmation", grant } as const,
  ]) {
    await deliver(
      channel,
      message({ ...(topic && { topic }), subject: evil, content }),
    );
  }

  const mails = await server.mails();
  assert.equal(mails.length, 2);
  for (const { headers, envelope, mail } of mails) {
    assert.equal(headers["x-evil"], undefined);
    assert.equal(headers.bcc, undefined);
    assert.deepEqual(envelope.to, ["ann@example.com"]);
    assert.equal(mail.from?.address, "noreply@carillon.example");
  }
  assert.equal(
    mails[0]?.mail.subject,
    "Hi Bcc: eve@example.com X-Evil: 3 X-Evil: 4",
  );
});

// smtp-server greets after 100 ms, hence at the same time.
describe("replies", { concurrency: true }, () => {
  for (const [reply, expected] of [
    [550, { outcome: "rejected", statusCode: 550 }],
    [552, { outcome: "rejected", statusCode: 552 }],
    [450, { outcome: "deferred", statusCode: 450 }],
    [421, { outcome: "deferred", statusCode: 421 }],
    [503, { outcome: "deferred", statusCode: 503 }],
    [530, { outcome: "deferred", statusCode: 530 }],
  ] as const) {
    for (const command of ["onMailFrom", "onRcptTo", "onData"] as const) {
      test(`${reply} to ${command.slice(2)} is ${expected.outcome}`, async (t) => {
        const reason = `mailbox ${"x".repeat(300)}`;
        const server = await startServer(t, refusing(command, reply, reason));
        const channel = createChannel(t, server.url);
        assert.deepEqual(await deliver(channel), {
          ...expected,
          errorClass: "smtp",
          error: `The mail server answered ${reply} ${reason}`.slice(
            0,
            "The mail server answered ".length + 200,
          ),
        });
      });
    }
  }
});

test("one refused mail does not keep others from being sent", async (t) => {
  const server = await startServer(t, {
    onRcptTo({ address }, _session, callback) {
      callback(address.startsWith("bad") ? smtpError(550, "no") : null);
    },
  });
  const channel = createChannel(t, server.url);
  const prepared = await channel.prepare(message());
  const results = await Promise.all(
    Array.from({ length: 40 }, (_, i) =>
      prepared.deliver(
        recipient("email", `${i % 2 ? "bad" : "good"}${i}@example.com`),
      ),
    ),
  );
  assert.deepEqual(
    results.map(({ outcome }) => outcome),
    results.map((_, i) => (i % 2 ? "rejected" : "delivered")),
  );
  assert.ok(server.connections() <= 10);
});

test("a refused login is deferred: it is not the mail's fault", async (t) => {
  const server = await startServer(t, {
    authOptional: false,
    disabledCommands: ["STARTTLS"],
    authMethods: ["PLAIN"],
    allowInsecureAuth: true,
    onAuth: (_auth, _session, callback) => callback(smtpError(535, "who?")),
  });
  const url = server.url.replace("//", "//user:secret@");
  const result = await deliver(createChannel(t, url));
  assert.equal(result.outcome, "deferred");
  assert.equal(result.statusCode, 535);
  assert.ok(!JSON.stringify(result).includes("secret"));
});

test("options of the URL say how far the connection is secured", async (t) => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const cert = await createSelfSignedCertificate({
    privateKey,
    commonName: "mail.example",
    notBefore: toEpochMs(Date.now() - 1000),
    notAfter: toEpochMs(Date.now() + 60_000),
  });
  const key = privateKey.export({ type: "pkcs8", format: "pem" });
  const secured = { disabledCommands: ["AUTH"], key, cert };
  const server = await startServer(t, secured);
  const trusting = `${server.url}?tls.rejectUnauthorized=false&requireTLS=true`;
  for (const [url, outcome] of [
    [`${server.url}?requireTLS=true`, "deferred"],
    [trusting, "delivered"],
    [`${server.url}?ignoreTLS=true`, "delivered"],
  ] as const) {
    assert.equal((await deliver(createChannel(t, url))).outcome, outcome, url);
  }
  const plain = await startServer(t);
  const refused = await deliver(
    createChannel(t, `${plain.url}?requireTLS=true`),
  );
  assert.equal(refused.outcome, "deferred");
});

test("a server that is away is deferred as unreachable", async (t) => {
  const { url, close } = await startServer(t);
  await close();
  assert.deepEqual(await deliver(createChannel(t, url)), {
    outcome: "deferred",
    errorClass: "unreachable",
    error: "The mail server could not be reached: ECONNREFUSED.",
  });
});

test("a server that hangs up is deferred", async (t) => {
  const url = await startRawServer(t, (socket) => socket.destroy());
  const result = await deliver(createChannel(t, url));
  assert.equal(result.outcome, "deferred");
  assert.equal(result.errorClass, "unreachable");
});

test("a server that hangs is given up after the timeout, at any step", async (t) => {
  const hang = () => {};
  const urls = [
    await startRawServer(t, hang),
    await startRawServer(t, (socket) => socket.write("220 hello\r\n")),
    (await startServer(t, { onMailFrom: hang })).url,
    (await startServer(t, { onRcptTo: hang })).url,
    (await startServer(t, { onData: hang })).url,
  ];
  const results = await Promise.all(
    urls.map((url) => deliver(createChannel(t, url, { timeoutMs: 200 }))),
  );
  for (const { outcome, errorClass } of results) {
    assert.deepEqual([outcome, errorClass], ["deferred", "timeout"]);
  }
});

test("an attempt that is given up closes its connection, at any step", async (t) => {
  const reached = Array.from({ length: 3 }, () =>
    Promise.withResolvers<void>(),
  );
  const closed = Array.from({ length: 3 }, () => Promise.withResolvers<void>());
  const [greeting, command, data] = reached;
  const onClose = (n: number) => () => closed[n]?.resolve();
  const urls = [
    await startRawServer(t, (socket) => {
      socket.on("close", onClose(0));
      greeting?.resolve();
    }),
    (
      await startServer(t, {
        onMailFrom: () => command?.resolve(),
        onClose: onClose(1),
      })
    ).url,
    (
      await startServer(t, {
        onData: () => data?.resolve(),
        onClose: onClose(2),
      })
    ).url,
  ];
  const stop = new AbortController();
  const signals = { engineSignal: stop.signal, signal: stop.signal };
  const channels = urls.map((url) => createChannel(t, url));
  const attempts = channels.map((channel) =>
    deliver(channel, message(), signals),
  );
  await Promise.all(reached.map(({ promise }) => promise));

  stop.abort();
  for (const attempt of attempts) {
    const { outcome, errorClass } = await attempt;
    assert.deepEqual([outcome, errorClass], ["deferred", "interrupted"]);
  }
  await Promise.all(closed.map(({ promise }) => promise));
  for (const channel of channels) {
    const { errorClass } = await deliver(channel, message(), signals);
    assert.equal(errorClass, "interrupted");
  }
});

test("closing interrupts what is under way", async (t) => {
  const reached = Promise.withResolvers<void>();
  const server = await startServer(t, { onData: () => reached.resolve() });
  const channel = createChannel(t, server.url);
  const hanging = deliver(channel);
  await reached.promise;
  await Promise.all([channel.close(), channel.close()]);

  assert.equal((await hanging).errorClass, "interrupted");
  assert.equal((await deliver(channel)).errorClass, "interrupted");
});

test("a server or sender that cannot be used is named at once, without its password", () => {
  const links = createLinks({
    publicUrl: () => "",
    region: "r",
    tokens,
  });
  const create = (smtpUrl: string, from = "a@b.example") =>
    createEmailChannel({ smtpUrl, from, links, logger: silentLogger });
  for (const url of ["", "mail.example", "http://u:secret@x", "smtp://"]) {
    assert.throws(
      () => create(url),
      (error) => {
        assert.ok(error instanceof TypeError);
        assert.match(error.message, /smtp:\/\//);
        assert.ok(!error.message.includes("secret"));
        return true;
      },
    );
  }
  for (const from of ["", "nobody", "a@b\r\nBcc: c@d", "A <a@b>"]) {
    assert.throws(() => create("smtp://localhost", from), /noreply@/);
  }
});
