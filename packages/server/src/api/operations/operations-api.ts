/** Health and metrics, for operators and their tools. */

import { declareOperation } from "../authorization.ts";
import type { HttpApp } from "../http-app.ts";
import { healthRoutes, type NotReady } from "./health.ts";
import { type MetricsRoutePorts, metricsRoutes } from "./metrics.ts";

export function registerOperationsApi(
  app: HttpApp,
  ports: MetricsRoutePorts & {
    readonly whyNotReady: () => NotReady | undefined;
  },
): void {
  app.register(async (api: HttpApp) => {
    declareOperation(api, "public");
    healthRoutes(api, ports.whyNotReady);
    metricsRoutes(api, ports);
  });
}
