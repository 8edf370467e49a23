/**
 * Services of the cloud that topic policies may let publish. There is no
 * cloud here; the one that clients know to expect is named.
 */

import type { HttpApp } from "../http-app.ts";

const cloudServices = [{ name: "obs", show_name: "OBS" }] as const;

export function cloudServiceRoutes(app: HttpApp): void {
  // SMN has both spellings, without a project in the path.
  for (const path of ["/cloud_service", "/cloud-services"]) {
    app.get(
      path,
      { config: { operation: "service.read" } },
      async (request) => ({
        request_id: request.id,
        cloud_services: cloudServices,
      }),
    );
  }
}
