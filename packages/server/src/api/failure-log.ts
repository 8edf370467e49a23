/**
 * Logs requests that failed through no fault of their clients. While the disk
 * is full every publish fails alike: of such failures one line is written per
 * interval, and one with the number of the others.
 */

import {
  CarillonError,
  type Clock,
  isTransient,
  type LogFields,
  type Logger,
} from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { LineLimit } from "../logging/line-limit.ts";

export interface FailureLog extends Disposable {
  /** Of a request that is answered with the status, 500 or more. */
  report(request: FastifyRequest, status: number, error: unknown): void;
}

const limits = { ofOneKind: 1, inAll: 50, kinds: 50, intervalMs: 10_000 };

export function createFailureLog({
  logger,
  clock,
}: {
  readonly logger: Logger;
  readonly clock: Clock;
}): FailureLog {
  const write = ({ error, ...fields }: LogFields, omitted = 0) => {
    const more = omitted > 0 && { omitted };
    // A bound that clients reach by themselves, and no fault to look into.
    if (isOverload(error)) {
      logger.warn("request_failed", { ...fields, code: error.code, ...more });
    } else logger.error("request_failed", { ...fields, error, ...more });
  };
  const lines = new LineLimit<LogFields>(clock, limits, write);
  return {
    report(request, status, error) {
      // What is not offered is no failure of ours.
      if (status === 501) return;
      const fields = {
        requestId: request.id,
        method: request.method,
        // The pattern: the URL may hold secrets.
        route: request.routeOptions.url,
        status,
        error,
      };
      const code = codeOfPassing(error);
      if (code === undefined) write(fields);
      else lines.add(code, fields);
    },
    [Symbol.dispose]: () => lines[Symbol.dispose](),
  };
}

/** The code of what fails for all alike until it passes. */
function codeOfPassing(error: unknown): string | undefined {
  const passes = isTransient(error) || isOverload(error);
  return passes ? (error as { readonly code: string }).code : undefined;
}

function isOverload(error: unknown): error is CarillonError {
  return error instanceof CarillonError && error.code === "OVERLOADED";
}
