/**
 * Logs requests that failed through no fault of their clients. While the disk
 * is full every publish fails alike: of such failures one line is written per
 * interval, with the number of those left out since the last.
 */

import {
  CarillonError,
  type Clock,
  isTransient,
  type Logger,
} from "@carillon/core";
import type { FastifyRequest } from "fastify";

export interface FailureLog {
  /** Of a request that is answered with the status, 500 or more. */
  report(request: FastifyRequest, status: number, error: unknown): void;
}

export function createFailureLog(
  { logger, clock }: { readonly logger: Logger; readonly clock: Clock },
  { intervalMs = 10_000 }: { readonly intervalMs?: number } = {},
): FailureLog {
  /** By code of the error. */
  const lines = new Map<string, { writtenAt: number; omitted: number }>();

  /** How many were left out before this one; `undefined`: leave it out, too. */
  function admit(code: string): number | undefined {
    const now = clock.monotonic();
    const line = lines.get(code);
    if (line && now - line.writtenAt < intervalMs) {
      line.omitted++;
      return undefined;
    }
    lines.set(code, { writtenAt: now, omitted: 0 });
    return line?.omitted ?? 0;
  }

  return {
    report(request, status, error) {
      // What is not offered is no failure of ours.
      if (status === 501) return;
      const code = codeOfPassing(error);
      const omitted = code === undefined ? 0 : admit(code);
      if (omitted === undefined) return;
      logger.error("request_failed", {
        requestId: request.id,
        method: request.method,
        // The pattern: the URL may hold secrets.
        route: request.routeOptions.url,
        status,
        ...(omitted > 0 && { omitted }),
        error,
      });
    },
  };
}

/** The code of what fails for all alike until it passes. */
function codeOfPassing(error: unknown): string | undefined {
  const passes =
    isTransient(error) ||
    (error instanceof CarillonError && error.code === "OVERLOADED");
  return passes ? (error as { readonly code: string }).code : undefined;
}
