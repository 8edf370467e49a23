/** The machine-readable part of a delivery status notification (RFC 3464). */

import { classifyBounce, findStatus } from "./bounce-class.ts";
import { parseHeaders } from "./mime-part.ts";
import { addressOf, type ReportedEvent, reportText } from "./reported-event.ts";

const maxRecipients = 100;

/** An event for each recipient; what was only passed on is none. */
export function readDeliveryStatus(body: string): readonly ReportedEvent[] {
  const groups = body
    .trimStart()
    .split(/\r?\n[ \t]*\r?\n/, maxRecipients + 1)
    .map((group) => parseHeaders(group.trimStart()));
  return groups.flatMap((fields) => readRecipient(fields) ?? []);
}

type Fields = ReturnType<typeof parseHeaders>;

function readRecipient(fields: Fields): ReportedEvent | undefined {
  const field = (name: string) => fields.get(name)?.[0];
  const action = /^[a-z]*/.exec(field("action")?.toLowerCase() ?? "")?.[0];
  const diagnostic = reportText(
    field("diagnostic-code")?.replace(/^\s*[\w-]{1,20}\s*;/, ""),
  );
  const status = statusOf(field("status"), diagnostic);
  const kind = kindOf(action, status);
  if (kind === undefined) return undefined;
  const at = Date.parse(field("last-attempt-date") ?? "");
  return {
    ...kind,
    recipients: [
      addressOf(field("final-recipient")),
      addressOf(field("original-recipient")),
      addressOf(fromXtext(field("original-recipient"))),
    ].filter((it) => it !== undefined),
    ...(status !== undefined && { code: status }),
    ...(diagnostic !== undefined && { diagnostic }),
    ...(Number.isFinite(at) && { at }),
  };
}

/** RFC 3461 §4: what a server passed on may still be encoded. */
function fromXtext(value: string | undefined): string | undefined {
  return value?.replace(/\+([0-9A-F]{2})/g, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

function kindOf(
  action: string | undefined,
  status: string | undefined,
): Pick<ReportedEvent, "event" | "hard"> | undefined {
  switch (action) {
    case "delivered":
      return { event: "delivered" };
    case "delayed":
      return { event: "deferred" };
    case "failed":
      return classifyBounce(status);
    default:
      // `relayed` and `expanded`: nobody will say more. Fields of the message as a
      // whole have no action.
      return undefined;
  }
}

/** The more precise one of what the field and the server's words say. */
function statusOf(
  field: string | undefined,
  diagnostic: string | undefined,
): string | undefined {
  const [status] = /[245]\.\d{1,3}\.\d{1,3}/.exec(field ?? "") ?? [];
  if (status !== undefined && !/^\d\.0\.0$/.test(status)) return status;
  const said = findStatus(diagnostic ?? "");
  return said !== undefined && said[0] === (status ?? said)[0] ? said : status;
}
