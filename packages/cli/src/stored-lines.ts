/** All of a stored message, in lines for people. */

import type { StoredMessage } from "@carillon/client";
import { deliveryLines } from "./delivery-details.ts";
import { stateStyles } from "./delivery-table.ts";
import { printableLines } from "./printable.ts";
import { type Column, formatFields, type Layout } from "./table.ts";
import { instantText } from "./time-text.ts";

const fields: readonly Column<StoredMessage>[] = [
  { head: "id", cell: (one) => one.id },
  {
    head: "state",
    cell: ({ state, pymessState: { name, number } }) =>
      `${state} (pymess: ${name}, ${number})`,
    style: ({ state }) => stateStyles[state],
  },
  { head: "to", cell: (one) => one.to },
  { head: "sender", cell: (one) => one.sender ?? "" },
  { head: "subject", cell: (one) => one.subject ?? "" },
  { head: "created", cell: (one) => instantText(one.createdAt) },
  { head: "changed", cell: (one) => instantText(one.changedAt) },
  { head: "sent", cell: (one) => instantText(one.sentAt ?? "") },
  { head: "template", cell: (one) => one.templateSlug ?? "" },
  { head: "backend", cell: (one) => one.backend ?? "" },
  { head: "error", cell: (one) => one.error ?? "" },
  { head: "tag", cell: (one) => one.tag ?? "" },
  { head: "priority", cell: (one) => String(one.priority) },
  {
    head: "related objects",
    cell: (one) =>
      one.relatedObjects.map(({ type, id }) => `${type}=${id}`).join(", "),
  },
  {
    head: "attachments",
    cell: (one) =>
      one.attachments
        .map(({ name, size, contentId }) =>
          contentId === undefined
            ? `${name} (${size} bytes)`
            : `${name} (${size} bytes, cid:${contentId})`,
        )
        .join(", "),
  },
  { head: "segments", cell: (one) => String(one.segments ?? "") },
  { head: "extra data", cell: (one) => jsonText(one.extraData) },
  { head: "provider data", cell: (one) => jsonText(one.extraSenderData) },
];

/** A line for each member that it has, its history, and then its text as it is. */
export function storedLines(message: StoredMessage, layout: Layout): string[] {
  const given = fields.filter(({ cell }) => cell(message) !== "");
  const [, ...history] = deliveryLines(message.delivery, layout);
  return [
    formatFields(message, given, layout),
    ...(history.length > 0 ? ["", "history", ...history] : []),
    ...(message.text === "" ? [] : ["", printableLines(message.text)]),
    ...(message.html === undefined
      ? []
      : ["", "HTML:", printableLines(message.html)]),
  ];
}

function jsonText(value: unknown): string {
  return value === undefined ? "" : JSON.stringify(value);
}
