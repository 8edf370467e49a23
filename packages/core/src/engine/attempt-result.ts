/**
 * What channels answer is not trusted: they speak for carriers and receivers,
 * and may be written by others. An answer out of type costs its own delivery and
 * nobody else's.
 */

import { errorClasses } from "../messages/delivery.ts";
import {
  type AttemptPart,
  maxExternalIdLength,
  maxParts,
  partStates,
} from "../messages/delivery-part.ts";
import type { ExtraData } from "../messages/message.ts";
import { sendErrorNames } from "../messages/send-error.ts";
import {
  type AttemptResult,
  type FailedResult,
  refusedParts,
} from "../ports/channel.ts";

/** A result that is safe to keep, and what was wrong with it. */
export interface CheckedResult {
  readonly result: AttemptResult;
  /** Names of what was dropped; empty for a right answer. */
  readonly defects: readonly string[];
}

const noDefects: readonly string[] = [];
/** A sentence of ours and 200 characters of the receiver's, with room to spare. */
const maxTextLength = 2000;
/** Of what a provider tells besides. */
const maxSenderMembers = 64;
const maxSenderName = 100;
/** A year: no message lives so long. Who asks for more may, and gets this. */
const maxWaitMs = 365 * 86_400_000;

/** Checks what a channel answered; never throws. */
export function checkResult(answer: unknown): CheckedResult {
  try {
    return check(answer);
  } catch {
    // A getter or proxy that throws.
    return { result: noResult, defects: ["answer"] };
  }
}

const noResult: FailedResult = {
  outcome: "unknown",
  errorClass: "internal",
  error: "The channel did not answer with a result; the log says more.",
};

function check(answer: unknown): CheckedResult {
  if (typeof answer !== "object" || answer === null) {
    return { result: noResult, defects: ["answer"] };
  }
  // Read as a result from here on; each field is looked at before it is used.
  const given = answer as Readonly<Record<string, unknown>>;
  const { outcome } = given;
  if (typeof outcome !== "string" || !Object.hasOwn(isFailure, outcome)) {
    return { result: noResult, defects: ["outcome"] };
  }
  const kept: Record<string, unknown> = { outcome };
  let defects: string[] | undefined;
  let isMended = false;
  for (const name of fieldNames) {
    const value = given[name];
    if (value === undefined) continue;
    const mended = fields[name](value);
    if (mended !== value) {
      isMended = true;
      // Receivers may ask for any wait; too long a one is no channel's fault.
      const isLongWait = name.endsWith("AfterMs") && mended !== undefined;
      if (!isLongWait) defects = [...(defects ?? []), name];
    }
    if (mended !== undefined) kept[name] = mended;
  }
  // The key was looked up above.
  if (isFailure[outcome as AttemptResult["outcome"]]) {
    if (kept.errorClass === undefined || kept.error === undefined) {
      defects = [...(defects ?? []), "error"];
    }
    kept.errorClass ??= "internal";
    kept.error ??= "The channel gave no reason.";
  }
  return {
    // The usual case goes on as it came; else what was built of checked fields.
    result: (isMended || defects ? kept : answer) as AttemptResult,
    defects: defects ?? noDefects,
  };
}

const isFailure: Readonly<Record<AttemptResult["outcome"], boolean>> = {
  accepted: false,
  delivered: false,
  simulated: false,
  deferred: true,
  rejected: true,
  unknown: true,
  suppressed: true,
};

/** Each answers the value as it may be kept; `undefined`: not at all. */
const fields = {
  statusCode: mendCount,
  parts: mendParts,
  provider: mendText,
  segments: mendCount,
  receiptExpected: mendFlag,
  errorClass: (value: unknown) => errorClasses.find((known) => known === value),
  error: mendText,
  errorName: (value: unknown) => sendErrorNames.find((it) => it === value),
  refused: (value: unknown) => refusedParts.find((it) => it === value),
  failsOver: mendFlag,
  retryAfterMs: mendWait,
  pollAfterMs: mendWait,
  senderData: mendSenderData,
  dnsMs: mendCount,
  connectMs: mendCount,
  tlsMs: mendCount,
  firstByteMs: mendCount,
} as const;
// Object.keys forgets the type of the names.
const fieldNames = Object.keys(fields) as (keyof typeof fields)[];

function mendFlag(value: unknown): boolean | undefined {
  return typeof value === "boolean" ? value : undefined;
}

export function mendWait(value: unknown): number | undefined {
  return typeof value === "number" && value >= 0
    ? Math.min(value, maxWaitMs)
    : undefined;
}

/**
 * The first `maxParts` that have a text as their id; the others are dropped, and
 * so is a state that is none.
 */
function mendParts(value: unknown): readonly AttemptPart[] | undefined {
  if (!Array.isArray(value)) return undefined;
  if (value.length <= maxParts && value.every(isPart)) return value;
  const kept: AttemptPart[] = [];
  for (const part of value.slice(0, maxParts)) {
    const mended = mendPart(part);
    if (mended !== undefined) kept.push(mended);
  }
  return kept;
}

function isPart(value: unknown): boolean {
  const mended = mendPart(value);
  return (
    mended !== undefined &&
    mended.externalId === (value as AttemptPart).externalId &&
    mended.state === (value as AttemptPart).state
  );
}

function mendPart(value: unknown): AttemptPart | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const given = value as Readonly<Record<string, unknown>>;
  const externalId = mendExternalId(given.externalId);
  if (externalId === undefined) return undefined;
  const state = partStates.find((known) => known === given.state);
  return {
    externalId,
    ...(state !== undefined && { state }),
  };
}

/** Flat, and small; the members that are not so are dropped. */
function mendSenderData(value: unknown): ExtraData | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const members = Object.entries(value);
  const kept = members.slice(0, maxSenderMembers).flatMap(([name, member]) => {
    const mended = mendSenderMember(member);
    const key = mendText(name)?.slice(0, maxSenderName).toWellFormed();
    return mended === undefined || key === undefined ? [] : [[key, mended]];
  });
  const isRight =
    kept.length === members.length &&
    kept.every(([key, member], at) => {
      const [givenKey, given] = members[at] ?? [];
      return key === givenKey && member === given;
    });
  return isRight ? (value as ExtraData) : Object.fromEntries(kept);
}

function mendSenderMember(value: unknown): unknown {
  if (typeof value === "string") return mendText(value);
  const isKept =
    value === null || typeof value === "boolean" || Number.isFinite(value);
  return isKept ? value : undefined;
}

/** A carrier's id as it is kept, cut where it is too long. */
export function mendExternalId(value: unknown): string | undefined {
  return mendText(value)?.slice(0, maxExternalIdLength).toWellFormed();
}

function mendCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0
    ? Number(value)
    : undefined;
}

/** PostgreSQL's text holds no U+0000, and UTF-8 no half of a surrogate pair. */
export function mendText(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  if (value.length <= maxTextLength && !value.includes("\0")) {
    return value.toWellFormed();
  }
  return value.slice(0, maxTextLength).replaceAll("\0", "").toWellFormed();
}
