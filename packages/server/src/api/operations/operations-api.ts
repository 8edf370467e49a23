/** Health and metrics, for operators and their tools. */

import type { HttpApp } from "../http-app.ts";
import { healthRoutes, type NotReady } from "./health.ts";
import { type MetricsPorts, metricsRoutes } from "./metrics.ts";

export function registerOperationsApi(
  app: HttpApp,
  ports: MetricsPorts & { readonly whyNotReady: () => NotReady | undefined },
): void {
  app.register(async (api: HttpApp) => {
    healthRoutes(api, ports.whyNotReady);
    metricsRoutes(api, ports);
  });
}
