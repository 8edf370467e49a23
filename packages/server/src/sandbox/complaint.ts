/**
 * Writes the report by which a mail provider says that one of its people
 * called a mail unwanted (ARF, RFC 5965).
 */

import type { EpochMs } from "@carillon/core";

/** What a complaint is about. */
export interface Complaint {
  /** New for each; stands in the report's own id and between its parts. */
  readonly id: string;
  readonly at: EpochMs;
  /** The envelope's sender, who gets the report. */
  readonly from: string;
  /** Who complains. */
  readonly to: string;
}

/** @param original the mail as it came, headers and body */
export function writeComplaint(
  original: Buffer,
  { id, at, from, to }: Complaint,
): Buffer {
  const date = new Date(at).toUTCString().replace("GMT", "+0000");
  const boundary = `complaint-${id}`;
  const fields = [
    "Feedback-Type: abuse",
    "User-Agent: Carillon-Sandbox/1",
    "Version: 1",
    `Original-Mail-From: <${from}>`,
    `Original-Rcpt-To: <${to}>`,
    `Arrival-Date: ${date}`,
  ];
  const head = [
    "From: Complaints <complaints@sandbox.invalid>",
    `To: <${from}>`,
    "Subject: Complaint about a mail",
    `Date: ${date}`,
    `Message-ID: <${id}@sandbox.invalid>`,
    "Auto-Submitted: auto-generated",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=feedback-report; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: 8bit",
    "",
    `${to} called a mail from ${from} unwanted.`,
    "",
    ...fields,
    "",
    `--${boundary}`,
    "Content-Type: message/feedback-report",
    "",
    ...fields,
    "",
    `--${boundary}`,
    "Content-Type: message/rfc822",
    "Content-Disposition: attachment",
    "",
    "",
  ];
  return Buffer.concat([
    Buffer.from(head.join("\r\n")),
    original,
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ]);
}
