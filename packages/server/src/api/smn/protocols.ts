/** Which protocols subscriptions can have. */

import type { HttpApp } from "../http-app.ts";
import type { SmnPorts } from "./ports.ts";

/** Clients ask with and without a project in the path. */
export function protocolRoutes(
  app: HttpApp,
  { protocols }: Pick<SmnPorts, "protocols">,
  operation: "service.read" | "topics.read",
): void {
  app.get("/protocols", { config: { operation } }, async (request) => ({
    request_id: request.id,
    protocols: protocols.ofSmn.all.map(({ name }) => name),
  }));
}
