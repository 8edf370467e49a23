/**
 * Metrics for Prometheus. Everything here is read from counters that are kept
 * anyway, or is one look at an index; nothing counts rows.
 */

import type { Clock, DeliveryStore, EngineStatus } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { Registry } from "prom-client";
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
  /** Whether they are shown without credentials. */
  readonly openMetrics: boolean;
}

export function metricsRoutes(app: HttpApp, ports: MetricsPorts): void {
  let loading: Promise<Registry> | undefined;

  const isOpen = (request: FastifyRequest) =>
    ports.openMetrics || isFromThisMachine(request);

  app.get(
    "/metrics",
    { config: { operation: "metrics.read", isOpen } },
    async (_request, reply) => {
      loading ??= loadRegistry(ports);
      const registry = await loading;
      const text = await registry.metrics();
      return reply.header("content-type", registry.contentType).send(text);
    },
  );
}

/** When somebody asks: a start does without. */
async function loadRegistry(ports: MetricsPorts): Promise<Registry> {
  const { createRegistry } = await import("./registry.ts");
  return createRegistry(ports);
}
