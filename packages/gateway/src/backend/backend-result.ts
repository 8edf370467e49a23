/**
 * What a backend answered, put into the message, or the error that it stands for.
 * Backends are written by others: an answer that makes no sense leaves open
 * whether the text went out.
 */

import { describeValue } from "../describe-value.ts";
import {
  ConfigurationError,
  MessageSendError,
  ProviderError,
} from "../errors.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import { type BackendState, backendStates } from "./backend.ts";
import { toKnownError } from "./backend-errors.ts";

/**
 * Sets the message's id, state and data.
 *
 * @throws what the result says in place of success
 */
export function applyResult(
  message: OutgoingMessage,
  result: unknown,
  defaultState: BackendState,
): void {
  if (result instanceof Error) throw toKnownError(result);
  const given = membersOf(result ?? {});
  const { externalId, senderData, error, code } = given;
  // As many write it who have nothing to say of a member.
  const hasFailed = !isAbsent(error) && error !== "";
  const state = toState(given.state ?? defaultState);
  if (!isAbsent(senderData)) message.meta = { ...membersOf(senderData) };
  if (error instanceof Error) throw toKnownError(error);
  const reason = typeof error === "string" && hasFailed ? error : undefined;
  if (state === "unknown") {
    message.msgid = toId(externalId) ?? message.msgid;
    throw new ProviderError(
      reason ?? "The backend does not know whether the text was sent",
      { code: isCode(code) ? code : "UNKNOWN", outcomeUnknown: true },
    );
  }
  if (state === "rejected" || hasFailed) {
    throw new MessageSendError(reason ?? "The backend refused the text", {
      ...(isCode(code) && { code }),
      ...(state === "rejected" && { refused: "message" }),
    });
  }
  // An id that was chosen before stays where the backend names none.
  message.msgid = toId(externalId) ?? message.msgid;
  switch (state) {
    case "debug":
      message.simulated = true;
      return;
    case "sent":
    case "delivered":
      message.knownState = state;
      return;
    case "sending":
      return;
    default:
      state satisfies never;
  }
}

function toState(state: unknown): BackendState {
  const known = backendStates.find((it) => it === state);
  if (known !== undefined) return known;
  throw invalidResult(
    `expected one of ${backendStates.join(", ")} as state, got ${describeValue(state)}`,
  );
}

function toId(id: unknown): string | null {
  if (isAbsent(id)) return null;
  if (isId(id)) return String(id);
  throw invalidResult(
    `expected a text or a whole number as externalId, got ${describeValue(id)}`,
  );
}

function membersOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    // Each member is looked at before it is used.
    return value as Readonly<Record<string, unknown>>;
  }
  throw invalidResult(`expected an object, got ${describeValue(value)}`);
}

/**
 * The id that `chooseId` of a backend answered.
 *
 * @throws ConfigurationError: nothing was sent
 */
export function toChosenId(id: unknown): string {
  if (isId(id)) return String(id);
  throw new ConfigurationError(
    `chooseId of the backend must answer a text or a whole number, got ${describeValue(id)}`,
  );
}

function isId(id: unknown): id is string | number {
  return (typeof id === "string" && id !== "") || Number.isSafeInteger(id);
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isCode(code: unknown): code is string | number {
  return typeof code === "string" || typeof code === "number";
}

function invalidResult(problem: string): ProviderError {
  return new ProviderError(
    `The backend's result cannot be understood: ${problem}`,
    { code: "INVALID_RESULT", outcomeUnknown: true },
  );
}
