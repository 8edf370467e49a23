/** Reads the events of mails as Mandrill posts them: a form with a JSON list. */

import { createHmac } from "node:crypto";
import { mandrillMetadata } from "@carillon/channels";
import { equalsConstantTime } from "@carillon/gateway";
import { classifyBounce, findStatus } from "./bounce-class.ts";
import { EventBodyError, isObject, maxEvents } from "./event-body.ts";
import type { MailReference, ReceivedReport } from "./mail-intake.ts";
import { parseMessageId } from "./mail-key.ts";
import { type ReportedEvent, reportText } from "./reported-event.ts";

/**
 * The events that say something of a delivery; what cannot be read is left out,
 * and counted.
 *
 * @throws EventBodyError when the form is not one of Mandrill's
 */
export function readMandrillForm(form: URLSearchParams): {
  readonly reports: readonly ReceivedReport[];
  readonly ignored: number;
} {
  const text = form.get("mandrill_events");
  if (text === null) {
    throw new EventBodyError("The form field mandrill_events is missing.");
  }
  let events: unknown;
  try {
    events = JSON.parse(text);
  } catch {
    throw new EventBodyError("mandrill_events is no JSON.");
  }
  if (!Array.isArray(events) || events.length > maxEvents) {
    throw new EventBodyError(
      `mandrill_events: a list of at most ${maxEvents} events is expected.`,
    );
  }
  const reports = events.flatMap((event) => readEvent(event) ?? []);
  return { reports, ignored: events.length - reports.length };
}

/**
 * Whether the form was signed for this URL with the webhook's key: HMAC-SHA1 over
 * the URL and all fields in the order of their names.
 */
export function isSignedByMandrill(
  key: string,
  url: string,
  form: URLSearchParams,
  signature: unknown,
): boolean {
  const fields = [...form].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  const expected = createHmac("sha1", key)
    .update(url + fields.map(([name, value]) => name + value).join(""))
    .digest("base64");
  return (
    typeof signature === "string" && equalsConstantTime(signature, expected)
  );
}

function readEvent(value: unknown): ReceivedReport | undefined {
  if (!isObject(value)) return undefined;
  const { _id: id, ts } = value;
  const message = isObject(value.msg) ? value.msg : {};
  const mail = mailOf(id, message);
  const read = (member: unknown) =>
    typeof member === "string" ? reportText(member) : undefined;
  const diagnostic = read(message.diag) ?? read(message.bounce_description);
  const kind = kindOf(value.event, diagnostic);
  if (!mail || !kind) return undefined;
  const recipient = read(message.email);
  const code = findStatus(diagnostic ?? "");
  const event: ReportedEvent = {
    ...kind,
    recipients: recipient === undefined ? [] : [recipient],
    ...(code !== undefined && { code }),
    ...(diagnostic !== undefined && { diagnostic }),
    ...(typeof ts === "number" && Number.isFinite(ts) && { at: ts * 1000 }),
  };
  return {
    mail,
    events: [event],
    raw: JSON.stringify(value),
  };
}

/**
 * The name that the mail brought along in X-MC-Metadata. Over SMTP nobody is told
 * Mandrill's own `_id`: by it mails are known that another program sent, and that
 * were imported with it.
 */
function mailOf(
  id: unknown,
  { metadata }: Readonly<Record<string, unknown>>,
): MailReference | undefined {
  const name = isObject(metadata) ? metadata[mandrillMetadata] : undefined;
  const own = typeof name === "string" ? parseMessageId(name) : undefined;
  if (own) return own;
  const isId = typeof id === "string" && id !== "" && id.length <= 200;
  return isId ? { externalId: id } : undefined;
}

function kindOf(
  event: unknown,
  diagnostic: string | undefined,
): Pick<ReportedEvent, "event" | "hard"> | undefined {
  switch (event) {
    case "delivered":
      return { event: "delivered" };
    case "deferral":
      return { event: "deferred" };
    case "hard_bounce": {
      const said = classifyBounce(findStatus(diagnostic ?? ""));
      return said.event === "rejected"
        ? said
        : { event: "bounced", hard: true };
    }
    case "soft_bounce":
      return { event: "bounced", hard: false };
    case "reject":
      return { event: "rejected" };
    case "spam":
      return { event: "complained" };
    default:
      // `send`, opens, clicks and the like.
      return undefined;
  }
}
