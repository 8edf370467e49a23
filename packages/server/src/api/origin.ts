/** Where clients reach this server: for links in answers. */

import type { FastifyRequest } from "fastify";

/** Answers `scheme://host[:port]`, without a slash at the end. */
export type OriginOf = (request: FastifyRequest) => string;

/**
 * @param publicUrl the configured address; `undefined` or empty when there is
 * none, then the request's own `Host` is taken
 */
export function createOriginOf(publicUrl: () => string | undefined): OriginOf {
  return (request) => {
    const configured = publicUrl();
    if (configured) return configured.replace(/\/+$/, "");
    const { host, protocol, socket } = request;
    if (isHost(host)) return `${protocol}://${host}`;
    return `${protocol}://localhost:${socket.localPort ?? 80}`;
  };
}

/**
 * A path of this server as its site has it, which may stand below a path of
 * the public URL.
 */
export function sitePathOf(origin: string, path: string): string {
  return new URL(origin).pathname.replace(/\/$/, "") + path;
}

/** A name or address with a port: nothing that could end a link early. */
function isHost(host: string | undefined): boolean {
  return (
    host !== undefined &&
    /^([A-Za-z0-9._-]{1,255}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?$/.test(host)
  );
}
