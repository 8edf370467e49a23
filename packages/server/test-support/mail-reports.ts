/** Reports as mail servers of several makes write them; made up from the RFCs. */

export interface DsnOptions {
  /** Who it comes back to. */
  readonly to: string;
  readonly messageId?: string;
  /** Fields of each recipient. */
  readonly recipients: readonly Readonly<Record<string, string>>[];
  readonly returnPath?: string;
}

/** A delivery status notification of Postfix's outline, lines of CRLF. */
export function postfixDsn({
  to,
  messageId = "<0@example.com>",
  recipients,
  returnPath = to,
}: DsnOptions): string {
  return report("delivery-status", to, [
    [
      "Content-Description: Notification",
      "Content-Type: text/plain; charset=us-ascii",
      "",
      "This is the mail system at host mx.example.net.",
      "",
      "I'm sorry to have to inform you that your message could not be delivered.",
    ],
    [
      "Content-Description: Delivery report",
      "Content-Type: message/delivery-status",
      "",
      "Reporting-MTA: dns; mx.example.net",
      "X-Postfix-Queue-ID: 4F1C22BB",
      "Arrival-Date: Thu,  1 Jan 2026 00:00:00 +0000 (UTC)",
      ...recipients.flatMap((fields) => [
        "",
        ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
      ]),
    ],
    [
      "Content-Description: Undelivered Message Headers",
      "Content-Type: text/rfc822-headers",
      "",
      `Return-Path: <${returnPath}>`,
      `Message-ID: ${messageId}`,
      "Subject: News",
    ],
  ]);
}

/** As Exchange writes it: base64, folded fields, the whole mail at the end. */
export function exchangeDsn(to: string, recipient: string): string {
  const fields = [
    "Reporting-MTA: dns;EX01.corp.example",
    "Received-From-MTA: dns;mail.example.com",
    "",
    `Original-Recipient: rfc822;${recipient}`,
    `Final-Recipient: rfc822;${recipient}`,
    "Action: failed",
    "Status: 5.1.10",
    "Diagnostic-Code: smtp;550 5.1.10 RESOLVER.ADR.RecipientNotFound;",
    "\tRecipient not found by SMTP address lookup",
    "X-Display-Name: Ann",
  ].join("\r\n");
  return report("delivery-status", to, [
    [
      "Content-Type: multipart/alternative; differences=Content-Type;",
      '\tboundary="_inner_"',
      "",
      "--_inner_",
      "Content-Type: text/plain; charset=utf-8",
      "",
      "Your message to Ann couldn't be delivered.",
      "--_inner_",
      "Content-Type: text/html; charset=utf-8",
      "",
      "<p>Your message to <b>Ann</b> couldn't be delivered.</p>",
      "--_inner_--",
    ],
    [
      "Content-Type: message/delivery-status",
      "Content-Transfer-Encoding: base64",
      "",
      Buffer.from(fields).toString("base64"),
    ],
    [
      "Content-Type: message/rfc822",
      "",
      "From: noreply@example.com",
      "Message-ID: <1@example.com>",
      "",
      "--_boundary_ in the text is not at a line's start: --_boundary_",
    ],
  ]);
}

/** As Gmail writes it: the status only generic, the code in the words. */
export function gmailDsn(to: string, recipient: string): string {
  return report("delivery-status", to, [
    ["Content-Type: text/plain", "", "** Address not found **"],
    [
      "Content-Type: message/delivery-status",
      "",
      "Reporting-MTA: dns; googlemail.example",
      `Received-From-MTA: dns; ${to}`,
      "Arrival-Date: Thu, 01 Jan 2026 00:00:00 -0800 (PST)",
      "X-Original-Message-ID: <2@example.com>",
      "",
      `Final-Recipient: rfc822; ${recipient}`,
      "Action: failed",
      "Status: 5.0.0",
      "Remote-MTA: dns; mx.example.org. (2001:db8::1, the server for the domain.)",
      "Diagnostic-Code: smtp; 550-5.1.1 The email account that you tried to reach does not exist.",
      " 550 5.1.1 Please try double-checking the address.",
      "Last-Attempt-Date: Thu, 01 Jan 2026 00:00:05 -0800 (PST)",
    ],
    ["Content-Type: message/rfc822", "", "Message-ID: <2@example.com>", "", ""],
  ]);
}

/** A complaint in the abuse reporting format. */
export function complaint(
  to: string,
  fields: Readonly<Record<string, string>>,
  returnPath?: string,
): string {
  return report("feedback-report", to, [
    ["Content-Type: text/plain", "", "This is an abuse report."],
    [
      "Content-Type: message/feedback-report",
      "",
      ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    ],
    [
      "Content-Type: message/rfc822",
      "",
      ...(returnPath === undefined ? [] : [`Return-Path: <${returnPath}>`]),
      "Message-ID: <3@example.com>",
      "",
      "Buy now",
    ],
  ]);
}

/** A mail without parts. */
export function plainMail(
  fields: Readonly<Record<string, string>>,
  text: string,
): string {
  return [
    ...Object.entries(fields).map(([name, value]) => `${name}: ${value}`),
    "",
    text,
  ].join("\r\n");
}

function report(
  type: string,
  to: string,
  parts: readonly (readonly string[])[],
): string {
  return [
    "From: MAILER-DAEMON@mx.example.net (Mail Delivery System)",
    `To: <${to}>`,
    "Subject: Undelivered Mail Returned to Sender",
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=${type};`,
    '\tboundary="_boundary_"',
    "",
    "This is a MIME-encapsulated message.",
    ...parts.flatMap((lines) => ["", "--_boundary_", ...lines]),
    "",
    "--_boundary_--",
    "",
  ].join("\r\n");
}
