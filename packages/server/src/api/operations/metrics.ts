/**
 * Metrics for Prometheus. Everything here is read from counters that are kept
 * anyway, or is one look at an index; nothing counts rows.
 */

import type { Clock, DeliveryStore, EngineStatus } from "@carillon/core";
import type { Registry } from "prom-client";
import { RequestError } from "../../errors.ts";
import type { Identity } from "../../identity/identity.ts";
import {
  type AuthenticationHook,
  createAuthenticationHook,
} from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import type { HttpCounter } from "./http-counter.ts";
import { isFromThisMachine } from "./local-request.ts";

export interface MetricsPorts {
  readonly store: Pick<DeliveryStore, "peekWork">;
  readonly clock: Clock;
  readonly engineStatus: () => EngineStatus;
  readonly httpCounter: HttpCounter;
  readonly droppedLogLines: () => number;
  readonly version: string;
  readonly identity: Identity;
  /** Whether they are shown without credentials. */
  readonly openMetrics: boolean;
}

export function metricsRoutes(app: HttpApp, ports: MetricsPorts): void {
  let loading: Promise<Registry> | undefined;

  const authenticate = createAuthenticationHook(
    ports.identity,
    (_request, { role }) => {
      if (role === "operator") return;
      throw new RequestError(
        "PERMISSION_DENIED",
        "Metrics are of the whole installation: log in as an operator.",
      );
    },
  );

  const preValidation: AuthenticationHook = (request, reply, done) => {
    if (ports.openMetrics || isFromThisMachine(request)) done();
    else authenticate(request, reply, done);
  };

  app.get("/metrics", { preValidation }, async (_request, reply) => {
    loading ??= loadRegistry(ports);
    const registry = await loading;
    const text = await registry.metrics();
    return reply.header("content-type", registry.contentType).send(text);
  });
}

/** When somebody asks: a start does without. */
async function loadRegistry(ports: MetricsPorts): Promise<Registry> {
  const { createRegistry } = await import("./registry.ts");
  return createRegistry(ports);
}
