/** Log-in with a password or a token, as Keystone's `POST /auth/tokens`. */

import {
  type ConcurrencyLimit,
  findNamed,
  foldIdentityName,
  type Logger,
  type User,
} from "@carillon/core";
import type {
  Directory,
  Reference,
  ScopedReference,
  TokenScope,
} from "./directory.ts";
import type { LoginFailures } from "./login-failures.ts";
import { createLoginGate } from "./login-gate.ts";
import { isPasswordHash, verifyPassword } from "./passwords.ts";
import type { TokenSession, Tokens } from "./tokens.ts";

/** What a token is asked to be good for. */
export type LoginScope =
  /** Not said: the only project the user may act in, if there is just one. */
  | { readonly kind: "default" }
  | { readonly kind: "unscoped" }
  | { readonly kind: "project"; readonly project: ScopedReference }
  | { readonly kind: "domain"; readonly domain: Reference };

/** Why a log-in was refused. For the log: the answer must not show it. */
export type LoginRefusal =
  /** No such user, or a wrong password; also what was withdrawn meanwhile. */
  | "credentials"
  /** The user is disabled, whatever the password. */
  | "disabled"
  | "scope"
  | "token";

export interface PasswordLogin {
  readonly user: ScopedReference;
  readonly password: string;
  readonly scope: LoginScope;
  /** The client's IP address. */
  readonly address: string;
  readonly onRefused?: (refusal: LoginRefusal) => void;
}

export interface TokenLogin {
  readonly token: string;
  readonly scope: LoginScope;
  readonly onRefused?: (refusal: LoginRefusal) => void;
}

export interface IssuedToken {
  readonly token: string;
  readonly session: TokenSession;
}

export interface Login {
  /**
   * `undefined` when user, password or scope are wrong; neither the answer nor
   * the time it takes shows which.
   *
   * @throws RequestError LOGIN_THROTTLED
   */
  withPassword(login: PasswordLogin): Promise<IssuedToken | undefined>;
  /** The new token expires when the old one does. */
  withToken(login: TokenLogin): Promise<IssuedToken | undefined>;
}

export function createLogin(ports: {
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly logger: Logger;
  /** Where passwords are hashed. */
  readonly hashes: ConcurrencyLimit;
  readonly failures: LoginFailures;
}): Login {
  const { directory, tokens, logger } = ports;
  const gate = createLoginGate(ports.hashes, ports.failures);

  /** What the token is for; `undefined` when the scope cannot be given. */
  async function resolve(
    scope: LoginScope,
    userId: string,
  ): Promise<TokenScope | undefined> {
    switch (scope.kind) {
      case "default": {
        const [one, ...others] = await directory.listReachable(userId);
        return one && others.length === 0 ? { projectId: one.id } : {};
      }
      case "unscoped":
        return {};
      case "project": {
        const { id, name, domain: named } = scope.project;
        const domain = named && (await directory.findDomain(named));
        if (named && !domain) return undefined;
        if (id !== undefined) {
          const project = await directory.findReachable(userId, id);
          const isThere = !domain || domain.id === project?.domainId;
          return isThere && project ? { projectId: project.id } : undefined;
        }
        const reachable = await directory.listReachable(userId, domain?.id);
        const project =
          name === undefined ? undefined : findNamed(reachable, name);
        return project && { projectId: project.id };
      }
      case "domain": {
        const domain = await directory.findDomain(scope.domain);
        const reachable = await directory.listReachableDomains(userId);
        const isReachable = reachable.some(({ id }) => id === domain?.id);
        return domain && isReachable ? { domainId: domain.id } : undefined;
      }
      default:
        return scope satisfies never;
    }
  }

  async function issue(
    userId: string,
    scope: LoginScope,
    methods: readonly string[],
    from?: TokenSession,
  ): Promise<IssuedToken | undefined> {
    const resolved = await resolve(scope, userId);
    if (!resolved) return undefined;
    const token = await tokens.issue({
      userId,
      ...resolved,
      methods,
      from,
    });
    const session = await tokens.find(token);
    return session && { token, session };
  }

  /**
   * What a token was issued for may have been withdrawn meanwhile, and the
   * user's tokens deleted before this one was there. Looked up afterwards:
   * what is withdrawn later deletes this one too.
   *
   * @param isGood answers from the store whether the credentials still are
   */
  async function unlessWithdrawn(
    issued: IssuedToken,
    isGood: () => Promise<boolean>,
  ): Promise<IssuedToken | undefined> {
    if (await isGood()) return issued;
    await tokens.revoke(issued.token);
    return undefined;
  }

  /**
   * What failures are counted by: the same for each spelling of one user, and
   * made of the same look-ups whether or not there is such a user.
   */
  async function accountOf(
    { id, name = "", domain }: ScopedReference,
    user: User | undefined,
  ): Promise<{ name: string; domain?: string }> {
    if (id !== undefined) {
      return user
        ? { name: foldIdentityName(user.name), domain: user.domainId }
        : { name: id, domain: "of an unknown id" };
    }
    const folded = foldIdentityName(name);
    if (domain === undefined) return { name: folded };
    const known = await directory.findDomain(domain);
    const unknown = foldIdentityName(domain.id ?? domain.name ?? "");
    return { name: folded, domain: known?.id ?? `unknown ${unknown}` };
  }

  return {
    async withPassword(asked) {
      const { user: reference, password, scope, address } = asked;
      const refuse = (refusal: LoginRefusal) => {
        asked.onRefused?.(refusal);
        return undefined;
      };
      const user = await directory.findUser(reference);
      const account = await accountOf(reference, user);
      const foundIn = user?.domainId;
      const attempt = { ...account, foundIn, address };
      const isRight = await gate.run(attempt, async () => {
        if (user && !isPasswordHash(user.passwordHash)) {
          logger.warn("password_unreadable", {
            user: user.name,
            hint: "The format of its hash is unknown. Set another password: carillon user rotate <user>",
          });
        }
        const matches = await verifyPassword(password, user?.passwordHash);
        return matches && user !== undefined && !user.disabled;
      });
      if (!user || !isRight) {
        return refuse(user?.disabled ? "disabled" : "credentials");
      }
      const issued = await issue(user.id, scope, ["password"]);
      if (!issued) return refuse("scope");
      const kept = await unlessWithdrawn(issued, async () => {
        const now = await directory.findUser({ id: user.id });
        return now?.passwordHash === user.passwordHash && !now.disabled;
      });
      return kept ?? refuse("credentials");
    },
    async withToken({ token, scope, onRefused }) {
      const session = await tokens.find(token);
      const issued =
        session &&
        (await issue(session.principal.userId, scope, ["token"], session));
      const kept =
        issued && (await unlessWithdrawn(issued, () => tokens.isStored(token)));
      if (!kept) onRefused?.(session && !issued ? "scope" : "token");
      return kept;
    },
  };
}
