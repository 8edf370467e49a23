/**
 * A line for each request that was answered. Changes and failures are at info,
 * bounded: of requests that are alike (route, status and caller) a few are
 * written in ten seconds, the others counted. What a busy server does thousands
 * of times a second is at debug.
 */

import type { Clock, LogFields, Logger } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { LineLimit } from "./line-limit.ts";
import type { SafePath } from "./safe-path.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /**
     * Successful requests are logged at debug, although they are no reads:
     * there may be thousands in a second.
     */
    isFrequent?: boolean;
  }
}

/** What is the same for all requests of a route. */
export interface LoggedRoute {
  readonly method: string;
  /** The pattern; `undefined` for what led to no route. */
  readonly route: string | undefined;
  readonly isFrequent: boolean;
  readonly pathOf: SafePath;
}

export interface RequestLog extends Disposable {
  note(
    route: LoggedRoute,
    request: FastifyRequest,
    status: number,
    durationMs: number,
  ): void;
}

const limits = { ofOneKind: 20, inAll: 200, kinds: 100, intervalMs: 10_000 };

const reads: ReadonlySet<string> = new Set(["GET", "HEAD", "OPTIONS"]);

export function createRequestLog({
  logger,
  clock,
}: {
  readonly logger: Logger;
  readonly clock: Clock;
}): RequestLog {
  const shown = new LineLimit<LogFields>(clock, limits, (fields, omitted) =>
    logger.info("request", omitted > 0 ? { ...fields, omitted } : fields),
  );
  return {
    note(route, request, status, durationMs) {
      const isRoutine =
        status < 400 && (route.isFrequent || reads.has(route.method));
      if (isRoutine && logger.showsDebug?.() === false) return;
      const fields = describe(route, request, status, durationMs);
      if (isRoutine) {
        logger.debug("request", fields);
        return;
      }
      const caller = fields.userId ?? fields.accountId;
      const kind = `${route.method} ${route.route} ${status} ${caller}`;
      shown.add(kind, fields);
    },
    [Symbol.dispose]: () => shown[Symbol.dispose](),
  };
}

function describe(
  { method, route, pathOf }: LoggedRoute,
  request: FastifyRequest,
  status: number,
  durationMs: number,
): LogFields {
  const { id, principal, account, ip, failureCode } = request;
  const own =
    account?.kind === "subscriber" ? account.mailbox : account?.publisher;
  return {
    requestId: id,
    method,
    route,
    path: pathOf(request.raw.url ?? ""),
    status,
    code: failureCode,
    durationMs: Math.round(durationMs * 10) / 10,
    userId: principal?.userId,
    accountId: own?.id,
    projectId: principal?.project?.id ?? own?.projectId,
    address: ip,
  };
}
