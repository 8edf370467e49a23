/** Requests that this machine sends itself. */

import type { FastifyRequest } from "fastify";

/**
 * Whether a request comes over loopback and not through a reverse proxy on
 * this machine, which names the sender in a header.
 */
export function isFromThisMachine({
  headers,
  raw: { socket },
}: FastifyRequest): boolean {
  const isLoopback = /^(127\.|::1$|::ffff:127\.)/.test(
    socket.remoteAddress ?? "",
  );
  return isLoopback && forwardingHeaders.every((name) => !(name in headers));
}

const forwardingHeaders = [
  "forwarded",
  "via",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-real-ip",
];
