/**
 * Mobile push: applications and their endpoints. SMN itself has given it up;
 * all of it answers what to use instead.
 */

import { RequestError } from "../../errors.ts";
import type { HttpApp } from "../http-app.ts";

const routes = [
  ["POST", "/applications"],
  ["GET", "/applications"],
  ["GET", "/applications/:application_urn"],
  ["PUT", "/applications/:application_urn"],
  ["DELETE", "/applications/:application_urn"],
  ["POST", "/applications/:application_urn/endpoints"],
  ["GET", "/applications/:application_urn/endpoints"],
  ["GET", "/endpoints/:endpoint_urn"],
  ["PUT", "/endpoints/:endpoint_urn"],
  ["DELETE", "/endpoints/:endpoint_urn"],
  ["POST", "/endpoints/:endpoint_urn/publish"],
] as const;

export function applicationRoutes(app: HttpApp): void {
  for (const [method, url] of routes) {
    app.route({
      method,
      url,
      config: { operation: method === "GET" ? "topics.read" : "topics.write" },
      handler: async () => {
        throw new RequestError(
          "NOT_OFFERED",
          "Mobile push is not offered here: publish to a topic, and subscribe to it the https endpoint of a service that pushes to devices.",
        );
      },
    });
  }
}
