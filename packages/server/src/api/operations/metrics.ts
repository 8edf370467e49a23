/** Metrics for Prometheus, among the routes of the server. */

import type { FastifyRequest } from "fastify";
import { expositionContentType } from "../../metrics/exposition.ts";
import type { MetricsText } from "../../metrics/metrics-text.ts";
import type { HttpApp } from "../http-app.ts";
import { isFromThisMachine } from "./local-request.ts";

export interface MetricsRoutePorts {
  readonly metricsText: MetricsText;
  /** Whether they are shown without credentials. */
  readonly openMetrics: boolean;
}

export function metricsRoutes(
  app: HttpApp,
  { metricsText, openMetrics }: MetricsRoutePorts,
): void {
  const isOpen = (request: FastifyRequest) =>
    openMetrics || isFromThisMachine(request);
  app.get(
    "/metrics",
    { config: { operation: "metrics.read", isOpen } },
    async (_request, reply) =>
      reply
        .header("content-type", expositionContentType)
        .send(await metricsText()),
  );
}
