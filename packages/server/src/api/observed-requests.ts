/** Measures and logs each request as its answer goes out. */

import type { Clock } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { LoggedRoute, RequestLog } from "../logging/request-log.ts";
import { createSafePath, createUnknownPath } from "../logging/safe-path.ts";
import type { RequestMeter, RouteMeter } from "../metrics/request-meter.ts";
import type { HttpApp } from "./http-app.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** It may answer without Fastify, and then calls `noteAnswer`. */
    answersItself?: boolean;
  }
  interface FastifyRequest {
    /** When its head was here; monotonic, in milliseconds. */
    startedAt: number;
    /** Measures and logs it, for a route that answers by itself, without Fastify. */
    noteAnswer: (status: number) => void;
  }
}

/** To be called before routes are added: it looks on as they are. */
export function observeRequests(
  app: HttpApp,
  ports: {
    readonly clock: Clock;
    readonly requests: RequestMeter;
    readonly requestLog: RequestLog;
  },
): void {
  const { clock, requests, requestLog } = ports;
  /** Fixed segments of the routes' paths. */
  const words = new Set<string>();

  function note(
    meter: RouteMeter,
    route: LoggedRoute,
    request: FastifyRequest,
    status: number,
  ): void {
    const durationMs = clock.monotonic() - request.startedAt;
    meter.note(status, durationMs);
    requestLog.note(route, request, status, durationMs);
  }

  app.decorateRequest("startedAt", 0);
  app.decorateRequest("noteAnswer", () => {});
  app.addHook("onRequest", (request, _reply, done) => {
    request.startedAt = clock.monotonic();
    done();
  });
  app.addHook("onRoute", (options) => {
    const method = String(options.method);
    const { url } = options;
    for (const segment of url.split("/")) {
      if (/^[\w.-]+$/.test(segment)) words.add(segment);
    }
    // A colon that is one, as in `messages:ack`, stands doubled in patterns.
    const shown = url.replaceAll("::", ":");
    const meter = requests.addRoute(method, shown);
    const route: LoggedRoute = {
      method,
      route: shown,
      // Its plugin may say so after this.
      get isFrequent() {
        return options.config?.isFrequent === true;
      },
      pathOf: createSafePath(url),
    };
    const begun = options.onRequest ?? [];
    if (options.config?.answersItself) {
      options.onRequest = [
        (request, _reply, done) => {
          request.noteAnswer = (status) => note(meter, route, request, status);
          done();
        },
        ...(Array.isArray(begun) ? begun : [begun]),
      ];
    }
    // As the answer goes out: Fastify waits for its end with two listeners.
    const own = options.onSend ?? [];
    options.onSend = [
      ...(Array.isArray(own) ? own : [own]),
      (request, reply, payload, done) => {
        note(meter, route, request, reply.statusCode);
        done(null, payload);
      },
    ];
  });

  const unknownPath = createUnknownPath(words);
  const unknown = new Map<string, RouteMeter>();
  app.addHook("onSend", (request, reply, payload, done) => {
    if (request.is404) {
      const { method } = request;
      let meter = unknown.get(method);
      // Node parses some dozens of methods.
      if (!meter) {
        meter = requests.addRoute(method, "");
        unknown.set(method, meter);
      }
      const route = {
        method,
        route: undefined,
        isFrequent: false,
        pathOf: unknownPath,
      };
      note(meter, route, request, reply.statusCode);
    }
    done(null, payload);
  });
}
