/**
 * Reads a mail that came to the return address: a delivery status notification,
 * a complaint, or a bounce in words alone.
 */

import { classifyBounce, findStatus } from "./bounce-class.ts";
import { readDeliveryStatus } from "./delivery-status.ts";
import { readFeedbackReport } from "./feedback-report.ts";
import {
  decodedBody,
  leavesOf,
  type MimePart,
  parseHeaders,
  parseMail,
} from "./mime-part.ts";
import { addressOf, type MailReport, reportText } from "./reported-event.ts";

/** How far a bounce in words is searched for a status. */
const searchedCharacters = 16 * 1024;

/**
 * @param envelopeFrom empty for the null sender, which reports have (RFC 5321
 * §4.5.5)
 */
export function readMailReport(text: string, envelopeFrom: string): MailReport {
  const mail = parseMail(text);
  const leaves = leavesOf(mail);
  const about = readOriginal(leaves);

  const complaint = leaves.find((it) => it.type === "message/feedback-report");
  if (complaint) {
    const report = readFeedbackReport(decodedBody(complaint));
    if (!report) return { kind: "unreadable" };
    const { event, returnPath } = report;
    const returnPaths = [
      ...(returnPath === undefined ? [] : [returnPath]),
      ...about.returnPaths,
    ];
    return { kind: "events", events: [event], ...about, returnPaths };
  }

  const status = leaves.find((it) => statusTypes.has(it.type));
  if (status) {
    const events = readDeliveryStatus(decodedBody(status));
    return events.length > 0
      ? { kind: "events", events, ...about }
      : { kind: "unreadable" };
  }

  if (isAutoReply(mail)) return { kind: "auto_reply" };
  if (!isOfMailServer(mail, envelopeFrom)) return { kind: "unreadable" };
  const words = leaves
    .filter((it) => it.type === "text/plain")
    .map(decodedBody)
    .join("\n")
    .slice(0, searchedCharacters);
  const code = findStatus(words);
  const diagnostic = reportText(lineWith(words, code));
  return {
    kind: "events",
    events: [
      {
        ...classifyBounce(code),
        recipients: [],
        ...(code !== undefined && { code }),
        ...(diagnostic !== undefined && { diagnostic }),
      },
    ],
    ...about,
  };
}

const statusTypes: ReadonlySet<string> = new Set([
  "message/delivery-status",
  // RFC 6533: in UTF-8.
  "message/global-delivery-status",
]);

/** What the report quotes of the mail that it is about. */
function readOriginal(leaves: readonly MimePart[]) {
  const quoted = leaves.find((it) => originalTypes.has(it.type));
  const headers = parseHeaders(quoted ? decodedBody(quoted).trimStart() : "");
  const returnPath = addressOf(headers.get("return-path")?.[0]);
  const messageId = /^<([^<>\s]{1,200})>$/.exec(
    headers.get("message-id")?.[0] ?? "",
  )?.[1];
  return {
    returnPaths: returnPath === undefined ? [] : [returnPath],
    ...(messageId !== undefined && { messageId }),
  };
}

const originalTypes: ReadonlySet<string> = new Set([
  "message/rfc822",
  "text/rfc822-headers",
  "message/rfc822-headers",
  "message/global",
  "message/global-headers",
]);

/** RFC 3834 §5, and what is older. */
function isAutoReply({ headers }: MimePart): boolean {
  const submitted = headers.get("auto-submitted")?.[0]?.toLowerCase() ?? "";
  return (
    submitted.startsWith("auto-replied") ||
    headers.has("x-autoreply") ||
    headers.has("x-autorespond") ||
    /^(bulk|auto_reply)/i.test(headers.get("precedence")?.[0] ?? "")
  );
}

/** A person, or a program that answers for one, has an address of its own. */
function isOfMailServer({ headers }: MimePart, envelopeFrom: string): boolean {
  if (envelopeFrom === "") return true;
  const from = addressOf(headers.get("from")?.[0]) ?? envelopeFrom;
  return /^(mailer-daemon|postmaster)@/i.test(from);
}

/** The line of the text with the status in it, else its first. */
function lineWith(words: string, code: string | undefined): string | undefined {
  const lines = words.split(/\r?\n/);
  return (
    lines.find((line) => code !== undefined && line.includes(code)) ??
    lines.find((line) => line.trim() !== "")
  );
}
