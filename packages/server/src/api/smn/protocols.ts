/** Which protocols subscriptions can have. */

import { protocols } from "@carillon/core";
import type { HttpApp } from "../http-app.ts";

/** Clients ask with and without a project in the path. */
export function protocolRoutes(app: HttpApp): void {
  app.get("/protocols", async (request) => ({
    request_id: request.id,
    protocols,
  }));
}
