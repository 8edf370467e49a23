import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { assertCost } from "@carillon/testing";
import {
  complaint,
  exchangeDsn,
  gmailDsn,
  plainMail,
  postfixDsn,
} from "../../test-support/mail-reports.ts";
import { classifyBounce, findStatus } from "./bounce-class.ts";
import { readMailReport } from "./read-mail-report.ts";

const to = "bounce+token@bounces.example";
const ann = "ann@example.org";

describe("what a status says of a mail that came back", () => {
  for (const [status, event, hard] of [
    ["5.1.1", "bounced", true],
    ["5.1.10", "bounced", true],
    ["5.1.7", "rejected", undefined],
    ["5.2.1", "bounced", true],
    ["5.2.2", "bounced", false],
    ["5.2.3", "rejected", undefined],
    ["5.3.4", "rejected", undefined],
    ["5.4.1", "bounced", true],
    ["5.4.4", "bounced", true],
    ["5.4.7", "bounced", false],
    ["5.6.0", "rejected", undefined],
    ["5.7.1", "rejected", undefined],
    ["5.0.0", "bounced", true],
    ["5.9.9", "bounced", true],
    ["5.01.001", "bounced", true],
    ["4.2.2", "bounced", false],
    ["4.4.7", "bounced", false],
    ["2.1.5", "bounced", false],
    ["nonsense", "bounced", false],
    [undefined, "bounced", false],
  ] as const) {
    test(String(status), () => {
      const found = classifyBounce(status);
      assert.equal(found.event, event);
      assert.equal(found.hard, hard);
    });
  }
});

test("finds the status in the words of a server", () => {
  for (const [words, status] of [
    ["550 5.1.1 <ann@example.org>: no such user", "5.1.1"],
    ["550-5.7.26 unauthenticated", "5.7.26"],
    ["(#5.1.1).", "5.1.1"],
    ["it said 5.1.2.", "5.1.2"],
    ["host 5.1.1.1 refused", undefined],
    ["from 10.5.1.1", undefined],
    ["version 15.1.2", undefined],
    ["delivered, 2.0.0 ok", undefined],
    ["", undefined],
  ] as const) {
    assert.equal(findStatus(words), status, words);
  }
});

test("reads a bounce as Postfix writes it", () => {
  const text = postfixDsn({
    to,
    messageId: "<abc.1@example.com>",
    recipients: [
      {
        "Final-Recipient": `rfc822; ${ann}`,
        "Original-Recipient": "rfc822;ann+2Bnews@example.org",
        Action: "failed",
        Status: "5.1.1",
        "Remote-MTA": "dns; mx.example.org",
        "Diagnostic-Code":
          "smtp; 550 5.1.1 <ann@example.org>: Recipient address rejected",
        "Last-Attempt-Date": "Thu, 1 Jan 2026 00:00:00 +0000",
      },
    ],
  });
  assert.deepEqual(readMailReport(text, ""), {
    kind: "events",
    events: [
      {
        event: "bounced",
        hard: true,
        recipients: [ann, "ann+2Bnews@example.org", "ann+news@example.org"],
        code: "5.1.1",
        diagnostic: "550 5.1.1 <ann@example.org>: Recipient address rejected",
        at: Date.UTC(2026, 0, 1),
      },
    ],
    returnPaths: [to],
    messageId: "abc.1@example.com",
  });
});

test("reads a bounce as Exchange writes it", () => {
  const report = readMailReport(exchangeDsn(to, ann), "");
  assert.ok(report.kind === "events");
  assert.equal(report.events.length, 1);
  assert.deepEqual(report.events[0], {
    event: "bounced",
    hard: true,
    recipients: [ann, ann, ann],
    code: "5.1.10",
    diagnostic:
      "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address lookup",
  });
  assert.equal(report.messageId, "1@example.com");
});

test("reads a bounce as Gmail writes it: the words say more than the status", () => {
  const report = readMailReport(gmailDsn(to, ann), "");
  assert.ok(report.kind === "events");
  assert.equal(report.events[0]?.code, "5.1.1");
  assert.equal(report.events[0]?.hard, true);
});

describe("actions", () => {
  for (const [fields, event, hard] of [
    [{ Action: "delivered", Status: "2.0.0" }, "delivered", undefined],
    [{ Action: "delayed", Status: "4.4.1" }, "deferred", undefined],
    [{ Action: "Failed (permanent)", Status: "5.1.1 (bad)" }, "bounced", true],
    [{ Action: "failed", Status: "4.4.7" }, "bounced", false],
    [{ Action: "failed", Status: "5.7.1" }, "rejected", undefined],
    [{ Action: "failed" }, "bounced", false],
  ] as const) {
    test(JSON.stringify(fields), () => {
      const text = postfixDsn({ to, recipients: [fields] });
      const report = readMailReport(text, "");
      assert.ok(report.kind === "events");
      assert.equal(report.events[0]?.event, event);
      assert.equal(report.events[0]?.hard, hard);
    });
  }
  test("what was only passed on is no event", () => {
    for (const Action of ["relayed", "expanded", "", "other"]) {
      const recipients = [{ Action, Status: "2.0.0" }];
      const { kind } = readMailReport(postfixDsn({ to, recipients }), "");
      assert.equal(kind, "unreadable");
    }
  });
});

test("reads an event for each recipient", () => {
  const text = postfixDsn({
    to,
    recipients: [
      {
        "Final-Recipient": `rfc822; ${ann}`,
        Action: "failed",
        Status: "5.1.1",
      },
      { "Final-Recipient": "rfc822; b@x.example", Action: "delivered" },
    ],
  });
  const report = readMailReport(text, "");
  assert.ok(report.kind === "events");
  assert.deepEqual(
    report.events.map(({ event, recipients }) => [event, recipients[0]]),
    [
      ["bounced", ann],
      ["delivered", "b@x.example"],
    ],
  );
});

test("reads a complaint", () => {
  const fields = {
    "Feedback-Type": "abuse",
    "User-Agent": "Complainer/1.0",
    Version: "1",
    "Original-Mail-From": `<${to}>`,
    "Original-Rcpt-To": `<${ann}>`,
    "Arrival-Date": "Thu, 1 Jan 2026 00:00:00 +0000",
  };
  assert.deepEqual(
    readMailReport(
      complaint("bounce@x.example", fields, to),
      "fbl@isp.example",
    ),
    {
      kind: "events",
      events: [
        {
          event: "complained",
          recipients: [ann],
          code: "abuse",
          diagnostic: "reported by Complainer/1.0",
          at: Date.UTC(2026, 0, 1),
        },
      ],
      returnPaths: [to, to],
      messageId: "3@example.com",
    },
  );
  for (const type of ["not-spam", "auth-failure", ""]) {
    const other = complaint(to, { ...fields, "Feedback-Type": type });
    assert.equal(readMailReport(other, "").kind, "unreadable");
  }
});

test("takes a bounce in words for soft, unless it has a permanent status", () => {
  for (const [from, envelope, text, expected] of [
    ["x@y.example", "", "Mailbox busy.", [false, undefined]],
    ["x@y.example", "", "550 5.1.1 no such user", [true, "5.1.1"]],
    ["MAILER-DAEMON@y.example", "root@y.example", "gone", [false, undefined]],
    [
      "Postmaster <postmaster@y.example>",
      "p@y.example",
      "4.2.2",
      [false, "4.2.2"],
    ],
  ] as const) {
    const mail = plainMail({ From: from, "Content-Type": "text/plain" }, text);
    const report = readMailReport(mail, envelope);
    assert.ok(report.kind === "events", text);
    const [event] = report.events;
    assert.equal(event?.event, "bounced");
    assert.deepEqual([event.hard, event.code], expected);
    assert.equal(event.diagnostic, text);
  }
});

test("takes no answer of a person or a machine for a bounce", () => {
  for (const [fields, kind] of [
    [{ From: "ann@example.org" }, "unreadable"],
    [
      { From: "ann@example.org", "Auto-Submitted": "auto-replied" },
      "auto_reply",
    ],
    [
      { From: "ann@example.org", "Auto-Submitted": "Auto-Replied (vacation)" },
      "auto_reply",
    ],
    [{ From: "ann@example.org", "X-Autoreply": "yes" }, "auto_reply"],
    [{ From: "ann@example.org", Precedence: "auto_reply" }, "auto_reply"],
  ] as const) {
    const text = plainMail(fields, "I am away. 5.1.1");
    assert.equal(readMailReport(text, "ann@example.org").kind, kind);
    // Machines answer with the null sender, too.
    if (kind === "auto_reply") {
      assert.equal(readMailReport(text, "").kind, kind);
    }
  }
});

test("keeps what is said in one line of plain text, cut", () => {
  const text = postfixDsn({
    to,
    recipients: [
      {
        Action: "failed",
        Status: "5.1.1",
        "Diagnostic-Code": `smtp; a\u0000b\u001bc\u2028${"x".repeat(9000)}`,
      },
    ],
  });
  const report = readMailReport(text, "");
  assert.ok(report.kind === "events");
  assert.match(report.events[0]?.diagnostic ?? "", /^a b c x{994}$/);
});

describe("hostile input ends soon, without an error", () => {
  const nested = (depth: number) => {
    let text = "Content-Type: text/plain\r\n\r\n5.1.1";
    for (let n = 0; n < depth; n++) {
      text = `Content-Type: multipart/mixed; boundary="b${n}"\r\n\r\n--b${n}\r\n${text}\r\n--b${n}--`;
    }
    return text;
  };
  const million = 1_000_000;
  const header = "Content-Type: multipart/report; boundary=b\r\n\r\n";
  const encodedStatus = `${header}--b\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n`;
  const usual = `${encodedStatus}${"Final-Recipient: rfc822; ann=40example.org\r\n".repeat(million / 40)}`;
  for (const [title, text] of Object.entries({
    "nothing at all": "",
    "one line without end": "x".repeat(million),
    "a header without end": `Subject: ${"x".repeat(million)}`,
    "a million folds": `Subject: ${"\r\n x".repeat(250_000)}`,
    "many headers": "A: b\r\n".repeat(150_000),
    "deep nesting": nested(5000),
    "many parts": header + "--b\r\n\r\n".repeat(140_000),
    "boundaries that begin alike": header + "--bb\r\n".repeat(150_000),
    "boundaries inside a line": `${header}${"--b".repeat(330_000)}`,
    "an end that never comes": `${header}--b\r\nContent-Type: message/delivery-status\r\n\r\n${"\r\n".repeat(400_000)}`,
    "spaces without end": `${header}--b\r\nContent-Type: message/delivery-status\r\n\r\n\r\n${" ".repeat(million)}`,
    "many recipients": `${header}--b\r\nContent-Type: message/delivery-status\r\n\r\n${"Action: failed\r\n\r\n".repeat(50_000)}`,
    "equals signs": `${encodedStatus}${"= ".repeat(500_000)}`,
    "angle brackets": `${header}--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nOriginal-Mail-From: ${"<".repeat(60_000)}`,
    "numbers and dots": "5.1.".repeat(250_000),
    "an empty boundary":
      'Content-Type: multipart/report; boundary=""\r\n\r\n--',
    "a quote that stays open": `Content-Type: multipart/report; boundary="${"b".repeat(million)}`,
    "no text": Buffer.from(Array.from({ length: 256 }, (_, n) => n)).toString(),
  })) {
    test(title, async () => {
      await assertCost(() => readMailReport(text, ""), {
        atMost: 10,
        timesThatOf: () => readMailReport(usual, ""),
      });
    });
  }
});

test("cuts off recipients of a report that has many", () => {
  const recipients = Array.from({ length: 5000 }, () => ({ Action: "failed" }));
  const report = readMailReport(postfixDsn({ to, recipients }), "");
  assert.ok(report.kind === "events");
  assert.ok(report.events.length <= 100);
});
