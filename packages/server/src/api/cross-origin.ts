/**
 * Lets scripts of web pages from allowed origins use the API (Fetch Standard,
 * "CORS protocol"). Credentials are in headers that such scripts set, never in
 * cookies, so `Access-Control-Allow-Credentials` is not sent.
 */

import type { HttpApp } from "./http-app.ts";

/** Headers that clients of the API send. */
const requestHeaders = [
  "authorization",
  "content-type",
  "idempotency-key",
  "last-event-id",
  "x-auth-token",
  "x-domain-id",
  "x-project-id",
  "x-sdk-content-sha256",
  "x-sdk-date",
  "x-security-token",
  "x-subject-token",
].join(", ");

/** Headers of answers that scripts may read. */
const responseHeaders = [
  "idempotency-replayed",
  "location",
  "retry-after",
  "www-authenticate",
  "x-openstack-request-id",
  "x-request-id",
  "x-subject-token",
].join(", ");

const methods = "GET, HEAD, POST, PUT, PATCH, DELETE";

/** How long browsers may remember an answer to a preflight, in seconds. */
const maxAgeSeconds = "7200";

/**
 * To be called before callers are authenticated: browsers send preflights
 * without credentials. `allowed` is read for each request; while it is empty
 * nothing changes.
 */
export function allowOrigins(
  app: HttpApp,
  allowed: () => readonly string[],
): void {
  app.addHook("onRequest", (request, reply, done) => {
    const { origin } = request.headers;
    const origins = allowed();
    const all = origins.includes("*");
    if (origin === undefined || !(all || origins.includes(origin))) {
      done();
      return;
    }
    reply.header("access-control-allow-origin", all ? "*" : origin);
    const isPreflight =
      request.method === "OPTIONS" &&
      request.headers["access-control-request-method"] !== undefined;
    if (!isPreflight) {
      reply.header("access-control-expose-headers", responseHeaders);
      done();
      return;
    }
    reply
      .header("access-control-allow-methods", methods)
      .header("access-control-allow-headers", requestHeaders)
      .header("access-control-max-age", maxAgeSeconds)
      .code(204)
      .send();
  });
  // Also where the origin is not allowed: caches must not mix them up.
  app.addHook("onSend", (_request, reply, payload, done) => {
    const origins = allowed();
    if (origins.length === 0 || origins.includes("*")) {
      done(null, payload);
      return;
    }
    const vary = reply.getHeader("vary");
    reply.header("vary", vary === undefined ? "Origin" : `${vary}, Origin`);
    done(null, payload);
  });
}
