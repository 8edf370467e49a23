/** The way in: credentials and settings become a connection. */

import { createApi } from "./api.ts";
import {
  type AccessKeyOptions,
  createAccessKeyAuthenticator,
} from "./auth/access-key.ts";
import type { Authenticator } from "./auth/authenticator.ts";
import { toServiceUrl } from "./auth/base-url.ts";
import {
  createPasswordAuthenticator,
  type PasswordOptions,
} from "./auth/password.ts";
import { createTokenAuthenticator, type TokenOptions } from "./auth/token.ts";
import { type Carillon, createCarillon } from "./carillon/carillon.ts";
import { InvalidOptionsError } from "./errors.ts";
import { createRetryPolicy, type RetryOptions } from "./retry.ts";
import { createSmn, type Smn } from "./smn/smn.ts";
import { createStreamTransport } from "./stream-transport.ts";
import { createTransport, type Transport } from "./transport.ts";

/** How requests are made; each setting has a default. */
export interface ConnectionSettings {
  /** Instead of the runtime's own. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** How long one attempt of a request may take. Default 30,000. */
  readonly timeoutMs?: number | undefined;
  readonly retry?: RetryOptions | undefined;
}

/** One of three kinds of credentials, and settings. */
export type ConnectOptions = (
  | PasswordOptions
  | AccessKeyOptions
  | TokenOptions
) &
  ConnectionSettings;

/** All operations of a service, for one set of credentials. */
export interface Connection {
  readonly smn: Smn;
  /** What Carillon offers beyond SMN. */
  readonly carillon: Carillon;
}

/**
 * Prepares the use of an SMN service. Nothing is sent yet: a login happens with
 * the first request, and again when its token is refused. There is nothing to
 * close.
 *
 * ```ts
 * const connection = connect({
 *   endpoint: "https://carillon.example",
 *   accessKey, secretKey, projectId,
 * });
 * await connection.smn.publishMessage("alerts", { message: "Disk is full" });
 * ```
 *
 * @throws InvalidOptionsError
 */
export function connect(options: ConnectOptions): Connection {
  const { fetch, timeoutMs } = options;
  const retryPolicy = createRetryPolicy(options.retry);
  const transport = createTransport({ fetch, timeoutMs, retryPolicy });
  const authenticator = createAuthenticator(options, transport);
  const inProject = createApi(
    authenticator,
    transport,
    ({ projectUrl }) => projectUrl,
  );
  const inService = createApi(authenticator, transport, ({ projectUrl }) =>
    toServiceUrl(projectUrl),
  );
  const streams = createApi(
    authenticator,
    createStreamTransport({ fetch, timeoutMs }),
    ({ projectUrl }) => toServiceUrl(projectUrl),
  );
  return {
    smn: createSmn(inProject, inService),
    carillon: createCarillon(inService, streams),
  };
}

function createAuthenticator(
  options: ConnectOptions,
  transport: Transport,
): Authenticator {
  if ("accessKey" in options) {
    return createAccessKeyAuthenticator(options, transport);
  }
  if ("token" in options) return createTokenAuthenticator(options);
  if ("password" in options) {
    return createPasswordAuthenticator(options, transport);
  }
  // Reached from JavaScript only.
  throw new InvalidOptionsError(
    "Expected credentials: user and password, accessKey and secretKey, or token.",
  );
}
