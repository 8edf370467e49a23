/** What a backend says of texts that it was asked about, in the gateway's words. */

import { describeValue } from "../describe-value.ts";
import { ProviderError } from "../errors.ts";
import {
  MessageAccepted,
  MessageDelivered,
  MessageError,
  MessageExpired,
  type MessageStatus,
  type MessageStatusInit,
} from "../message-status.ts";
import { type CheckedState, checkedStates } from "./backend.ts";

const statuses: Readonly<
  Record<
    CheckedState,
    new (
      msgid: string,
      init?: MessageStatusInit,
    ) => MessageStatus
  >
> = {
  sending: MessageAccepted,
  sent: MessageAccepted,
  delivered: MessageDelivered,
  expired: MessageExpired,
  failed: MessageError,
};

/** @throws ProviderError for an answer that is no list of states */
export function toStatuses(
  answer: unknown,
  rtime: Date,
): readonly MessageStatus[] {
  if (!Array.isArray(answer)) {
    throw invalid(`expected a list, got ${describeValue(answer)}`);
  }
  return answer.map((entry: unknown) => toStatus(entry, rtime));
}

function toStatus(entry: unknown, rtime: Date): MessageStatus {
  if (typeof entry !== "object" || entry === null) {
    throw invalid(`expected objects in the list, got ${describeValue(entry)}`);
  }
  // Each member is looked at before it is used.
  const { externalId, state, code, text } = entry as Readonly<
    Record<string, unknown>
  >;
  const known = checkedStates.find((it) => it === state);
  if (known === undefined) {
    throw invalid(
      `expected one of ${checkedStates.join(", ")} as state, got ${describeValue(state)}`,
    );
  }
  if (typeof externalId !== "string" && typeof externalId !== "number") {
    throw invalid(
      `expected a text or a number as externalId, got ${describeValue(externalId)}`,
    );
  }
  return new statuses[known](String(externalId), {
    rtime,
    ...(code !== undefined && code !== null && { statusCode: code }),
    ...(typeof text === "string" && { status: text }),
  });
}

/** Retryable: no id is to blame. */
function invalid(problem: string): ProviderError {
  return new ProviderError(
    `The backend's answer cannot be understood: ${problem}`,
    { code: "INVALID_RESULT", retryable: true },
  );
}
