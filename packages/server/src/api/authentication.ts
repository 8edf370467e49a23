/** Lets only known callers through, and gives routes their principal. */

import type { ProjectId } from "@carillon/core";
import type { FastifyRequest } from "fastify";
import { RequestError } from "../errors.ts";
import type { Identity, SignedClaim } from "../identity/identity.ts";
import type {
  Authentication,
  AuthenticationFailure,
  Principal,
} from "../identity/principal.ts";
import type { PullAccount } from "../pull/account-credentials.ts";
import type { HttpApp } from "./http-app.ts";
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
    /** Until the body is here: who the head's signature says it is. */
    signedClaim: SignedClaim | undefined;
    /** Of a publisher or subscriber with credentials of its own. */
    account: PullAccount | undefined;
  }
}

/**
 * Lets only known callers through to the routes of an app. What the head of a
 * request decides is decided before the body is read; signatures cover the
 * body and are verified after it. With callbacks, because a promise per
 * request is dear when most callers are cached.
 *
 * @param authorize says by throwing that the caller may not do this
 * @param isOpen whether a request needs no credentials
 * @param findAccount the account whose credentials these are, on routes that
 * take them; `undefined`: the request is looked at as others are
 */
export function requireCredentials(
  app: HttpApp,
  identity: Pick<Identity, "identify">,
  authorize: (request: FastifyRequest, principal: Principal) => void,
  isOpen: (request: FastifyRequest) => boolean,
  findAccount: (
    request: FastifyRequest,
  ) => Promise<PullAccount | undefined> | undefined,
): void {
  /** @throws RequestError AUTHENTICATION_FAILED, and those of `authorize` */
  function admit(request: FastifyRequest, result: Authentication): void {
    if ("failure" in result) {
      throw new RequestError(
        "AUTHENTICATION_FAILED",
        failureMessages[result.failure],
      );
    }
    authorize(request, result.principal);
    request.principal = result.principal;
  }

  function identify(request: FastifyRequest, done: Done): void {
    const settle = (result: Authentication | SignedClaim) =>
      attempt(done, () => {
        if ("verify" in result) request.signedClaim = result;
        else admit(request, result);
      });
    const result = identity.identify({
      method: request.method,
      url: request.raw.url ?? "/",
      headers: request.headers,
    });
    if (!(result instanceof Promise)) settle(result);
    else result.then(settle, done);
  }

  app.addHook("onRequest", (request, _reply, done) => {
    if (isOpen(request)) {
      done();
      return;
    }
    const account = findAccount(request);
    if (account === undefined) identify(request, done);
    else {
      account.then((found) => {
        request.account = found;
        if (found) done();
        else identify(request, done);
      }, done);
    }
  });
  app.addHook("preValidation", (request, _reply, done) => {
    const { principal, signedClaim, account } = request;
    if (
      principal === undefined &&
      signedClaim === undefined &&
      account === undefined
    ) {
      // It needs none.
      done();
      return;
    }
    const finish = (body: Buffer) =>
      attempt(done, () => {
        if (signedClaim) admit(request, signedClaim.verify(body));
        parseJsonBody(request);
      });
    // A signature covers the body of a GET, too, which means nothing else.
    if (signedClaim && hasUnreadBody(request)) {
      readUnreadBody(request).then(finish, done);
    } else finish(rawBodyOf(request));
  });
}

type Done = (error?: Error) => void;

function attempt(done: Done, step: () => void): void {
  try {
    step();
  } catch (error) {
    done(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  done();
}

/** The caller; for routes that require credentials. */
export function principalOf(request: FastifyRequest): Principal {
  if (request.principal) return request.principal;
  throw new Error("This route requires no credentials.");
}

/**
 * The project the caller acts in; for routes that require credentials.
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
    "Incorrect IAM authentication information: send a token in X-Auth-Token, sign the request with an access key, or send access key and secret key as Basic credentials.",
  malformed:
    "Incorrect IAM authentication information: the credentials cannot be read.",
  clock_skew:
    "Incorrect IAM authentication information: X-Sdk-Date differs by more than 15 minutes from the server's clock.",
  rejected:
    "Incorrect IAM authentication information: the credentials are wrong or have expired.",
};
