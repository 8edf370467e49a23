import assert from "node:assert/strict";
import { test } from "node:test";
import {
  addMs,
  type DirectRecipient,
  type MessageId,
  mailEntry,
  mailPartId,
  type ProjectId,
  toEpochMs,
} from "@carillon/core";
import { ManualClock, MemoryStore, RecordingLogger } from "@carillon/testing";
import {
  complaint,
  exchangeDsn,
  plainMail,
  postfixDsn,
} from "../../test-support/mail-reports.ts";
import { connectSmtp } from "../../test-support/smtp-client.ts";
import { createBounceAddresses } from "./bounce-address.ts";
import { startBounceServer } from "./bounce-server.ts";
import { createMailIntake } from "./mail-intake.ts";

const start = toEpochMs(Date.UTC(2026, 0, 1));
const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
const ann = "ann@example.org";
const failed = { Action: "failed", Status: "5.1.1" };

test("a bounce ends the mail's delivery, and suppresses its address", async () => {
  await using set = await setUp();
  const mail = await set.mail(ann);
  await using client = await connectSmtp(set.port);
  const reply = await client.send(mail.returnPath, exchangeDsn("x@y.z", ann));
  assert.match(reply, /^250 /);
  assert.equal(await mail.state(), "rejected");
  assert.deepEqual(await set.suppressed(), [[ann, "bounced"]]);
  const [event] = await mail.events();
  assert.equal(event?.code, "5.1.10");
  assert.match(event?.raw ?? "", /^From: MAILER-DAEMON/);
  // The server repeats it: its connection broke before our answer.
  const again = await client.send(mail.returnPath, exchangeDsn("x@y.z", ann));
  assert.match(again, /^250 /);
  assert.equal((await mail.events()).length, 1);
});

test("tells what a report says of a mail, whatever comes first", async () => {
  await using set = await setUp();
  await using client = await connectSmtp(set.port);
  const mail = await set.mail(ann);
  for (const [fields, state] of [
    [{ Action: "delayed", Status: "4.4.1" }, "sent"],
    [{ Action: "failed", Status: "4.2.2" }, "sent"],
    [{ Action: "delivered", Status: "2.0.0" }, "delivered"],
    [failed, "delivered"],
  ] as const) {
    const text = postfixDsn({ to: mail.returnPath, recipients: [fields] });
    assert.match(await client.send(mail.returnPath, text), /^250 /);
    assert.equal(await mail.state(), state);
  }
  assert.deepEqual(
    (await mail.events()).map(({ event }) => event),
    ["deferred", "bounced", "delivered", "bounced"],
  );
});

test("of a report on several it counts what is said of the mail's own address", async () => {
  await using set = await setUp();
  await using client = await connectSmtp(set.port);
  const of = (address: string, Action: string, Status: string) => ({
    "Final-Recipient": `rfc822; ${address}`,
    Action,
    Status,
  });
  for (const [recipients, state] of [
    [
      [
        of("b@x.example", "delivered", "2.0.0"),
        of("Ann@EXAMPLE.org", "failed", "5.1.1"),
      ],
      "rejected",
    ],
    // A list that it was passed on to: some got it.
    [
      [
        of("b@x.example", "failed", "5.1.1"),
        of("c@x.example", "delivered", "2.0.0"),
      ],
      "delivered",
    ],
    [[of("b@x.example", "failed", "5.1.1")], "rejected"],
  ] as const) {
    const mail = await set.mail(ann);
    const text = postfixDsn({ to: mail.returnPath, recipients });
    await client.send(mail.returnPath, text);
    assert.equal(await mail.state(), state);
  }
});

test("a bounce that comes before the outcome of its attempt counts later", async () => {
  await using set = await setUp();
  await using client = await connectSmtp(set.port);
  const mail = await set.mail(ann, { isFinished: false });
  const text = postfixDsn({ to: mail.returnPath, recipients: [failed] });
  assert.match(await client.send(mail.returnPath, text), /^250 /);
  await mail.finish();
  assert.equal(await mail.state(), "rejected");
});

test("takes no mail but for its own addresses", async () => {
  await using set = await setUp();
  const mail = await set.mail(ann);
  await using client = await connectSmtp(set.port);
  const text = postfixDsn({ to: mail.returnPath, recipients: [failed] });
  for (const address of [
    "ann@example.org",
    "postmaster@bounces.example",
    `bounce+${"a".repeat(47)}@bounces.example`,
    mail.returnPath.replace(/.@/, "@"),
    mail.returnPath.replace("@bounces.", "@other."),
  ]) {
    assert.match(await client.send(address, text), /^550 /, address);
  }
  assert.equal(await mail.state(), "sent");
  for (const command of ["AUTH PLAIN AGEAYg==", "STARTTLS", "VRFY ann"]) {
    assert.doesNotMatch(await client.say(command), /^2(?!52)/, command);
  }
  set.clock.advance(100 * 86_400_000);
  await using later = await connectSmtp(set.port);
  assert.match(await later.send(mail.returnPath, text), /^550 .*no longer/);
  assert.equal(await mail.state(), "sent");
});

test("who names many wrong addresses is told to come later", async () => {
  await using set = await setUp();
  const mail = await set.mail(ann);
  await using client = await connectSmtp(set.port);
  let reply = "";
  for (let n = 0; n < 200 && !reply.startsWith("421"); n++) {
    await client.say("RSET");
    await client.say("MAIL FROM:<>");
    reply = await client.say(`RCPT TO:<bounce+${n}@bounces.example>`);
  }
  assert.match(reply, /^421 /);
  const isClosed = async () => {
    await using next = await connectSmtp(set.port);
    return !(await next.say("NOOP")).startsWith("250");
  };
  assert.equal(await isClosed(), true);
  set.clock.advance(60_000);
  assert.equal(await isClosed(), false);
  assert.equal(await mail.state(), "sent");
});

test("a complaint is found by the address that the mail was sent from", async () => {
  await using set = await setUp();
  await using client = await connectSmtp(set.port);
  const fields = { "Feedback-Type": "abuse", Version: "1" };
  const mailbox = "bounce@bounces.example";
  for (const write of [
    (path: string) =>
      complaint(mailbox, { ...fields, "Original-Mail-From": `<${path}>` }),
    (path: string) => complaint(mailbox, fields, path),
  ]) {
    const mail = await set.mail(ann);
    const text = write(mail.returnPath);
    assert.match(await client.send(mailbox, text, "fbl@isp.example"), /^250 /);
    assert.deepEqual(
      (await mail.events()).map(({ event }) => event),
      ["complained"],
    );
    assert.equal(await mail.state(), "sent");
    assert.deepEqual(await set.suppressed(), [[ann, "complained"]]);
  }
});

test("a Message-ID alone counts only where it is trusted", async () => {
  for (const trustMessageIds of [false, true]) {
    await using set = await setUp({ trustMessageIds });
    const mail = await set.mail(ann);
    await using client = await connectSmtp(set.port);
    const text = postfixDsn({
      to: "bounce@bounces.example",
      messageId: `<${mail.partId}@example.com>`,
      recipients: [failed],
    });
    const reply = await client.send("bounce@bounces.example", text);
    assert.match(reply, /^250 /);
    assert.equal(await mail.state(), trustMessageIds ? "rejected" : "sent");
    const unknown = set.logger.count("mail_report_unknown");
    assert.equal(unknown, trustMessageIds ? 0 : 1);
  }
});

test("an answer of a person or a machine is no bounce", async () => {
  await using set = await setUp();
  const mail = await set.mail(ann);
  await using client = await connectSmtp(set.port);
  const away = plainMail(
    { From: ann, "Auto-Submitted": "auto-replied" },
    "5.1.1",
  );
  for (const [text, from] of [
    [away, ""],
    [away, ann],
    [plainMail({ From: ann }, "Unsubscribe me, 5.1.1"), ann],
  ] as const) {
    assert.match(await client.send(mail.returnPath, text, from), /^250 /);
  }
  assert.deepEqual(await mail.events(), []);
  // In words alone, but of a mail server.
  const words = plainMail({ From: "x@y.example" }, "Sorry. 550 5.1.1 gone");
  await client.send(mail.returnPath, words);
  assert.equal(await mail.state(), "rejected");
});

test("a report that cannot be kept is to be sent again", async () => {
  await using set = await setUp();
  const mail = await set.mail(ann);
  await using client = await connectSmtp(set.port);
  const text = postfixDsn({ to: mail.returnPath, recipients: [failed] });
  const { recordMailEvent } = set.store;
  set.store.recordMailEvent = async () => {
    throw new Error("The disk is gone.");
  };
  assert.match(await client.send(mail.returnPath, text), /^451 /);
  set.store.recordMailEvent = recordMailEvent;
  assert.match(await client.send(mail.returnPath, text), /^250 /);
  assert.equal(await mail.state(), "rejected");
});

test("what is too large, or no mail, harms nobody", async () => {
  await using set = await setUp();
  const mail = await set.mail(ann);
  const huge = `Subject: ${"x".repeat(1000)}\r\n`.repeat(3000);
  {
    await using client = await connectSmtp(set.port);
    assert.match(await client.send(mail.returnPath, huge), /^552 /);
    const declared = await client.say("MAIL FROM:<> SIZE=100000000");
    assert.match(declared, /^552 /);
    for (const text of [
      "",
      "\0\0\0",
      "x".repeat(900_000),
      "\r\n".repeat(5000),
    ]) {
      assert.match(await client.send(mail.returnPath, text), /^250 /);
    }
  }
  {
    await using client = await connectSmtp(set.port);
    const reply = await client.say("x".repeat(1_000_000));
    assert.match(reply, /^(5\d\d |421 |closed)/);
  }
  {
    await using client = await connectSmtp(set.port);
    await client.say("MAIL FROM:<>");
    const replies = new Set<string>();
    for (let n = 0; n < 25; n++) {
      replies.add(
        (await client.say(`RCPT TO:<${mail.returnPath}>`)).slice(0, 3),
      );
    }
    assert.ok(replies.has("250"));
  }
  await using client = await connectSmtp(set.port);
  const text = postfixDsn({ to: mail.returnPath, recipients: [failed] });
  await client.send(mail.returnPath, text);
  assert.equal(await mail.state(), "rejected");
});

test("who keeps a connection too long loses it", async () => {
  await using set = await setUp();
  await using client = await connectSmtp(set.port);
  assert.match(await client.say("NOOP"), /^250 /);
  const closed = new Promise((resolve) => client.socket.on("close", resolve));
  set.clock.advance(10 * 60_000);
  await closed;
});

test("takes a thousand bounces at once", async () => {
  await using set = await setUp();
  const perClient = 50;
  const mails: Awaited<ReturnType<typeof set.mail>>[] = [];
  for (let n = 0; n < 1000; n++) {
    mails.push(await set.mail(`ann${n}@example.org`));
  }
  const replies = await Promise.all(
    Array.from({ length: mails.length / perClient }, async (_, n) => {
      await using client = await connectSmtp(set.port);
      const found: string[] = [];
      const own = mails.slice(n * perClient, (n + 1) * perClient);
      for (const { returnPath: to } of own) {
        const text = postfixDsn({ to, recipients: [failed] });
        found.push(await client.send(to, text));
      }
      return found;
    }),
  );
  assert.equal(
    replies.flat().filter((it) => it.startsWith("250")).length,
    1000,
  );
  const suppressed = await set.store.listEmailSuppressions(projectId, {
    limit: 2000,
  });
  assert.equal(suppressed.length, 1000);
});

async function setUp({ trustMessageIds = false } = {}) {
  const clock = new ManualClock(start);
  const store = new MemoryStore({ clock });
  const logger = new RecordingLogger();
  const addresses = createBounceAddresses({
    key: new Uint8Array(32).fill(1),
    domain: "bounces.example",
    mailbox: "bounce",
  });
  const intake = createMailIntake({ store, clock, logger }, () => ({
    count: 0,
    windowMs: 1,
  }));
  const server = await startBounceServer(
    { addresses, intake, clock, logger },
    { host: "127.0.0.1", port: 0, trustMessageIds },
  );
  let made = 0;

  /** A mail that its server took, as far as it is finished. */
  async function mail(endpoint: string, { isFinished = true } = {}) {
    const id = (++made).toString(16).padStart(32, "0") as MessageId;
    const recipient: DirectRecipient = {
      protocol: "email",
      endpoint,
      billable: false,
    };
    const { seq } = await store.acceptDirectMessage(
      {
        id,
        projectId,
        audience: "direct",
        content: { kind: "text", text: "News" },
        createdAt: start,
        expiresAt: addMs(start, 3_600_000),
      },
      [recipient],
    );
    const lease = { owner: "a", leaseMs: 60_000 };
    const kinds = ["delivery"] as const;
    const { deliveries } = await store.claim(lease, { kinds, limit: 1000 });
    const claimed = deliveries.find(({ messageSeq }) => messageSeq === seq);
    assert.ok(claimed);
    const finish = async () => {
      await store.finish({
        deliveries: [
          {
            messageSeq: seq,
            target: 0,
            fence: claimed.fence,
            state: "sent",
            attempts: 1,
            provider: mailEntry,
            parts: [{ externalId: mailPartId(id, 0) }],
            receiptExpected: true,
          },
        ],
      });
    };
    if (isFinished) await finish();
    return {
      returnPath: addresses.addressOf(
        { messageId: id, target: 0 },
        clock.now(),
      ),
      partId: mailPartId(id, 0),
      finish,
      state: async () => (await store.findDelivery(seq, 0))?.state,
      events: () => store.listMailEvents(seq, 0),
    };
  }

  return {
    clock,
    store,
    logger,
    port: server.port,
    mail,
    suppressed: async () =>
      (await store.listEmailSuppressions(projectId, { limit: 10 })).map(
        ({ address, reason }) => [address, reason],
      ),
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await store.close();
    },
  };
}
