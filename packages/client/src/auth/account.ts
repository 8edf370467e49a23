/** Proves each request with the id and secret of a publisher or subscriber. */

import { encodeBase64 } from "../encoding.ts";
import { InvalidOptionsError } from "../errors.ts";
import type { Authenticator, Session } from "./authenticator.ts";
import { checkUrl } from "./base-url.ts";

/** An account, and the service that it is of. */
export interface AccountOptions {
  readonly id: string;
  readonly secret: string;
  /** The service's URL, without or with `/api/v1` at its end. */
  readonly baseUrl: string;
}

export interface Account {
  /** Without a version, and without a slash at its end. */
  readonly serviceUrl: string;
  /** Sent with each request, unasked. */
  readonly authorization: string;
}

/** @throws InvalidOptionsError that does not quote the secret */
export function toAccount({ id, secret, baseUrl }: AccountOptions): Account {
  // RFC 7617 §2: what stands before the first colon is the user.
  if (typeof id !== "string" || id === "" || id.includes(":")) {
    throw new InvalidOptionsError("Expected id to be a text without a colon.");
  }
  if (typeof secret !== "string" || secret === "") {
    throw new InvalidOptionsError("Expected secret to be a text, not empty.");
  }
  const bytes = new TextEncoder().encode(`${id}:${secret}`);
  return {
    serviceUrl: checkUrl(baseUrl, "baseUrl").replace(/\/api\/v[12]$/, ""),
    authorization: `Basic ${encodeBase64(bytes)}`,
  };
}

/** For Carillon's own API; sessions have no project. */
export function createAccountAuthenticator({
  authorization,
  serviceUrl,
}: Account): Authenticator {
  const session: Session = {
    projectUrl: serviceUrl,
    headers: async ({ body }) => ({
      authorization,
      ...(body !== "" && { "content-type": "application/json" }),
    }),
  };
  // What is refused once is refused again.
  return { session: async () => session, renew: async () => undefined };
}
