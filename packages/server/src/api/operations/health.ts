/** Whether the process lives, and whether it takes work. */

import { randomBytes } from "node:crypto";
import type { CarillonError } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import type { HttpApp } from "../http-app.ts";
import { isForwarded } from "./local-request.ts";

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
  // By it one sees that two addresses lead to the same process.
  const instance = randomBytes(8).toString("hex");
  app.get("/healthz", async (request) => ({
    status: "ok",
    instance,
    ...(isForwarded(request) && { proxy: trustIn(request) }),
  }));

  app.get("/readyz", async (_request, reply) => {
    const notReady = whyNotReady();
    if (!notReady) return { status: "ready" };
    reply.code(503).header("retry-after", "1");
    return { status: "not ready", ...notReady };
  });
}

/** Whether the sender's address was taken from the proxy's headers. */
function trustIn({ ips }: FastifyRequest): "trusted" | "untrusted" {
  return ips !== undefined && ips.length > 1 ? "trusted" : "untrusted";
}
