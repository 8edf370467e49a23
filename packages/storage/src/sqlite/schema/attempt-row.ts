/** An attempt as it stands in the tables: the last one in its delivery's row. */

import type { Attempt } from "@carillon/core";
import { toEpochMs } from "@carillon/core/rules";
import { errorClassOf } from "./codes.ts";

/** The last attempt of a delivery, from deliveries AS `alias`. */
export function lastAttemptColumns(alias: string): string {
  return `${alias}.last_at, ${alias}.last_duration_ms,
    ${alias}.last_status_code, ${alias}.last_error_class,
    ${alias}.last_error, ${alias}.last_provider`;
}

export type AttemptColumns = readonly [
  at: number | null,
  durationMs: number | null,
  statusCode: number | null,
  errorClass: number | null,
  error: string | null,
  provider: string | null,
];

/** `undefined` when there was none. */
export function toAttempt(columns: AttemptColumns): Attempt | undefined {
  const [at, durationMs, statusCode, errorClass, error, provider] = columns;
  if (at === null || durationMs === null) return undefined;
  return {
    at: toEpochMs(at),
    durationMs,
    ...(statusCode !== null && { statusCode }),
    ...(errorClass !== null && { errorClass: errorClassOf(errorClass) }),
    ...(error !== null && { error }),
    ...(provider !== null && { provider }),
  };
}
