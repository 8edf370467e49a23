/** Which requests stand in the audit log, and writes those that succeed. */

import { maskEndpoint } from "@carillon/core";
import type { AuditLog } from "../identity/audit-log.ts";
import type { HttpApp } from "./http-app.ts";

/**
 * What others depend on: who may do what, keys, policies and settings. Not
 * topics, subscriptions and messages themselves.
 */
const audited: readonly RegExp[] = [
  /^\/api\/v2\/(domains|projects|users|access-keys|signing-keys|keys|opt-outs)(\/|$)/,
  /^\/(api\/v2|v2\/:project_id\/notifications)\/topics\/:\w+\/(attributes|kms|logtanks|notify-policy)(\/|$)/,
  /^\/v2\/:project_id\/notifications\/subscriptions\/filter_polices$/,
  // Revoking; a log-in has no caller here, and writes an entry of its own.
  /^\/v3\/auth\/tokens$/,
];

/** Longest path in an entry, in characters. */
const maxTargetLength = 512;

/**
 * Writes an entry for each successful change before it is answered. To be
 * called before routes are added.
 */
export function auditRoutes(app: HttpApp, log: AuditLog): void {
  app.addHook("onRoute", (route) => {
    const isChange = [route.method]
      .flat()
      .some((method) => method !== "GET" && method !== "HEAD");
    if (!isChange || !audited.some((pattern) => pattern.test(route.url))) {
      return;
    }
    const own = route.onSend ?? [];
    route.onSend = [
      ...(Array.isArray(own) ? own : [own]),
      async (request, reply, payload: unknown) => {
        const { principal, method, id, ip: address, raw } = request;
        if (principal && reply.statusCode < 400) {
          const [path = ""] = (raw.url ?? "").split("?", 1);
          const target = maskNumber(path, route.url).slice(0, maxTargetLength);
          const action = `${method} ${route.url}`;
          await log.noteChange(principal, { action, target }, { id, address });
        }
        return payload;
      },
    ];
  });
}

/** The path, for an opt-out with its phone number as logs have numbers. */
function maskNumber(path: string, route: string): string {
  if (!/^\/api\/v2\/opt-outs\/:/.test(route)) return path;
  const number = decodeURIComponent(path.slice(path.lastIndexOf("/") + 1));
  return `/api/v2/opt-outs/${maskEndpoint("sms", number)}`;
}
