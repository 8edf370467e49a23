/**
 * Where carriers call: `/receivers/{secret}/{provider}/…`, with the receivers
 * of the gateway's providers behind it. The secret keeps strangers from making
 * up messages; without it there is nothing here. Answers are the providers'.
 */

import type { Logger } from "@carillon/core";
import {
  equalsConstantTime,
  type Gateway,
  type ReceiverHandler,
} from "@carillon/gateway";
import { toFastifyPlugin } from "@carillon/gateway/fastify";
import type { FastifyRequest } from "fastify";
import type { HttpApp } from "../http-app.ts";

export interface ReceiversPorts {
  readonly gateway: Gateway;
  /** Unguessable; part of the address that carriers get. */
  readonly secret: Promise<string>;
}

export function registerReceiversApi(
  app: HttpApp,
  { gateway, secret: knownLater }: ReceiversPorts,
  ports: {
    readonly logger: Logger;
    readonly publicUrl: () => string | undefined;
  },
): void {
  // Signatures cover the address that the carrier calls.
  const publicUrl = ports.publicUrl();

  app.register(async (api: HttpApp) => {
    const secret = await knownLater;
    const handler = gateway.receiverHandler({
      prefix: `${prefix}/${secret}`,
      // Not the request: its URL holds the secret, its body a person's text.
      onError: (error, { method }) =>
        ports.logger.error("receiver_failed", { method, error }),
    });
    // Before the body is read: what leads nowhere is not worth reading.
    api.addHook("onRequest", async (request, reply) => {
      const isKnown = equalsConstantTime(secretOf(request), secret);
      // Unknown providers neither: an address is right as a whole or not.
      if (isKnown && handler.matches(request.originalUrl)) return;
      reply.callNotFound();
      return reply;
    });
    api.register(
      toFastifyPlugin(
        withAnySecret(handler),
        publicUrl === undefined || publicUrl === "" ? {} : { publicUrl },
      ),
    );
  });
}

const prefix = "/receivers";

/**
 * The secret stands as a parameter in the route, so that it is compared here:
 * the router's own search would take longer the more of it is right.
 */
function withAnySecret(handler: ReceiverHandler): ReceiverHandler {
  const handle: ReceiverHandler = Object.assign(
    (request: Parameters<ReceiverHandler>[0]) => handler(request),
    { matches: handler.matches, prefix: `${prefix}/:secret` },
  );
  return handle;
}

function secretOf({ params }: FastifyRequest): string {
  return typeof params === "object" &&
    params !== null &&
    "secret" in params &&
    typeof params.secret === "string"
    ? params.secret
    : "";
}
