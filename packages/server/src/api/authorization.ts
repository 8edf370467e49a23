/**
 * The one place where requests are held against the table of permissions:
 * each route names its operation, and what names none keeps the server from
 * starting.
 */

import type { UserRole } from "@carillon/core";
import type { FastifyRequest, RouteOptions } from "fastify";
import { RequestError } from "../errors.ts";
import type { Identity } from "../identity/identity.ts";
import {
  isOperation,
  type Operation,
  permissions,
  type Reach,
  type ReachKind,
  reachOf,
} from "../identity/permissions.ts";
import type { Principal } from "../identity/principal.ts";
import {
  findAnyPullAccount,
  type PullAccountKind,
  type PullAccountPorts,
} from "../pull/account-credentials.ts";
import { principalOf, requireCredentials } from "./authentication.ts";
import type { HttpApp } from "./http-app.ts";

declare module "fastify" {
  interface FastifyContextConfig {
    /** What the route does, in the table of permissions. */
    operation?: Operation;
    /**
     * Takes the own credentials of such accounts, too. The route sees to what
     * they reach; `operation` is for the others.
     */
    account?: PullAccountKind;
    /** Whether it answers this request without credentials all the same. */
    isOpen?: (request: FastifyRequest) => boolean;
  }
  interface FastifyRequest {
    /** Its route's; read once, for Fastify puts the options together anew. */
    operation: Operation | undefined;
    /** Its route's; see `FastifyContextConfig`. */
    accountKind: PullAccountKind | undefined;
  }
}

/**
 * Lets requests through to a route if its operation is allowed to the caller;
 * to public routes anybody. For the app that all APIs are registered in.
 */
export function guardRoutes(
  app: HttpApp,
  identity: Identity,
  accounts: PullAccountPorts,
): void {
  const routes: RouteOptions[] = [];
  app.addHook("onRoute", (route) => {
    routes.push(route);
  });
  app.addHook("onReady", async () => checkOperations(routes));

  app.decorateRequest("operation", undefined);
  app.decorateRequest("accountKind", undefined);
  requireCredentials(
    app,
    identity,
    checkPermission,
    isOpen,
    ({ accountKind, headers: { authorization } }) =>
      accountKind && findAnyPullAccount(accountKind, authorization, accounts),
  );
}

/** Whether a request is answered without credentials. */
function isOpen(request: FastifyRequest): boolean {
  if (request.is404) return true;
  const { config } = request.routeOptions;
  request.operation = config.operation;
  request.accountKind = config.account;
  return config.operation === "public" || config.isOpen?.(request) === true;
}

/** Gives the routes of a plugin that name none the same operation. */
export function declareOperation(app: HttpApp, operation: Operation): void {
  app.addHook("onRoute", (route) => {
    route.config = { operation, ...route.config };
  });
}

/**
 * What the caller reaches with this request.
 *
 * @throws Error on public routes
 */
export function requestReach(request: FastifyRequest): Reach {
  const reach = reachOf(principalOf(request), operationOf(request));
  if (reach) return reach;
  throw new Error("This request was not held against the permissions.");
}

/**
 * What the caller reaches with an operation that its request may turn out to
 * be, besides the route's.
 *
 * @throws RequestError PERMISSION_DENIED
 */
export function reachWith(
  request: FastifyRequest,
  operation: Exclude<Operation, "public">,
): Reach {
  const principal = principalOf(request);
  const reach = reachOf(principal, operation);
  if (reach) return reach;
  throw roleRefused(principal, operation);
}

function roleRefused(
  { role }: Principal,
  operation: Exclude<Operation, "public">,
): RequestError {
  return new RequestError(
    "PERMISSION_DENIED",
    `Users with the role ${role} may not do this (${operation}): it needs ${rolesWith(operation).join(" or ")}.`,
  );
}

/** The roles that may do something, from the least one on. */
function rolesWith(operation: Exclude<Operation, "public">): UserRole[] {
  const roles = ["member", "admin", "operator"] as const;
  return roles.filter((role) => permissions[operation][role] !== "none");
}

/** @throws Error for routes without an operation of the table */
function checkOperations(routes: readonly RouteOptions[]): void {
  const nameless = routes.filter(
    ({ config }) => !isOperation(config?.operation),
  );
  if (nameless.length === 0) return;
  const names = nameless.map(({ method, url }) => `${method} ${url}`);
  throw new Error(
    `Routes without an operation of the table of permissions: ${names.join(", ")}`,
  );
}

/** @throws RequestError PERMISSION_DENIED */
function checkPermission(request: FastifyRequest, principal: Principal): void {
  const operation = operationOf(request);
  const kind: ReachKind = permissions[operation][principal.role];
  switch (kind) {
    case "none":
      throw roleRefused(principal, operation);
    case "project":
      checkProject(request, principal);
      break;
    case "domain":
      checkDomain(request, principal.domainId);
      break;
    case "self":
    case "all":
      break;
    default:
      kind satisfies never;
  }
}

/** Where the path names a project or its domain, they are the caller's. */
function checkProject(
  request: FastifyRequest,
  { project }: Pick<Principal, "project">,
): void {
  if (!project) {
    throw new RequestError(
      "PERMISSION_DENIED",
      "These credentials are not scoped to a project: log in with a project scope.",
    );
  }
  // Fastify's parameters, as far as a route has them.
  const { project_id } = request.params as { readonly project_id?: string };
  if (project_id !== undefined && project_id !== project.id) {
    throw new RequestError(
      "PERMISSION_DENIED",
      "These credentials are for another project than the path's.",
    );
  }
  checkDomain(request, project.domainId);
}

/** Where the path names a domain, it is this one. */
function checkDomain(request: FastifyRequest, domainId: string): void {
  // Fastify's parameters, as far as a route has them.
  const { domain_id } = request.params as { readonly domain_id?: string };
  if (domain_id === undefined || domain_id === domainId) return;
  throw new RequestError(
    "PERMISSION_DENIED",
    "These credentials are of another domain than the path's.",
  );
}

function operationOf({
  operation,
}: FastifyRequest): Exclude<Operation, "public"> {
  if (operation !== undefined && operation !== "public") return operation;
  throw new Error("This route names no operation.");
}
