/**
 * Who is asking? Takes every kind of credentials that clients send: tokens
 * (`X-Auth-Token` or `Authorization: Bearer`), access keys as `Authorization:
 * Basic`, and requests signed with an access key.
 */

import { hash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";
import type { Clock, IdentityStore, Logger } from "@carillon/core";
import { createAccessKeys, isSameSecret } from "./access-keys.ts";
import { createDirectory, type Directory } from "./directory.ts";
import { createLogin, type Login } from "./login.ts";
import type {
  Authentication,
  AuthenticationFailure,
  Principal,
} from "./principal.ts";
import { ReadCache } from "./read-cache.ts";
import { createSecretBox } from "./secret-box.ts";
import type { SignedRequest } from "./signature/canonical-request.ts";
import {
  isSignatureHeader,
  parseSignatureHeader,
} from "./signature/signature-header.ts";
import {
  createSignatureVerifier,
  maxClockSkewMs,
  signedAt,
} from "./signature/verify-signature.ts";
import { createTokens, type Tokens } from "./tokens.ts";

/** Answers who sends a request, and issues tokens. */
export interface Identity {
  /** At once when the credentials are cached, which is the rule. */
  authenticate(
    request: SignedRequest,
  ): Authentication | Promise<Authentication>;
  readonly directory: Directory;
  readonly tokens: Tokens;
  readonly login: Login;
  /**
   * Looks users, keys and tokens up anew from now on: what was taken from
   * somebody is refused then.
   */
  invalidate(): void;
}

/** What {@link createIdentity} works with. */
export interface IdentityPorts {
  readonly store: IdentityStore;
  readonly clock: Clock;
  readonly logger: Logger;
  /** 32 bytes that secrets in the store are encrypted under. */
  readonly key: Uint8Array;
  /** Where clients reach the server: signatures cover path and Host. */
  readonly publicUrl?: () => string | undefined;
}

/**
 * Caches what it looked up for a minute: call `invalidate` after a change made
 * past it.
 */
export function createIdentity(ports: IdentityPorts): Identity {
  const { store, clock, logger } = ports;
  const secrets = createSecretBox(ports.key);
  const directory = createDirectory(store);
  const tokens = createTokens({ store, directory, clock, logger });
  const accessKeys = createAccessKeys({ store, directory, secrets, clock });
  const isAbsentSigner = createSignatureVerifier(absentSecret);
  const keyPairs = new ReadCache<{ readonly principal: Principal }>({
    clock,
    maxEntries: 1000,
    maxAgeMs: 60_000,
  });

  function checkToken(token: string): Authentication | Promise<Authentication> {
    const session = tokens.find(token);
    return session instanceof Promise
      ? session.then((found) => found ?? failed("rejected"))
      : (session ?? failed("rejected"));
  }

  function checkKeyPair(
    header: string,
  ): Authentication | Promise<Authentication> {
    const pair = Buffer.from(header.slice("Basic ".length), "base64");
    const [accessKey, secretKey] = splitPair(pair.toString());
    if (accessKey === "") return failed("malformed");
    // Like tokens: cached by a hash, so the time says nothing.
    const found = keyPairs.find(hash("sha256", header, "hex"), () =>
      findKeyPair(accessKey, secretKey),
    );
    return found instanceof Promise
      ? found.then((pair) => pair ?? failed("rejected"))
      : (found ?? failed("rejected"));
  }

  async function findKeyPair(
    accessKey: string,
    secretKey: string,
  ): Promise<{ readonly principal: Principal } | undefined> {
    const holder = await accessKeys.find(accessKey);
    const isRight = isSameSecret(secretKey, holder?.secretKey ?? absentSecret);
    return holder && isRight ? { principal: holder.principal } : undefined;
  }

  async function checkSignature(
    text: string,
    request: SignedRequest,
  ): Promise<Authentication> {
    const header = parseSignatureHeader(text);
    const at = signedAt(request);
    if (!header || at === undefined) return failed("malformed");
    if (Math.abs(clock.now() - at) > maxClockSkewMs) {
      return failed("clock_skew");
    }
    const holder = await accessKeys.find(header.accessKey);
    // Computed for unknown keys, too: the time must not tell them apart.
    const isRight = (holder?.isSigner ?? isAbsentSigner)(
      header,
      request,
      ports.publicUrl?.(),
    );
    return holder && isRight
      ? { principal: holder.principal }
      : failed("rejected");
  }

  return {
    authenticate(request) {
      const { "x-auth-token": token, authorization } = request.headers;
      if (typeof token === "string" && token !== "") return checkToken(token);
      if (!authorization) return failed("missing");
      if (hasScheme(authorization, "Bearer ")) {
        return checkToken(authorization.slice("Bearer ".length).trim());
      }
      if (hasScheme(authorization, "Basic ")) {
        return checkKeyPair(authorization);
      }
      if (isSignatureHeader(authorization)) {
        return checkSignature(authorization, request);
      }
      return failed("malformed");
    },
    directory,
    tokens,
    login: createLogin({ directory, tokens, clock, logger }),
    invalidate() {
      tokens.invalidate();
      accessKeys.invalidate();
      keyPairs.invalidate();
    },
  };
}

/** Whether a request with these headers is signed, so that its body counts. */
export function isSigned(headers: IncomingHttpHeaders): boolean {
  const { "x-auth-token": token, authorization = "" } = headers;
  return !token && isSignatureHeader(authorization);
}

function splitPair(pair: string): [name: string, secret: string] {
  const cut = pair.indexOf(":");
  return cut < 0 ? ["", ""] : [pair.slice(0, cut), pair.slice(cut + 1)];
}

/** Schemes are case-insensitive (RFC 9110 §11.1). */
function hasScheme(header: string, scheme: string): boolean {
  return header.slice(0, scheme.length).toLowerCase() === scheme.toLowerCase();
}

/** Compared with what came for a key that does not exist. */
const absentSecret = "no access key has this secret";

const failures: Record<AuthenticationFailure, Authentication> = {
  missing: { failure: "missing" },
  malformed: { failure: "malformed" },
  clock_skew: { failure: "clock_skew" },
  rejected: { failure: "rejected" },
};

function failed(failure: AuthenticationFailure): Authentication {
  return failures[failure];
}
