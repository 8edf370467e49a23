/** Metrics for Prometheus, among the routes of the server. */

import type { FastifyRequest } from "fastify";
import { expositionContentType } from "../../metrics/exposition.ts";
import type { MetricsText } from "../../metrics/metrics-text.ts";
import { hasToken } from "../../metrics/metrics-token.ts";
import type { HttpApp } from "../http-app.ts";
import { isFromThisMachine } from "./local-request.ts";

export interface MetricsRoutePorts {
  readonly metricsText: MetricsText;
  /** Shows them to whoever sends it. */
  readonly metricsToken?: string | undefined;
  /** Whether they are shown without credentials. */
  readonly openMetrics: boolean;
}

export function metricsRoutes(
  app: HttpApp,
  { metricsText, metricsToken, openMetrics }: MetricsRoutePorts,
): void {
  const isOpen = (request: FastifyRequest) =>
    openMetrics ||
    isFromThisMachine(request) ||
    hasToken(request.headers, metricsToken);
  app.get(
    "/metrics",
    { config: { operation: "metrics.read", isOpen } },
    async (_request, reply) =>
      reply
        .header("content-type", expositionContentType)
        .send(await metricsText()),
  );
}
