/**
 * What channels answer is not trusted: they speak for carriers and receivers,
 * and may be written by others. An answer out of type costs its own delivery and
 * nobody else's.
 */

import { errorClasses } from "../messages/delivery.ts";
import type { AttemptResult, FailedResult } from "../ports/channel.ts";

/** A result that is safe to keep, and what was wrong with it. */
export interface CheckedResult {
  readonly result: AttemptResult;
  /** Names of what was dropped; empty for a right answer. */
  readonly defects: readonly string[];
}

const noDefects: readonly string[] = [];
/** A sentence of ours and 200 characters of the receiver's, with room to spare. */
const maxTextLength = 2000;
/** A year: no message lives so long. Who asks for more may, and gets this. */
const maxRetryAfterMs = 365 * 86_400_000;

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
      const isLongWait = name === "retryAfterMs" && mended !== undefined;
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
  externalId: mendText,
  provider: mendText,
  segments: mendCount,
  errorClass: (value: unknown) => errorClasses.find((known) => known === value),
  error: mendText,
  retryAfterMs: (value: unknown) =>
    typeof value === "number" && value >= 0
      ? Math.min(value, maxRetryAfterMs)
      : undefined,
} as const;
// Object.keys forgets the type of the names.
const fieldNames = Object.keys(fields) as (keyof typeof fields)[];

function mendCount(value: unknown): number | undefined {
  return Number.isSafeInteger(value) && Number(value) >= 0
    ? Number(value)
    : undefined;
}

/** PostgreSQL's text holds no U+0000, and UTF-8 no half of a surrogate pair. */
function mendText(value: unknown): string | undefined {
  if (typeof value !== "string") return undefined;
  if (value.length <= maxTextLength && !value.includes("\0")) {
    return value.toWellFormed();
  }
  return value.slice(0, maxTextLength).replaceAll("\0", "").toWellFormed();
}
