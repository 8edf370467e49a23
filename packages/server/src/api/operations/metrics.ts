/**
 * Metrics for Prometheus. Everything here is read from counters that are kept
 * anyway, or is one look at an index; nothing counts rows.
 */

import {
  type Clock,
  type DeliveryStore,
  type EngineStatus,
  loadOnce,
} from "@carillon/core";
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
  // When somebody asks: a start does without.
  const loadRegistry = loadOnce(async (): Promise<Registry> => {
    const { createRegistry } = await import("./registry.ts");
    return createRegistry(ports);
  });

  const isOpen = (request: FastifyRequest) =>
    ports.openMetrics || isFromThisMachine(request);

  app.get(
    "/metrics",
    { config: { operation: "metrics.read", isOpen } },
    async (_request, reply) => {
      const registry = await loadRegistry();
      const text = await registry.metrics();
      return reply.header("content-type", registry.contentType).send(text);
    },
  );
}
