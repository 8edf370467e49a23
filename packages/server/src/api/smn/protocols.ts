/** Which protocols subscriptions can have. */

import { protocols } from "@carillon/core";
import type { HttpApp } from "../http-app.ts";

/** Clients ask with and without a project in the path. */
export function protocolRoutes(
  app: HttpApp,
  operation: "service.read" | "topics.read",
): void {
  app.get("/protocols", { config: { operation } }, async (request) => ({
    request_id: request.id,
    protocols,
  }));
}
