/** Lets only known callers through, and gives routes their principal. */

import type { ProjectId } from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import { RequestError } from "../errors.ts";
import { type Identity, isSigned } from "../identity/identity.ts";
import type {
  Authentication,
  AuthenticationFailure,
  Principal,
} from "../identity/principal.ts";
import {
  hasUnreadBody,
  parseJsonBody,
  rawBodyOf,
  readUnreadBody,
} from "./json-body.ts";

declare module "fastify" {
  interface FastifyRequest {
    /** Set once the caller is known: see `principalOf`. */
    principal: Principal | undefined;
  }
}

export type AuthenticationHook = (
  request: FastifyRequest,
  reply: FastifyReply,
  done: (error?: Error) => void,
) => void;

/**
 * A `preValidation` hook: signatures cover the body, so it has been read by
 * then. With callbacks, because a promise per request is dear when most
 * callers are cached.
 *
 * @param authorize says by throwing that the caller may not do this
 */
export function createAuthenticationHook(
  identity: Identity,
  authorize?: (request: FastifyRequest, principal: Principal) => void,
): AuthenticationHook {
  function admit(
    request: FastifyRequest,
    result: Authentication,
    done: (error?: Error) => void,
  ): void {
    if ("failure" in result) {
      done(
        new RequestError(
          "AUTHENTICATION_FAILED",
          failureMessages[result.failure],
        ),
      );
      return;
    }
    try {
      authorize?.(request, result.principal);
      parseJsonBody(request);
    } catch (error) {
      done(error instanceof Error ? error : new Error(String(error)));
      return;
    }
    request.principal = result.principal;
    done();
  }

  function check(
    request: FastifyRequest,
    body: Buffer,
    done: (error?: Error) => void,
  ): void {
    const result = identity.authenticate({
      method: request.method,
      url: request.raw.url ?? "/",
      headers: request.headers,
      body,
    });
    if (!(result instanceof Promise)) admit(request, result, done);
    else result.then((settled) => admit(request, settled, done), done);
  }

  return (request, _reply, done) => {
    // A signature covers the body of a GET, too, which means nothing else.
    if (hasUnreadBody(request) && isSigned(request.headers)) {
      readUnreadBody(request).then((body) => check(request, body, done), done);
    } else check(request, rawBodyOf(request), done);
  };
}

/** The caller; for routes behind the hook. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal) return request.principal;
  throw new Error("This route is not behind the authentication hook.");
}

/**
 * The project the caller acts in; for routes behind the hook.
 *
 * @throws RequestError PERMISSION_DENIED for credentials without a project
 */
export function projectOf(request: FastifyRequest): ProjectId {
  return scopeOf(request).id;
}

/**
 * The same with its name and domain.
 *
 * @throws RequestError PERMISSION_DENIED for credentials without a project
 */
export function scopeOf(
  request: FastifyRequest,
): NonNullable<Principal["project"]> {
  const { project } = principalOf(request);
  if (project) return project;
  throw new RequestError(
    "PERMISSION_DENIED",
    "These credentials are not scoped to a project: log in with a project scope.",
  );
}

const failureMessages: Record<AuthenticationFailure, string> = {
  missing:
    "Incorrect IAM authentication information: send a token in X-Auth-Token, or sign the request with an access key.",
  malformed:
    "Incorrect IAM authentication information: the credentials cannot be read.",
  clock_skew:
    "Incorrect IAM authentication information: X-Sdk-Date differs by more than 15 minutes from the server's clock.",
  rejected:
    "Incorrect IAM authentication information: the credentials are wrong or have expired.",
};
