/** How far the deliveries of a message have come, in lines for a terminal. */

import type { Delivery, MessageReport, Messages } from "@carillon/client";
import {
  countsText,
  deliveryNote,
  failedStates,
  stateStyles,
} from "./delivery-table.ts";
import { heldText } from "./held-message.ts";
import { shortMessageId, splitDeliveryId } from "./message-id.ts";
import { type Column, formatTable } from "./output.ts";
import { wrapWords } from "./sentence.ts";

/** More are counted, and only those shown that are not fine. */
const maxRows = 20;

/** States that are shown when there are too many deliveries to show all. */
const shownStates = [...failedStates, "retrying"];

/** A message, and those of its deliveries that are shown. */
export interface Progress {
  readonly report: MessageReport;
  readonly deliveries: readonly Delivery[];
}

/** What a terminal has room for. */
export interface Room {
  /** In characters, and in lines. */
  readonly width: number;
  readonly height: number;
  readonly colours: boolean;
}

/** Reads as many deliveries of a message as there is room for. */
export async function readProgress(
  messages: Pick<Messages, "deliveries">,
  report: MessageReport,
  { height }: Pick<Room, "height">,
  signal: AbortSignal,
): Promise<Progress> {
  const room = rowsIn(height);
  const deliveries: Delivery[] = [];
  const states = totalOf(report) <= room ? [undefined] : shownStates;
  for (const state of states) {
    if (state !== undefined && !report.counts[state]) continue;
    const pageSize = Math.max(1, room - deliveries.length);
    const query = { state, pageSize };
    for await (const one of messages.deliveries(report.id, query, { signal })) {
      if (deliveries.length === room) break;
      deliveries.push(one);
    }
  }
  return { report, deliveries };
}

/** A line of counts, then a table of the deliveries that are shown. */
export function progressLines(
  { report, deliveries }: Progress,
  room: Room,
  now = Date.now(),
): string[] {
  const total = totalOf(report);
  if (total === 0) {
    return wrapWords(heldText(report, now) ?? "Delivering …", room.width);
  }
  const noun = total === 1 ? "delivery" : "deliveries";
  const more = report.fannedOut ? "" : ", more follow";
  const lines = wrapWords(
    `${total} ${noun} of ${shortMessageId(report)}: ${countsText(report.counts)}${more}`,
    room.width,
  );
  if (deliveries.length === 0) return lines;
  const columns = columnsFor(deliveries, room.width, now);
  const table = formatTable(deliveries, columns, room);
  lines.push(...table.split("\n"));
  const shownTotal =
    total <= rowsIn(room.height)
      ? total
      : shownStates.reduce((sum, it) => sum + (report.counts[it] ?? 0), 0);
  const hidden = shownTotal - deliveries.length;
  if (hidden > 0) lines.push(`… and ${hidden} more that are not delivered`);
  return lines;
}

function totalOf({ counts }: MessageReport): number {
  return Object.values(counts).reduce((sum, count) => sum + count, 0);
}

/** Beside counts (two lines), heads, what is hidden, and the cursor. */
function rowsIn(height: number): number {
  return Math.max(1, Math.min(maxRows, height - 5));
}

/** Of an id there is the end: its beginning is the message's, shown above. */
function endOfId({ id }: Delivery): string {
  return `…-${splitDeliveryId(id).target}`;
}

function columnsFor(
  deliveries: readonly Delivery[],
  width: number,
  now: number,
): readonly Column<Delivery>[] {
  const isNarrow = width < 60;
  const widest = (cell: (one: Delivery) => string) =>
    Math.max(...deliveries.map((one) => cell(one).length));
  const endpoint = Math.min(60, Math.floor(width / (isNarrow ? 4 : 3.5)));
  const others = [
    endpoint,
    // That of the head is least.
    Math.max(
      5,
      widest(({ state }) => state),
    ),
    ...(isNarrow
      ? []
      : [widest(endOfId), widest((one) => String(one.attemptCount))]),
  ];
  // Two columns are between any two.
  const note = others.reduce((room, one) => room - one - 2, width - 1);
  const attempts: Column<Delivery> = {
    head: "#",
    cell: (one) => String(one.attemptCount),
    align: "right",
  };
  return [
    ...(isNarrow ? [] : [{ head: "id", cell: endOfId }]),
    {
      head: "endpoint",
      cell: (one) =>
        isNarrow ? one.endpoint.replace(/^https?:\/\//, "") : one.endpoint,
      max: endpoint,
    },
    {
      head: "state",
      cell: (one) => one.state,
      style: (one) => stateStyles[one.state],
    },
    ...(isNarrow ? [] : [attempts]),
    {
      head: "",
      cell: (one) => cut(deliveryNote(one, now, width < 80), Math.max(8, note)),
    },
  ];
}

function cut(text: string, max: number): string {
  return text.length <= max ? text : `${text.slice(0, max - 1)}…`;
}
