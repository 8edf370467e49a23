/** The machine-readable part of a complaint (ARF, RFC 5965). */

import { parseHeaders } from "./mime-part.ts";
import { addressOf, type ReportedEvent, reportText } from "./reported-event.ts";

export interface FeedbackReport {
  readonly event: ReportedEvent;
  /** The envelope's sender of the mail. */
  readonly returnPath?: string;
}

/** `undefined` for reports that are no complaint, such as `not-spam`. */
export function readFeedbackReport(body: string): FeedbackReport | undefined {
  const fields = parseHeaders(body.trimStart());
  const field = (name: string) => fields.get(name)?.[0];
  const type = field("feedback-type")?.trim().toLowerCase();
  if (type === undefined || !complaints.has(type)) return undefined;
  const at = Date.parse(field("arrival-date") ?? field("received-date") ?? "");
  const agent = reportText(field("user-agent"));
  const returnPath = addressOf(field("original-mail-from"));
  return {
    event: {
      event: "complained",
      recipients: [addressOf(field("original-rcpt-to"))].filter(
        (it) => it !== undefined,
      ),
      code: type,
      ...(agent !== undefined && { diagnostic: `reported by ${agent}` }),
      ...(Number.isFinite(at) && { at }),
    },
    ...(returnPath !== undefined && { returnPath }),
  };
}

/** RFC 5965 §7.3: what a person, or a filter in their place, called unwanted. */
const complaints: ReadonlySet<string> = new Set(["abuse", "fraud", "other"]);
