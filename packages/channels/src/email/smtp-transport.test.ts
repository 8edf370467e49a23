/** Connections to the mail server: secured, kept, limited, and dying. */

import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import type { Socket } from "node:net";
import { before, describe, test } from "node:test";
import { type Attachment, type Message, toEpochMs } from "@carillon/core";
import type { SMTPServerOptions } from "smtp-server";
import { message, recipient } from "../fixtures.test.ts";
import { createSelfSignedCertificate } from "../http/certificate.ts";
import type { EmailChannelOptions } from "./channel.ts";
import {
  createChannel,
  deliver,
  startRawServer,
  startServer,
} from "./mail-fixtures.test.ts";
import {
  problemWithSmtpTls,
  type SmtpTlsMode,
  withTlsMode,
} from "./smtp-tls.ts";

let ca = "";
let key = "";

before(async () => {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  key = String(privateKey.export({ type: "pkcs8", format: "pem" }));
  ca = await createSelfSignedCertificate({
    privateKey,
    commonName: "mail.example",
    notBefore: toEpochMs(Date.now() - 1000),
    notAfter: toEpochMs(Date.now() + 60_000),
  });
});

describe("security", { concurrency: true }, () => {
  const servername = "mail.example";
  for (const [what, server, tls, outcome, isSecured] of [
    ["nothing said, a server that cannot", "plain", {}, "delivered", false],
    ["nothing said, a server that can", "starttls", {}, "deferred", false],
    [
      "a certificate of that CA and name",
      "starttls",
      { withCa: true, servername },
      "delivered",
      true,
    ],
    [
      "a certificate of another name",
      "starttls",
      { withCa: true, servername: "other.example" },
      "deferred",
      false,
    ],
    [
      "opportunistic, a server that cannot",
      "plain",
      { mode: "opportunistic" },
      "delivered",
      false,
    ],
    [
      "required, a server that cannot",
      "plain",
      { mode: "required" },
      "deferred",
      false,
    ],
    [
      "required, a server that can",
      "starttls",
      { mode: "required", withCa: true, servername },
      "delivered",
      true,
    ],
    ["off, a server that can", "starttls", { mode: "off" }, "delivered", false],
    [
      "implicit",
      "implicit",
      { mode: "implicit", withCa: true, servername },
      "delivered",
      true,
    ],
    [
      "implicit, a CA that is not known",
      "implicit",
      { mode: "implicit", servername },
      "deferred",
      false,
    ],
  ] as const) {
    test(`${what}: ${outcome}`, async (t) => {
      const secured: boolean[] = [];
      const { url } = await startServer(t, {
        ...serverOf[server],
        ...(server !== "plain" && { key, cert: ca }),
        onMailFrom(_address, { secure }, callback) {
          secured.push(secure);
          callback();
        },
      });
      const { withCa, ...rest } = { withCa: false, ...tls };
      const channel = createChannel(t, url, {
        tls: { ...rest, ...(withCa && { ca }) },
      });
      assert.equal((await deliver(channel)).outcome, outcome);
      assert.deepEqual(secured, outcome === "delivered" ? [isSecured] : []);
    });
  }

  test("an address beyond ASCII is asked for over the same security", async (t) => {
    const { url } = await startServer(t, {
      ...serverOf.starttls,
      key,
      cert: ca,
    });
    const to = recipient("email", "jané@example.com");
    for (const [tls, outcome] of [
      [{ ca, servername: "mail.example" }, "delivered"],
      [{}, "deferred"],
    ] as const) {
      const channel = createChannel(t, url, { tls });
      const prepared = await channel.prepare(direct());
      assert.equal((await prepared.deliver(to)).outcome, outcome);
    }
  });
});

for (const [url, mode, expected] of [
  ["smtp://u:p%2F@h:25", "implicit", "smtps://u:p%2F@h:25"],
  ["smtp://h", "required", "smtp://h?requireTLS=true"],
  ["smtp://h", "off", "smtp://h?ignoreTLS=true"],
  ["smtp://h/?name=x", "opportunistic", "smtp://h/?name=x"],
  ["smtps://h", "implicit", "smtps://h"],
  ["smtps://h", undefined, "smtps://h"],
] as const) {
  test(`${url} with TLS ${mode} is ${expected}`, () => {
    assert.equal(withTlsMode(url, mode), expected);
    if (mode) assert.equal(problemWithSmtpTls(url, mode), undefined);
  });
}

for (const [url, mode, problem] of [
  ["smtp://u:secret@h?requireTLS=true", "required", /take \?requireTLS= out/],
  ["smtp://u:secret@h?ignoreTLS=false", "off", /take \?ignoreTLS= out/],
  ["smtps://u:secret@h", "off", /expected implicit/],
] as const satisfies readonly (readonly [string, SmtpTlsMode, RegExp])[]) {
  test(`${url} contradicts TLS ${mode}`, (t) => {
    const found = problemWithSmtpTls(url, mode) ?? "";
    assert.match(found, problem);
    assert.doesNotMatch(found, /secret/);
    assert.throws(() => createChannel(t, url, { tls: { mode } }), {
      name: "TypeError",
      message: problem,
    });
  });
}

test("an idle connection that died costs no attempt, with files neither", async (t) => {
  const sockets: Socket[] = [];
  const server = await startServer(t);
  server.onConnection((socket) => sockets.push(socket));
  const channel = createChannel(t, server.url, withFile(100_000));
  for (let n = 0; n < 2; n++) {
    const { outcome } = await deliver(
      channel,
      direct({ attachmentBytes: 100_000 }),
    );
    assert.equal(outcome, "delivered");
    // Without a word, as a firewall does.
    for (const socket of sockets) socket.resetAndDestroy();
  }
  const mails = await server.mails();
  for (const { mail } of mails) {
    assert.deepEqual(mail.attachments[0]?.content, new ArrayBuffer(100_000));
  }
  assert.equal(mails.length, 2);
  assert.equal(new Set(mails.map(({ mail }) => mail.messageId)).size, 1);
});

test("a server that breaks in the middle of the files is tried again later", async (t) => {
  const url = await startRawServer(t, (socket) => {
    socket.write("220 hi\r\n");
    socket.on("data", (data) => {
      const line = data.toString("latin1");
      if (line.startsWith("DATA")) socket.write("354 go\r\n");
      else if (/^(EHLO|HELO|MAIL|RCPT)/.test(line)) socket.write("250 ok\r\n");
      else socket.resetAndDestroy();
    });
  });
  const result = await deliver(
    createChannel(t, url, withFile(1_000_000)),
    direct({ attachmentBytes: 1_000_000 }),
  );
  assert.deepEqual(
    [result.outcome, result.errorClass],
    ["deferred", "unreachable"],
  );
});

test("two hundred mails of 5 MB hold the files of a few", async (t) => {
  const size = 5_000_000;
  const taken = Promise.withResolvers<void>();
  const { url, connections } = await startServer(t, {
    onData(stream, _session, callback) {
      stream.resume().on("end", () => {
        void taken.promise.then(() => callback());
      });
    },
  });
  let held = 0;
  const reached = Promise.withResolvers<void>();
  const channel = createChannel(t, url, {
    attachmentMemoryBytes: 60_000_000,
    connections: 5,
    async readAttachments() {
      held++;
      if (held === 3) reached.resolve();
      return [{ ...file, content: new Uint8Array(size) }];
    },
  });
  const stop = new AbortController();
  const signals = { engineSignal: stop.signal, signal: stop.signal };
  const attachmentBytes = size;
  const all = Array.from({ length: 200 }, (_, n) =>
    deliver(channel, direct({ seq: n + 1, attachmentBytes }), signals),
  );
  await reached.promise;
  taken.resolve();
  // One that is done makes room for one more.
  const results = await Promise.all(all.slice(0, 20));
  stop.abort();
  await Promise.all(all);
  assert.ok(results.every(({ outcome }) => outcome === "delivered"));
  assert.ok(held < 40, `${held} were read`);
  assert.ok(connections() <= 5);
});

for (const [what, options, outcome, error] of [
  ["cannot be read now", { readAttachments: failing }, "deferred", /be read/],
  ["are not kept", { readAttachments: async () => [] }, "rejected", /not kept/],
  ["have no reader", {}, "rejected", /cannot be read here/],
] as const) {
  test(`files that ${what} end the attempt as ${outcome}, unsent`, async (t) => {
    const server = await startServer(t);
    const result = await deliver(
      createChannel(t, server.url, options),
      direct({ attachmentBytes: 1 }),
    );
    assert.equal(result.outcome, outcome);
    assert.equal(result.errorClass, "internal");
    assert.match(String("error" in result && result.error), error);
    assert.equal(server.connections(), 0);
  });
}

test("no more mails go out in a second than may, whatever the connections", async (t) => {
  const server = await startServer(t);
  const channel = createChannel(t, server.url, { mailsPerSecond: 10 });
  const startedAt = performance.now();
  const results = await Promise.all(
    Array.from({ length: 5 }, () => deliver(channel)),
  );
  assert.ok(results.every(({ outcome }) => outcome === "delivered"));
  assert.ok(performance.now() - startedAt >= 390);
});

test("addresses beyond ASCII open one connection to ask by, again for none", async (t) => {
  let connections = 0;
  const url = await startRawServer(t, (socket) => {
    connections++;
    socket.write("220 hi\r\n");
    socket.on("data", () => socket.write("250 ok\r\n"));
  });
  const channel = createChannel(t, url, { connections: 5 });
  const prepared = await channel.prepare(direct());
  for (let round = 0; round < 2; round++) {
    const results = await Promise.all(
      Array.from({ length: 100 }, (_, n) =>
        prepared.deliver(recipient("email", `jané${n}@example.com`)),
      ),
    );
    assert.ok(results.every(({ outcome }) => outcome === "rejected"));
    assert.equal(connections, 1);
  }
});

test("mails with files wait for their turn behind the wait for memory", async (t) => {
  const server = await startServer(t);
  const size = 1000;
  const gate = Promise.withResolvers<void>();
  let reading = 0;
  let startedAt = 0;
  const channel = createChannel(t, server.url, {
    mailsPerSecond: 10,
    async readAttachments() {
      reading++;
      if (reading === 5) gate.resolve();
      await gate.promise;
      startedAt = performance.now();
      return [{ ...file, content: new Uint8Array(size) }];
    },
  });
  const all = Array.from({ length: 5 }, (_, n) =>
    deliver(channel, direct({ seq: n + 1, attachmentBytes: size })),
  );
  const results = await Promise.all(all);
  assert.ok(results.every(({ outcome }) => outcome === "delivered"));
  assert.ok(performance.now() - startedAt >= 390);
});

for (const [mailsPerSecond, connections, most] of [
  // Before any is over each is taken to need half a second.
  [undefined, 5, 25],
  [1, 5, 4],
  [14, 5, 25],
  [100, 50, 250],
] as const) {
  test(`of ${mailsPerSecond} mails a second over ${connections} connections ${most} are under way`, (t) => {
    const channel = createChannel(t, "smtp://127.0.0.1:1", {
      connections,
      mailsPerSecond,
    });
    assert.equal(channel.maxInFlight?.(), most);
  });
}

describe("a slow server", { concurrency: true }, () => {
  for (const [what, isSigned, size] of [
    ["a mail", false, undefined],
    ["a signed mail", true, undefined],
    ["a signed mail with files", true, 200_000],
  ] as const) {
    test(`a server that takes its time once it has ${what} gets it once`, async (t) => {
      let mails = 0;
      const url = await startRawServer(t, (socket) => {
        converse(socket, () => {
          mails++;
          setTimeout(() => socket.write("250 ok\r\n"), 2200);
        });
      });
      // Longer than it may take to ask for the text.
      const channel = createChannel(t, url, {
        timeoutMs: 5000,
        ...(isSigned && {
          dkim: { domain: "carillon.example", selector: "s", privateKey: key },
        }),
        ...(size !== undefined && withFile(size)),
      });
      const mail = direct(size === undefined ? {} : { attachmentBytes: size });
      assert.equal((await deliver(channel, mail)).outcome, "delivered");
      assert.equal(mails, 1);
    });
  }
});

for (const silentAt of ["220", "EHLO", "MAIL", "RCPT", "DATA"]) {
  test(`a server that is silent at ${silentAt} is given up before a mail's time is over`, async (t) => {
    const url = await startRawServer(t, (socket) => {
      if (silentAt === "220") return;
      converse(socket, () => socket.write("250 ok\r\n"), silentAt);
    });
    const channel = createChannel(t, url, { timeoutMs: 1000 });
    assert.deepEqual(await deliver(channel), {
      outcome: "deferred",
      errorClass: "timeout",
      // After 1 s it would be: "did not take the mail within 1 s".
      error: "The mail server did not answer in time.",
    });
  });
}

test("no mail of two hundred comes twice to a slow server", async (t) => {
  let mails = 0;
  let cut = 0;
  const url = await startRawServer(t, (socket) => {
    let isBusy = false;
    socket.on("close", () => {
      if (isBusy) cut++;
    });
    converse(socket, () => {
      mails++;
      isBusy = true;
      setTimeout(() => {
        isBusy = false;
        socket.write("250 ok\r\n");
      }, 60);
    });
  });
  // They need 2.4 s over five connections; longer than the wait for one, 1 s.
  const channel = createChannel(t, url, { timeoutMs: 5000, connections: 5 });
  const results = await Promise.all(
    Array.from({ length: 200 }, () => deliver(channel)),
  );
  const delivered = results.filter(({ outcome }) => outcome === "delivered");
  assert.equal(cut, 0);
  assert.equal(mails, delivered.length);
  assert.ok(mails >= 5 && mails < 200, `${mails} were delivered`);
  for (const result of results) {
    if (result.outcome === "delivered") continue;
    assert.equal(result.outcome, "deferred");
    assert.match(String("error" in result && result.error), /connection/);
  }
});

/** Answers each command but `silentAt`, and calls when it has a mail. */
function converse(socket: Socket, onMail: () => void, silentAt?: string): void {
  let rest = "";
  let isText = false;
  socket.write("220 hi\r\n");
  socket.on("data", (data) => {
    rest += data.toString("latin1");
    for (;;) {
      const end = isText ? "\r\n.\r\n" : "\r\n";
      const at = rest.indexOf(end);
      if (at < 0) return;
      const line = rest.slice(0, at);
      rest = rest.slice(at + end.length);
      if (isText) {
        isText = false;
        onMail();
      } else if (line.slice(0, 4) !== silentAt) {
        isText = line === "DATA";
        socket.write(isText ? "354 go\r\n" : "250 ok\r\n");
      }
    }
  });
}

const serverOf = {
  plain: { disabledCommands: ["STARTTLS", "AUTH"] },
  starttls: { disabledCommands: ["AUTH"] },
  implicit: { disabledCommands: ["AUTH"], secure: true },
} as const satisfies Record<string, SMTPServerOptions>;

const file: Attachment = {
  name: "a.bin",
  contentType: "application/octet-stream",
  content: new Uint8Array(0),
};

function withFile(size: number): Partial<EmailChannelOptions> {
  return {
    readAttachments: async () => [{ ...file, content: new Uint8Array(size) }],
  };
}

async function failing(): Promise<never> {
  throw new Error("away");
}

/** A message with recipients of its own. */
function direct(change: Partial<Message> = {}): Message {
  const { topic: _, ...rest } = message();
  return { ...rest, audience: "direct", ...change };
}
