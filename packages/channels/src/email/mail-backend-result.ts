/** From what a backend of mails answered, or threw, to the result of an attempt. */

import {
  type AttemptResult,
  type ExtraData,
  type FailedResult,
  toStorable,
} from "@carillon/core";
import { backendStates, redact, toKnownError } from "@carillon/gateway";
import { excerpt } from "../excerpt.ts";
import { outcomeOfError } from "../sms/outcome.ts";

export interface MailResultFacts {
  /** The backend's name. */
  readonly provider: string;
  /** The id of ours, for a backend that names none. */
  readonly partId: string;
  readonly expectsReports: boolean;
}

/** Backends are written by others: an answer that makes no sense is `unknown`. */
export function outcomeOfMailResult(
  result: unknown,
  { provider, partId, expectsReports }: MailResultFacts,
): AttemptResult {
  if (result instanceof Error) return outcomeOfMailError(result, provider);
  const given = membersOf(result ?? {});
  if (given === undefined) return notUnderstood("an object", provider);
  const { externalId, senderData, error } = given;
  if (error instanceof Error) return outcomeOfMailError(error, provider);
  const { state = error === undefined ? undefined : "rejected" } = given;
  const known = backendStates.find(
    (it) => it === (state ?? (expectsReports ? "sending" : "sent")),
  );
  const id =
    externalId === undefined || externalId === null
      ? partId
      : isId(externalId)
        ? String(externalId)
        : undefined;
  if (known === undefined) {
    return notUnderstood(
      `one of ${backendStates.join(", ")} as state`,
      provider,
    );
  }
  if (id === undefined) {
    return notUnderstood("a text or a whole number as externalId", provider);
  }
  const told = flatDataOf(senderData);
  const common = {
    provider,
    parts: [{ externalId: toStorable(id) }],
    ...(told && { senderData: told }),
  };
  const reason = typeof error === "string" && error !== "" ? error : undefined;
  switch (known) {
    case "sending":
      return { outcome: "accepted", ...common, receiptExpected: true };
    case "sent":
      return { outcome: "accepted", ...common };
    case "delivered":
      return { outcome: "delivered", ...common };
    case "debug":
      return { outcome: "simulated", ...common };
    case "unknown":
      return {
        outcome: "unknown",
        ...common,
        errorClass: "provider",
        error: excerpt(
          reason ?? "The backend does not know whether the mail was sent.",
        ),
      };
    case "rejected":
      return {
        outcome: "rejected",
        provider,
        ...(told && { senderData: told }),
        errorClass: "provider",
        error: excerpt(reason ?? "The backend refused the mail."),
      };
    default:
      return known satisfies never;
  }
}

/** @param secrets that the error is not to show */
export function outcomeOfMailError(
  error: unknown,
  provider: string,
  secrets: readonly string[] = [],
): FailedResult {
  const result = outcomeOfError(toKnownError(error));
  return { ...result, provider, error: redact(result.error, secrets) };
}

function notUnderstood(expected: string, provider: string): FailedResult {
  return {
    outcome: "unknown",
    errorClass: "provider",
    error: `The backend's result cannot be understood: ${expected} is expected.`,
    provider,
  };
}

function isId(id: unknown): boolean {
  if (typeof id === "string") return id !== "" && id.length <= 200;
  return typeof id === "number" && Number.isSafeInteger(id);
}

function membersOf(
  value: unknown,
): Readonly<Record<string, unknown>> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return undefined;
  }
  // Each member is looked at before it is used.
  return value as Readonly<Record<string, unknown>>;
}

/** Members that are kept, and characters of a text. */
const maxMembers = 50;
const maxTextLength = 500;

function flatDataOf(value: unknown): ExtraData | undefined {
  const members = Object.entries(membersOf(value ?? {}) ?? {}).slice(
    0,
    maxMembers,
  );
  const kept = members
    .filter(([, member]) => member !== undefined)
    .map(([name, member]): [string, string | number | boolean | null] => {
      const isPlain =
        member === null ||
        typeof member === "boolean" ||
        (typeof member === "number" && Number.isFinite(member));
      return [
        name,
        isPlain ? member : toStorable(String(member).slice(0, maxTextLength)),
      ];
    });
  return kept.length > 0 ? Object.fromEntries(kept) : undefined;
}
