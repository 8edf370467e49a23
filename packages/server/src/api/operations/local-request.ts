/** Requests that this machine sends itself. */

import type { FastifyRequest } from "fastify";

/**
 * Whether a request comes over loopback and not through a reverse proxy on
 * this machine, which names the sender in a header.
 */
export function isFromThisMachine(request: FastifyRequest): boolean {
  const { remoteAddress = "" } = request.raw.socket;
  const isLoopback = /^(127\.|::1$|::ffff:127\.)/.test(remoteAddress);
  return isLoopback && !isForwarded(request);
}

/** Whether a reverse proxy has passed the request on, and says so. */
export function isForwarded({ headers }: FastifyRequest): boolean {
  return forwardingHeaders.some((name) => name in headers);
}

const forwardingHeaders = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-real-ip",
];
