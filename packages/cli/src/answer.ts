/** Reads the server's answers, which are unknown until looked at. */

import { CommandFailure } from "./command-failure.ts";

/** A JSON object that the server answered. */
export type Answer = Readonly<Record<string, unknown>>;

/** @throws CommandFailure when it is no object */
export function toAnswer(value: unknown): Answer {
  if (isAnswer(value)) return value;
  throw notUnderstood();
}

/** Whether it is an object, and no list. */
export function isAnswer(value: unknown): value is Answer {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** @throws CommandFailure when the field is no text */
export function textOf(answer: Answer, field: string): string {
  const value = answer[field];
  if (typeof value === "string") return value;
  throw notUnderstood(field);
}

/** @throws CommandFailure when the field is no list of objects */
export function listOf(answer: Answer, field: string): readonly Answer[] {
  const value = answer[field];
  if (Array.isArray(value) && value.every(isAnswer)) return value;
  throw notUnderstood(field);
}

/** Text for a cell: empty when absent. */
export function shown(value: unknown): string {
  return value === undefined || value === null ? "" : String(value);
}

function notUnderstood(field?: string): CommandFailure {
  return new CommandFailure(
    `The server's answer was not understood${field ? ` (${field} is missing)` : ""}: is it a Carillon of this version?`,
  );
}
