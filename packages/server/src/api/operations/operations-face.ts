/** What operators and their tools ask. No log-in: nothing here is secret. */

import type { HttpApp } from "../http-app.ts";
import { healthRoutes } from "./health.ts";
import { type MetricsPorts, metricsRoutes } from "./metrics.ts";

export function operationsFace(
  app: HttpApp,
  ports: MetricsPorts & { readonly isReady: () => boolean },
): void {
  app.register(async (face: HttpApp) => {
    healthRoutes(face, ports.isReady);
    metricsRoutes(face, ports);
  });
}
