/** Whether the process lives, and whether it takes work. */

import type { CarillonError } from "@carillon/core";
import type { HttpApp } from "../http-app.ts";

/** Why the server takes no work now. */
export interface NotReady {
  readonly reason: "STARTING" | CarillonError["code"];
  /** For people. */
  readonly message: string;
}

export function healthRoutes(
  app: HttpApp,
  whyNotReady: () => NotReady | undefined,
): void {
  app.get("/healthz", async () => ({ status: "ok" }));

  app.get("/readyz", async (_request, reply) => {
    const notReady = whyNotReady();
    if (!notReady) return { status: "ready" };
    reply.code(503).header("retry-after", "1");
    return { status: "not ready", ...notReady };
  });
}
