/** All of a message, in lines for people. */

import type { JsonObject, MessageReport } from "@carillon/client";
import { cancelledText } from "./cancelled-message.ts";
import { countsText } from "./delivery-table.ts";
import { heldText } from "./held-message.ts";
import { printable } from "./printable.ts";
import { wrapWords } from "./sentence.ts";
import { ageText, durationText, instantText } from "./time-text.ts";

/** The columns of a name and the space behind it. */
const nameWidth = 17;

/** A line: a member of the answer, what it is called, and how it is written. */
interface Fact {
  readonly member: string;
  /** Default: as the member. */
  readonly name?: string;
  /** Default: a text as it is, anything else as JSON. */
  readonly text?: (value: unknown, now: number) => string | undefined;
}

const facts: readonly Fact[] = [
  { member: "id" },
  { member: "audience" },
  { member: "topicName", name: "topic" },
  { member: "topicUrn", name: "topic URN" },
  { member: "topicUrns", name: "topics", text: wordsText },
  { member: "subject" },
  { member: "kind" },
  { member: "acceptedAt", name: "accepted", text: instantLine },
  { member: "notBefore", name: "not before", text: instantLine },
  { member: "expiresAt", name: "expires", text: instantLine },
  { member: "timeToLiveSeconds", name: "time to live", text: lifeText },
  { member: "class" },
  { member: "tag" },
  { member: "priority" },
  { member: "sms", name: "texts", text: smsText },
  {
    member: "relatedObjects",
    name: "related objects",
    text: (all) =>
      wordsText(listOf(all).map(({ type, id }) => `${type}=${id}`)),
  },
  {
    member: "attributes",
    text: (all) =>
      wordsText(
        listOf(all).map(({ name, value }) => `${name}=${textOf(value)}`),
      ),
  },
  { member: "extraData", name: "extra data" },
  { member: "statusUrl", name: "status URL" },
];

/** Those that are shown otherwise. */
const apart = [
  "text",
  "variants",
  "excerpt",
  "counts",
  "fannedOut",
  "cancelled",
];

/**
 * A line for each fact, then the text as it is, or each variant's. What a newer
 * server answers besides is shown under its own name.
 */
export function messageLines(
  report: MessageReport,
  {
    width,
    now = Date.now(),
  }: { width?: number | undefined; now?: number } = {},
): string[] {
  const known = new Set([...facts.map(({ member }) => member), ...apart]);
  const others = Object.keys(report).filter((name) => !known.has(name));
  const lines = [...facts, ...others.map((member): Fact => ({ member }))]
    .map(
      ({ member, name = member, text = textOf }) =>
        [name, text(report[member], now)] as const,
    )
    .concat([
      ["cancelled", cancelledText(report)],
      ["deliveries", deliveriesText(report, now)],
    ])
    .flatMap(([name, value]) => linesOf(name, value, width));
  const { text, variants } = report;
  const texts: readonly (readonly [string, unknown])[] =
    text === undefined ? Object.entries(variants ?? {}) : [["", text]];
  for (const [protocol, words] of texts) {
    lines.push("", ...(protocol && [`${protocol}:`]), ...textLines(words));
  }
  return lines;
}

/** None where there is no value; what is too long goes on below itself. */
function linesOf(
  name: string,
  value: string | undefined,
  width = Number.POSITIVE_INFINITY,
): string[] {
  if (value === undefined || value === "") return [];
  return wrapWords(printable(value), width - nameWidth).map(
    (line, at) => `${(at === 0 ? name : "").padEnd(nameWidth - 1)} ${line}`,
  );
}

function deliveriesText(report: MessageReport, now: number): string {
  const held = report.cancelled ? undefined : heldText(report, now);
  if (held !== undefined) return held;
  const counts = countsText(report.counts);
  if (report.fannedOut) return counts || "none";
  return counts === "" ? "none yet" : `${counts}, more follow`;
}

/** Such as `2026-12-24 08:00:00 (in 28 d)`. */
function instantLine(at: unknown, now: number): string | undefined {
  if (typeof at !== "string") return undefined;
  const left = Date.parse(at) - now;
  const distance =
    left > 0 ? `in ${durationText(left)}` : `${ageText(at, now)} ago`;
  return `${instantText(at)} (${distance})`;
}

/** Of all protocols, or by protocol. */
function lifeText(seconds: unknown): string | undefined {
  if (typeof seconds === "number") return `${seconds} s`;
  if (typeof seconds !== "object" || seconds === null) return undefined;
  return Object.entries(seconds)
    .map(([protocol, life]) => `${protocol} ${life} s`)
    .join(", ");
}

/** Such as `sender ACME, validity 30 min, params {"a":"b"}`. */
function smsText(options: unknown): string | undefined {
  if (typeof options !== "object" || options === null) return undefined;
  return Object.entries(options)
    .map(([name, value]) =>
      name === "validityMinutes"
        ? `validity ${value} min`
        : `${name} ${textOf(value)}`,
    )
    .join(", ");
}

function wordsText(words: unknown): string | undefined {
  return Array.isArray(words) ? words.join(", ") : undefined;
}

function listOf(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value : [];
}

function textOf(value: unknown): string | undefined {
  return typeof value === "string" || value === undefined
    ? value
    : JSON.stringify(value);
}

/** Line by line, so that breaks stay and control characters go. */
function textLines(text: unknown): string[] {
  return String(text)
    .split("\n")
    .map((line) => line.replace(/\p{Cc}+/gu, " "));
}
