/** Signs each request with an access key and its secret. */

import { InvalidOptionsError } from "../errors.ts";
import type { Authenticator, Session } from "./authenticator.ts";
import { checkProjectId, checkUrl, toProjectUrl } from "./base-url.ts";
import { signRequest, toSdkDate } from "./signature.ts";

export interface AccessKeyOptions {
  /** URL of SMN, with or without `/v2`. */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly projectId: string;
  /** Comes with temporary keys. */
  readonly securityToken?: string | undefined;
}

/** @throws InvalidOptionsError */
export function createAccessKeyAuthenticator(
  options: AccessKeyOptions,
): Authenticator {
  const { accessKey, secretKey, projectId, securityToken } = options;
  if (!accessKey || !secretKey) {
    throw new InvalidOptionsError("Expected both accessKey and secretKey.");
  }
  const endpoint = checkUrl(options.endpoint, "endpoint");
  const session: Session = {
    baseUrl: toProjectUrl(endpoint, checkProjectId(projectId)),
    headers: async ({ method, url, body }) => {
      const headers = {
        "content-type": "application/json",
        "x-project-id": projectId,
        "x-sdk-date": toSdkDate(new Date()),
        ...(securityToken && { "x-security-token": securityToken }),
      };
      // Signed but not set: the runtime sends it by itself.
      const { host } = new URL(url);
      const authorization = await signRequest(
        { method, url, body, headers: { ...headers, host } },
        accessKey,
        secretKey,
      );
      return { ...headers, authorization };
    },
  };
  return { session: async () => session, renew: async () => undefined };
}
