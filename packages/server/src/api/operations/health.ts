/** Whether the process lives, and whether it takes work. */

import type { HttpApp } from "../http-app.ts";

export function healthRoutes(app: HttpApp, isReady: () => boolean): void {
  app.get("/healthz", async () => ({ status: "ok" }));

  app.get("/readyz", async (_request, reply) => {
    if (isReady()) return { status: "ready" };
    reply.code(503);
    return { status: "not ready" };
  });
}
