/** Whether the request of a failed `fetch` can have arrived. */

import { ConnectionError } from "./errors.ts";

/** System calls that come before the first byte of a request. */
const callsBeforeSending: ReadonlySet<unknown> = new Set([
  "connect",
  "getaddrinfo",
]);

/** A failure of `fetch` or of reading its answer, as ConnectionError. */
export function toConnectionError(
  error: unknown,
  target: string,
): ConnectionError {
  const causes = rootCauses(error);
  const reason = causes.map(describe).find((found) => found !== undefined);
  return new ConnectionError(
    `${target} got no answer: ${reason ?? "the connection failed"}`,
    {
      cause: error,
      outcomeUnknown: causes.length === 0 || !causes.every(isBeforeSending),
    },
  );
}

function describe(cause: object): string | undefined {
  const code = text(cause, "code");
  const message = text(cause, "message");
  // undici says so of a 100 that was not asked for, and of nothing else.
  return code === "UND_ERR_SOCKET" && message === "bad response"
    ? "it began with a 100 Continue that was not asked for, which this runtime's fetch does not take; give another fetch in the options"
    : (code ?? message);
}

function isBeforeSending(cause: object): boolean {
  return (
    ("syscall" in cause && callsBeforeSending.has(cause.syscall)) ||
    text(cause, "code") === "UND_ERR_CONNECT_TIMEOUT"
  );
}

/** Node wraps the failure in a TypeError; one per address if there were more. */
function rootCauses(error: unknown): object[] {
  if (typeof error !== "object" || error === null) return [];
  if (error instanceof AggregateError) return error.errors.flatMap(rootCauses);
  if (error instanceof Error && error.cause) return rootCauses(error.cause);
  return [error];
}

function text(object: object, field: string): string | undefined {
  const value: unknown = Reflect.get(object, field);
  return typeof value === "string" && value !== "" ? value : undefined;
}
