/**
 * What channels answer when their carriers are asked is not trusted, as are the
 * results of attempts: an answer out of type costs itself and nothing else.
 */

import { receiptEvents } from "../messages/delivery.ts";
import type { PollAnswer, PolledReceipt } from "../ports/channel.ts";
import { mendText, mendWait } from "./attempt-result.ts";

/** An answer that is safe to act on, and what was dropped from it. */
export interface CheckedAnswer {
  readonly answer: PollAnswer;
  /** Receipts of ids that nobody asked about. */
  readonly unasked: number;
  /** Receipts that are none. */
  readonly malformed: number;
}

const noAnswer: PollAnswer = {
  outcome: "deferred",
  error: "The channel did not answer with an answer.",
};

/** Never throws. */
export function checkPollAnswer(
  answer: unknown,
  asked: ReadonlySet<string>,
): CheckedAnswer {
  try {
    return check(answer, asked);
  } catch {
    // A getter or proxy that throws.
    return { answer: noAnswer, unasked: 0, malformed: 1 };
  }
}

function check(answer: unknown, asked: ReadonlySet<string>): CheckedAnswer {
  const given = fieldsOf(answer);
  switch (given?.outcome) {
    case "answered":
      return checkReceipts(given.receipts, asked);
    case "deferred":
    case "credentials":
    case "refused": {
      const retryAfterMs = mendWait(given.retryAfterMs);
      return {
        answer: {
          outcome: given.outcome,
          error: mendText(given.error) ?? "The channel gave no reason.",
          ...(retryAfterMs !== undefined && { retryAfterMs }),
        },
        unasked: 0,
        malformed: 0,
      };
    }
    default:
      return { answer: noAnswer, unasked: 0, malformed: 1 };
  }
}

function checkReceipts(
  given: unknown,
  asked: ReadonlySet<string>,
): CheckedAnswer {
  if (!Array.isArray(given)) {
    return { answer: noAnswer, unasked: 0, malformed: 1 };
  }
  const receipts: PolledReceipt[] = [];
  let unasked = 0;
  let malformed = 0;
  for (const it of given) {
    const receipt = toReceipt(it);
    if (receipt === undefined) malformed++;
    else if (asked.has(receipt.externalId)) receipts.push(receipt);
    else unasked++;
  }
  return { answer: { outcome: "answered", receipts }, unasked, malformed };
}

function toReceipt(given: unknown): PolledReceipt | undefined {
  const { externalId, event, code, text } = fieldsOf(given) ?? {};
  const known = receiptEvents.find((it) => it === event);
  if (typeof externalId !== "string" || known === undefined) return undefined;
  const codeText = mendText(code);
  const words = mendText(text);
  return {
    externalId,
    event: known,
    ...(codeText !== undefined && { code: codeText }),
    ...(words !== undefined && { text: words }),
  };
}

function fieldsOf(
  value: unknown,
): Readonly<Record<string, unknown>> | undefined {
  // Each field is looked at before it is used.
  return typeof value === "object" && value !== null
    ? (value as Readonly<Record<string, unknown>>)
    : undefined;
}
