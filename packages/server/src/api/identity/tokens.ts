/** Log-in, and what tokens say: `/v3/auth/tokens`. */

import type { UserRole } from "@carillon/core";
import type { FastifyReply, FastifyRequest } from "fastify";
import type { Static } from "typebox";
import { RequestError } from "../../errors.ts";
import type { RefusedLogin } from "../../identity/audit-log.ts";
import type { ScopedReference } from "../../identity/directory.ts";
import type { LoginRefusal, LoginScope } from "../../identity/login.ts";
import type { TokenSession } from "../../identity/tokens.ts";
import { Type } from "../../json-schema.ts";
import type { RefusedAttempt } from "../../logging/login-log.ts";
import type { HttpApp } from "../http-app.ts";
import { loginBodyBytes, parseJsonBody } from "../json-body.ts";
import { toMicrosecondsText } from "../timestamps.ts";
import { describeCatalog } from "./catalog.ts";
import type { IdentityPorts } from "./ports.ts";

const name = Type.String({ maxLength: 255 });

const reference = Type.Object({
  id: Type.Optional(name),
  name: Type.Optional(name),
});

const scopedReference = Type.Object({
  ...reference.properties,
  domain: Type.Optional(reference),
});

const loginBody = Type.Object({
  auth: Type.Object({
    identity: Type.Object({
      methods: Type.Array(name, { minItems: 1, maxItems: 10 }),
      password: Type.Optional(
        Type.Object({
          user: Type.Object({
            ...scopedReference.properties,
            password: Type.String({ maxLength: 1024 }),
          }),
        }),
      ),
      token: Type.Optional(Type.Object({ id: name })),
    }),
    scope: Type.Optional(
      Type.Union([
        Type.Literal("unscoped"),
        Type.Object({
          project: Type.Optional(scopedReference),
          domain: Type.Optional(reference),
          unscoped: Type.Optional(Type.Unknown()),
        }),
        Type.Null(),
      ]),
    ),
  }),
});

const showQuery = Type.Object({ nocatalog: Type.Optional(Type.Unknown()) });

const rejected = "The request you have made requires authentication.";

/** No log-in needed: the body has the credentials. */
export function loginRoutes(app: HttpApp, ports: IdentityPorts): void {
  const { identity: service, audit, logins, loginLog } = ports;
  const { login, directory } = service;

  /** The same work for each refusal: its time shows nothing. */
  async function describeRefused(
    user: ScopedReference,
    address: string,
  ): Promise<RefusedLogin> {
    const [found, domain] = await Promise.all([
      directory.findUser(user),
      user.domain && directory.findDomain(user.domain),
      // A store that cannot be read: what the request says is left.
    ]).catch(() => []);
    return {
      userName: found?.name ?? user.name,
      userId: found?.id,
      domainId: found?.domainId ?? domain?.id,
      address,
    };
  }

  /** In the background: its time must not show in the answer. */
  function noteRefused(
    { id: requestId, ip: address }: FastifyRequest,
    reason: RefusedAttempt["reason"],
    who: Promise<RefusedLogin> | undefined,
  ): void {
    logins.note(reason === "throttled" ? "throttled" : "refused");
    void Promise.resolve(who).then((found) =>
      loginLog.noteRefused({
        requestId,
        address,
        reason,
        // Who there is; what was typed may be a password.
        ...(found?.userId !== undefined && {
          userId: found.userId,
          userName: found.userName,
        }),
      }),
    );
  }

  /** What {@link Login} answers; notes what it did not check. */
  async function orNoted<Result>(
    result: Result | Promise<Result>,
    request: FastifyRequest,
  ): Promise<Result> {
    try {
      return await result;
    } catch (error) {
      if (error instanceof RequestError && error.code === "LOGIN_THROTTLED") {
        noteRefused(request, "throttled", undefined);
      }
      throw error;
    }
  }

  app.post(
    "/auth/tokens",
    {
      config: { operation: "public" },
      schema: { body: loginBody, querystring: showQuery },
      bodyLimit: loginBodyBytes,
      preValidation: async (request) => parseJsonBody(request),
    },
    async (request, reply) => {
      const { id, ip: address } = request;
      const { identity, scope: asked } = request.body.auth;
      const scope = toScope(asked);
      const withPassword = identity.methods.includes("password");
      const user = withPassword ? identity.password?.user : undefined;
      const token = identity.methods.includes("token")
        ? identity.token?.id
        : undefined;
      let reason: RefusedAttempt["reason"] = "credentials";
      const onRefused = (refusal: LoginRefusal) => {
        reason = refusal;
      };
      const issued = await orNoted(
        user
          ? login.withPassword({
              user,
              password: user.password,
              scope,
              address,
              onRefused,
            })
          : token === undefined
            ? undefined
            : login.withToken({ token, scope, onRefused }),
        request,
      );
      if (!issued) {
        const refused = user && describeRefused(user, address);
        if (refused) audit.noteRefusedLogin(refused);
        noteRefused(request, reason, refused);
        throw new RequestError("AUTHENTICATION_FAILED", rejected);
      }
      logins.note("succeeded");
      const { principal } = issued.session;
      if (user) await audit.noteLogin(principal, { id, address });
      return reply
        .code(201)
        .header("x-subject-token", issued.token)
        .header("vary", "X-Auth-Token")
        .send(describeToken(request, issued.session, ports));
    },
  );
}

export function tokenRoutes(app: HttpApp, ports: IdentityPorts): void {
  const { tokens } = ports.identity;

  async function show(
    request: FastifyRequest<{ Querystring: Static<typeof showQuery> }>,
    reply: FastifyReply,
  ) {
    const token = subjectTokenOf(request);
    const session = await tokens.find(token);
    if (!session) throw tokenNotFound();
    return reply
      .header("x-subject-token", token)
      .header("vary", "X-Auth-Token")
      .send(describeToken(request, session, ports));
  }

  app.get(
    "/auth/tokens",
    {
      config: { operation: "session.use" },
      schema: { querystring: showQuery },
      exposeHeadRoute: true,
    },
    show,
  );

  app.delete(
    "/auth/tokens",
    { config: { operation: "session.use" } },
    async (request, reply) => {
      const token = subjectTokenOf(request);
      if (!(await tokens.find(token))) throw tokenNotFound();
      await tokens.revoke(token);
      return reply.code(204).send();
    },
  );
}

function toScope(scope: Static<typeof loginBody>["auth"]["scope"]): LoginScope {
  if (scope === undefined || scope === null) return { kind: "default" };
  if (scope === "unscoped") return { kind: "unscoped" };
  if (scope.project) return { kind: "project", project: scope.project };
  if (scope.domain) return { kind: "domain", domain: scope.domain };
  if (scope.unscoped !== undefined) return { kind: "unscoped" };
  throw new RequestError(
    "REQUEST_INVALID",
    "auth.scope names no project and no domain.",
  );
}

function describeToken(
  request: FastifyRequest<{ Querystring: Static<typeof showQuery> }>,
  { principal, methods, issuedAt, expiresAt }: TokenSession,
  { originOf, region }: IdentityPorts,
) {
  const domain = { id: principal.domainId, name: principal.domainName };
  const { project, scopedDomain } = principal;
  return {
    token: {
      methods,
      issued_at: toMicrosecondsText(issuedAt),
      expires_at: toMicrosecondsText(expiresAt),
      user: { id: principal.userId, name: principal.userName, domain },
      ...(project && {
        project: {
          id: project.id,
          name: project.name,
          domain: { id: project.domainId, name: project.domainName },
        },
      }),
      ...(scopedDomain && { domain: scopedDomain }),
      ...((project ?? scopedDomain) && {
        roles: [{ id: roleIds[principal.role], name: principal.role }],
      }),
      ...(request.query.nocatalog === undefined && {
        catalog: describeCatalog(originOf(request), region, project?.id),
      }),
    },
  };
}

/** The same at each start and on each node. */
const roleIds: Record<UserRole, string> = {
  admin: "b7c1f9d24a6e4c0c8f5e3a9d71206e48",
  member: "0f6a1c83d5be47f29a7b60e2c4d81935",
  operator: "5d2e8b04f7c94a13b6e1c07a9f3d8265",
};

function subjectTokenOf(request: FastifyRequest): string {
  const token = request.headers["x-subject-token"];
  if (typeof token === "string" && token !== "") return token;
  throw new RequestError(
    "REQUEST_INVALID",
    "The header X-Subject-Token is missing.",
  );
}

function tokenNotFound(): RequestError {
  return new RequestError("ROUTE_NOT_FOUND", "Could not find that token.");
}
