/** Calls with a token, be it one from elsewhere. */

import type { Authenticator, Session } from "./authenticator.ts";
import { checkProjectId, checkUrl, toProjectUrl } from "./base-url.ts";
import { checkHeaderText } from "./header-text.ts";
import { SharedSession } from "./shared-session.ts";

/** Where the service is, and which token the requests carry. */
export interface TokenOptions {
  /** URL of SMN, with or without `/v2`. */
  readonly endpoint: string;
  readonly projectId: string;
  /**
   * The token, or where to get one. A function is asked before the first
   * request and again when its token is refused.
   */
  readonly token: string | (() => string | Promise<string>);
}

/** @throws InvalidOptionsError */
export function createTokenAuthenticator(options: TokenOptions): Authenticator {
  const { token } = options;
  const endpoint = checkUrl(options.endpoint, "endpoint");
  const projectUrl = toProjectUrl(endpoint, checkProjectId(options.projectId));
  if (typeof token === "function") {
    return new SharedSession(async () =>
      createTokenSession(projectUrl, await token()),
    );
  }
  const session = createTokenSession(projectUrl, token);
  return { session: async () => session, renew: async () => undefined };
}

/** @throws InvalidOptionsError when the token cannot be sent */
export function createTokenSession(projectUrl: string, token: string): Session {
  checkHeaderText(token, "token");
  return {
    projectUrl,
    headers: async ({ body }) => ({
      "x-auth-token": token,
      ...(body !== "" && { "content-type": "application/json" }),
    }),
  };
}
