/** The one region there is. */

import type { HttpApp } from "../http-app.ts";
import type { IdentityPorts } from "./ports.ts";

export function regionRoutes(app: HttpApp, { region }: IdentityPorts): void {
  app.get("/regions", { config: { operation: "service.read" } }, async () => ({
    regions: [{ id: region, type: "public" }],
    links: {},
  }));
}
