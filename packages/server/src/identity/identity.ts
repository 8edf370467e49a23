/**
 * Who is asking? Takes every kind of credentials that clients send: tokens
 * (`X-Auth-Token` or `Authorization: Bearer`), access keys as `Authorization:
 * Basic`, and requests signed with an access key.
 */

import type { IncomingHttpHeaders } from "node:http";
import type {
  Clock,
  ConcurrencyLimit,
  CounterStore,
  IdentityStore,
  Logger,
  StoreChanges,
} from "@carillon/core";
import { createKeyedHash } from "../keyed-hash.ts";
import { createAccessKeys, isSameSecret } from "./access-keys.ts";
import { CredentialCache } from "./credential-cache.ts";
import { createDirectory, type Directory } from "./directory.ts";
import { createLogin, type Login } from "./login.ts";
import { LoginFailures } from "./login-failures.ts";
import type {
  Authentication,
  AuthenticationFailure,
  Principal,
} from "./principal.ts";
import { createSecretBox } from "./secret-box.ts";
import type { SignedRequest } from "./signature/canonical-request.ts";
import {
  isSignatureHeader,
  parseSignatureHeader,
} from "./signature/signature-header.ts";
import { maxClockSkewMs, signedAt } from "./signature/verify-signature.ts";
import { createTokens, type Tokens } from "./tokens.ts";

/** A request whose body may still be on its way. */
export type RequestHead = Omit<SignedRequest, "body">;

/** Of a known access key; whether it is its holder's shows with the body. */
export interface SignedClaim {
  verify(body: Uint8Array): Authentication;
}

/** Answers who sends a request, and issues tokens. */
export interface Identity extends AsyncDisposable {
  /**
   * As far as the head of a request says it: what is refused by it is refused
   * whatever the body is. At once when the credentials are cached.
   */
  identify(
    head: RequestHead,
  ): Authentication | SignedClaim | Promise<Authentication | SignedClaim>;
  /** Of a request that is here as a whole. */
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

interface KeyPairHolder {
  readonly principal: Principal;
}

/** What {@link createIdentity} works with. */
export interface IdentityPorts {
  readonly store: IdentityStore & CounterStore & StoreChanges;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Where passwords are hashed. */
  readonly hashes: ConcurrencyLimit;
  /** 32 bytes that secrets in the store are encrypted under. */
  readonly key: Uint8Array;
  /** Where clients reach the server: signatures cover path and Host. */
  readonly publicUrl?: () => string | undefined;
}

/**
 * Caches what it looked up, until the store tells that it changed, on whatever
 * node, and for a minute should that get lost. Call `invalidate` after a change
 * that is to count at once: the store may tell it late.
 * Disposing it writes which log-ins were refused.
 */
export function createIdentity(ports: IdentityPorts): Identity {
  const { store, clock, logger, hashes } = ports;
  const secrets = createSecretBox(ports.key);
  const directory = createDirectory(store);
  const tokens = createTokens({ store, directory, clock, logger });
  const accessKeys = createAccessKeys({ store, directory, secrets, clock });
  const keyPairs = new CredentialCache<KeyPairHolder>({
    clock,
    maxEntries: 1000,
    maxAgeMs: 60_000,
  });

  const loginFailures = new LoginFailures({
    store,
    clock,
    logger,
    hash: createKeyedHash(ports.key, "refused-login"),
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
    // By the header itself: V8 finds it by a seeded hash of all of it, so the
    // time does not show how much of a guess is right.
    const found = keyPairs.find(header, () => findKeyPair(header));
    const settle = (pair: KeyPairHolder | undefined): Authentication =>
      pair ?? failed(splitPair(header)[0] === "" ? "malformed" : "rejected");
    return found instanceof Promise ? found.then(settle) : settle(found);
  }

  async function findKeyPair(
    header: string,
  ): Promise<KeyPairHolder | undefined> {
    const [accessKey, secretKey] = splitPair(header);
    if (accessKey === "") return undefined;
    const holder = await accessKeys.find(accessKey);
    const isRight = isSameSecret(secretKey, holder?.secretKey ?? absentSecret);
    return holder && isRight ? { principal: holder.principal } : undefined;
  }

  async function checkSignature(
    text: string,
    head: RequestHead,
  ): Promise<Authentication | SignedClaim> {
    const header = parseSignatureHeader(text);
    const at = signedAt(head);
    if (!header || at === undefined) return failed("malformed");
    if (Math.abs(clock.now() - at) > maxClockSkewMs) {
      return failed("clock_skew");
    }
    const holder = await accessKeys.find(header.accessKey);
    // Ids of access keys are no secrets: an unknown one is refused before the
    // body is read, at the cost that the time shows it.
    if (!holder) return failed("rejected");
    return {
      verify: (body) =>
        holder.isSigner(header, { ...head, body }, ports.publicUrl?.())
          ? { principal: holder.principal }
          : failed("rejected"),
    };
  }

  function identify(head: RequestHead): ReturnType<Identity["identify"]> {
    const { "x-auth-token": token, authorization } = head.headers;
    if (typeof token === "string" && token !== "") return checkToken(token);
    if (!authorization) return failed("missing");
    if (hasScheme(authorization, "Bearer ")) {
      return checkToken(authorization.slice("Bearer ".length).trim());
    }
    if (hasScheme(authorization, "Basic ")) {
      return checkKeyPair(authorization);
    }
    if (isSignatureHeader(authorization)) {
      return checkSignature(authorization, head);
    }
    return failed("malformed");
  }

  function invalidate(): void {
    tokens.invalidate();
    accessKeys.invalidate();
    keyPairs.invalidate();
  }

  const stop = store.changes((change) => {
    if (change.kind === "all") invalidate();
    if (change.kind !== "access") return;
    switch (change.of) {
      case "token":
        tokens.invalidateToken(change.id);
        break;
      case "access_key":
        accessKeys.invalidate();
        keyPairs.invalidate();
        break;
      case "user":
      case "project":
      case "domain":
        invalidate();
        break;
      default:
        change.of satisfies never;
    }
  });

  return {
    identify,
    authenticate(request) {
      const result = identify(request);
      const settle = (settled: Authentication | SignedClaim) =>
        "verify" in settled ? settled.verify(request.body) : settled;
      return result instanceof Promise ? result.then(settle) : settle(result);
    },
    directory,
    tokens,
    login: createLogin({
      directory,
      tokens,
      logger,
      hashes,
      failures: loginFailures,
    }),
    invalidate,
    async [Symbol.asyncDispose]() {
      stop();
      await loginFailures[Symbol.asyncDispose]();
    },
  };
}

/** Whether a request with these headers is signed, so that its body counts. */
export function isSigned(headers: IncomingHttpHeaders): boolean {
  const { "x-auth-token": token, authorization = "" } = headers;
  return !token && isSignatureHeader(authorization);
}

/** Of a header `Basic …`; two empty texts when it has no pair. */
function splitPair(header: string): [name: string, secret: string] {
  const pair = Buffer.from(header.slice("Basic ".length), "base64").toString();
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
