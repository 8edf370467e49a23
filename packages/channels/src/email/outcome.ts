/** From what the SMTP server said to the result of an attempt. */

import type { FailedResult, SuccessfulResult } from "@carillon/core";
import { redact } from "@carillon/gateway";
import { excerpt } from "../excerpt.ts";

/** An accepted mail; `reply` is the server's last reply. */
export function outcomeOfReply(reply: string): SuccessfulResult {
  const [code] = /^\d{3}(?!\d)/.exec(reply) ?? [];
  return {
    outcome: "delivered",
    ...(code !== undefined && { statusCode: Number(code) }),
  };
}

/** The fields of a failure of nodemailer. */
interface SmtpError extends Error {
  readonly code?: string;
  /** The system's code behind nodemailer's. */
  readonly originalCode?: string;
  readonly responseCode?: number;
  readonly response?: string;
}

/** @param secrets of the mail server, in case it quotes them */
export function outcomeOfError(
  error: SmtpError,
  secrets: Iterable<string> = [],
): FailedResult {
  const { code = "", responseCode, response } = error;
  if (responseCode !== undefined) {
    const said = {
      errorClass: "smtp",
      error: `The mail server answered ${excerpt(redact(response ?? String(responseCode), secrets))}`,
      ...(isReplyCode(responseCode) && { statusCode: responseCode }),
    } as const;
    return isRefusal(code, responseCode)
      ? { outcome: "rejected", ...said }
      : { outcome: "deferred", ...said };
  }
  if (code === "EENVELOPE" || code === "EMESSAGE") {
    return {
      outcome: "rejected",
      errorClass: "smtp",
      error: `The mail could not be handed over: ${excerpt(error.message)}`,
    };
  }
  if (code === "ETIMEDOUT") {
    return {
      outcome: "deferred",
      errorClass: "timeout",
      error: "The mail server did not answer in time.",
    };
  }
  return {
    outcome: "deferred",
    errorClass: "unreachable",
    error: `The mail server could not be reached: ${excerpt(error.originalCode ?? (code || error.message))}.`,
  };
}

/** What a mail waits for before the server sees anything of it. */
export type MailWait = keyof typeof waitsFor;

const waitsFor = {
  memory: "others with files to be sent",
  turn: "its turn (email.mailsPerSecond)",
  connection: "a free connection (email.connections)",
} as const;

/** @param waitedFor absent: for the server */
export function outcomeOfTimeout(
  timeoutMs: number,
  waitedFor?: MailWait,
): FailedResult {
  const seconds = timeoutMs / 1000;
  if (waitedFor === undefined) {
    return {
      outcome: "deferred",
      errorClass: "timeout",
      error: `The mail server did not take the mail within ${seconds} s.`,
    };
  }
  return {
    outcome: "deferred",
    // Of the server nothing is known then.
    errorClass: "internal",
    error: `The mail waited ${seconds} s for ${waitsFor[waitedFor]}.`,
  };
}

/** Another server may take the address; this one will not the next time either. */
export const noSmtpUtf8: FailedResult = {
  outcome: "rejected",
  errorClass: "smtp",
  error:
    "The mail server does not take addresses with characters beyond ASCII before their @ (SMTPUTF8).",
};

/**
 * A permanent "no" to this mail or its recipient. Permanent answers to
 * everything else (greeting, login, missing login) are about our set-up: the
 * mail waits until that is corrected.
 */
function isRefusal(code: string, responseCode: number): boolean {
  return (
    (code === "EENVELOPE" || code === "EMESSAGE") &&
    responseCode >= 500 &&
    isReplyCode(responseCode) &&
    !setUpReplies.has(responseCode)
  );
}

/** Three digits (RFC 5321 §4.2): more of them are no word on the mail. */
function isReplyCode(code: number): boolean {
  return code >= 100 && code <= 999;
}

/** Bad sequence, and those of RFC 4954: login needed, too weak, or refused. */
const setUpReplies: ReadonlySet<number> = new Set([503, 530, 534, 535, 538]);
