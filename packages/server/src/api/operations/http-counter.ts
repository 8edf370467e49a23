/**
 * Counts answers by route and status. A counter belongs to its route, so that
 * counting costs no look-up.
 */

import type { HttpApp } from "../http-app.ts";

export interface RequestCount {
  readonly method: string;
  /** The pattern, never the path: paths hold ids. */
  readonly route: string;
  readonly status: number;
  readonly count: number;
}

export interface HttpCounter {
  counts(): readonly RequestCount[];
}

/** Before the routes: it looks on as they are added. */
export function countRequests(app: HttpApp): HttpCounter {
  const routes: {
    readonly method: string;
    readonly route: string;
    readonly byStatus: Map<number, number>;
  }[] = [];

  app.addHook("onRoute", (options) => {
    const byStatus = new Map<number, number>();
    routes.push({
      method: String(options.method),
      route: options.url,
      byStatus,
    });
    // As the answer goes out: Fastify waits for its end with two listeners.
    const own = options.onSend ?? [];
    options.onSend = [
      ...(Array.isArray(own) ? own : [own]),
      (_request, reply, payload, done) => {
        const { statusCode } = reply;
        byStatus.set(statusCode, (byStatus.get(statusCode) ?? 0) + 1);
        done(null, payload);
      },
    ];
  });

  return {
    counts: () =>
      routes.flatMap(({ method, route, byStatus }) =>
        [...byStatus].map(([status, count]) => ({
          method,
          route,
          status,
          count,
        })),
      ),
  };
}
