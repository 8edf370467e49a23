/**
 * Where carriers call: `/receivers/{secret}/{provider}/…`, with the receivers
 * of the gateway's providers behind it. The secret keeps strangers from making
 * up messages; without it there is nothing here. Answers are the providers'.
 */

import type { Logger } from "@carillon/core";
import { equalsConstantTime, type Gateway } from "@carillon/gateway";
import { toFastifyPlugin } from "@carillon/gateway/fastify";
import type { FastifyRequest } from "fastify";
import { declareOperation } from "../authorization.ts";
import type { HttpApp } from "../http-app.ts";
import { type EmailEventPorts, emailEventRoutes } from "./email-events.ts";

export interface ReceiversPorts {
  readonly gateway: Gateway;
  /** Unguessable; part of the address that carriers get. */
  readonly secret: Promise<string>;
  /** Absent: nobody reports on mails. */
  readonly emailEvents?: EmailEventPorts | undefined;
}

export function registerReceiversApi(
  app: HttpApp,
  { gateway, secret: knownLater, emailEvents }: ReceiversPorts,
  ports: {
    readonly logger: Logger;
    readonly publicUrl: () => string | undefined;
  },
): void {
  // Signatures cover the address that the carrier calls.
  const publicUrl = ports.publicUrl();

  app.register(async (api: HttpApp) => {
    // The secret in the path is what lets a carrier in.
    declareOperation(api, "public");
    api.addHook("onRoute", (route) => {
      route.config = { isFrequent: true, ...route.config };
    });
    const secret = await knownLater;
    const handler = gateway.receiverHandler({
      // Not the request: its URL holds the secret, its body a person's text.
      onError: (error, { method }) =>
        ports.logger.error("receiver_failed", { method, error }),
    });
    // Before the body is read: what leads nowhere is not worth reading. Unknown
    // providers are answered alike: an address is right as a whole or not.
    api.addHook("onRequest", async (request, reply) => {
      if (equalsConstantTime(secretOf(request), secret)) return;
      reply.callNotFound();
      return reply;
    });
    if (emailEvents) {
      api.register(async (own: HttpApp) =>
        emailEventRoutes(own, emailEvents, ports),
      );
    }
    // The secret stands as a parameter in the route, so that it is compared
    // here: the router's own search would take longer the more of it is right.
    api.register(
      toFastifyPlugin(
        handler,
        publicUrl === undefined || publicUrl === "" ? {} : { publicUrl },
      ),
      { prefix: "/receivers/:secret" },
    );
  });
}

function secretOf({ params }: FastifyRequest): string {
  return typeof params === "object" &&
    params !== null &&
    "secret" in params &&
    typeof params.secret === "string"
    ? params.secret
    : "";
}
