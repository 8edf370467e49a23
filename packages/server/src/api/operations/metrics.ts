/**
 * Metrics for Prometheus. Everything here is read from counters that are kept
 * anyway, or is one look at an index; nothing counts rows.
 */

import type { Clock, DeliveryStore, EngineStatus } from "@carillon/core";
import type { Registry } from "prom-client";
import type { HttpApp } from "../http-app.ts";
import type { HttpCounter } from "./http-counter.ts";

export interface MetricsPorts {
  readonly store: Pick<DeliveryStore, "peekWork">;
  readonly clock: Clock;
  readonly engineStatus: () => EngineStatus;
  readonly httpCounter: HttpCounter;
  readonly droppedLogLines: () => number;
  readonly version: string;
}

export function metricsRoutes(app: HttpApp, ports: MetricsPorts): void {
  let loading: Promise<Registry> | undefined;

  app.get("/metrics", async (_request, reply) => {
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
