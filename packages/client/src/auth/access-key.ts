/** Proves each request with an access key and its secret. */

import { encodeBase64 } from "../encoding.ts";
import { InvalidOptionsError } from "../errors.ts";
import { readText } from "../json.ts";
import type { RequestOptions, Transport } from "../transport.ts";
import type {
  Authenticator,
  Session,
  UnsignedRequest,
} from "./authenticator.ts";
import {
  checkProjectId,
  checkUrl,
  toProjectUrl,
  toServiceUrl,
} from "./base-url.ts";
import { checkHeaderText } from "./header-text.ts";
import { SharedSession } from "./shared-session.ts";
import { signRequest, toSdkDate } from "./signature.ts";

/** Where the service is, and which key signs the requests. */
export interface AccessKeyOptions {
  /** URL of SMN, with or without `/v2`. */
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** Carillon is asked for the key's own project when it is left out. */
  readonly projectId?: string | undefined;
  /** Comes with temporary keys. */
  readonly securityToken?: string | undefined;
  /**
   * `signature`, the default, signs each request and keeps the secret here.
   * `basic` sends both as user and password, which Carillon takes too: for
   * proxies that change paths, and clocks that differ. Over https only.
   */
  readonly scheme?: "signature" | "basic" | undefined;
}

type Headers = Readonly<Record<string, string>>;
type Prove = (
  request: UnsignedRequest,
  projectId: string | undefined,
) => Promise<Headers>;

/** @throws InvalidOptionsError */
export function createAccessKeyAuthenticator(
  options: AccessKeyOptions,
  transport: Transport,
): Authenticator {
  const { accessKey, secretKey, securityToken, projectId } = options;
  if (!accessKey || !secretKey) {
    throw new InvalidOptionsError("Expected both accessKey and secretKey.");
  }
  checkHeaderText(accessKey, "accessKey");
  if (securityToken) checkHeaderText(securityToken, "securityToken");
  const endpoint = checkUrl(options.endpoint, "endpoint");
  const prove = options.scheme === "basic" ? basic(options) : signed(options);
  const inProject = (id: string): Session => ({
    projectUrl: toProjectUrl(endpoint, checkProjectId(id)),
    headers: (request) => prove(request, id),
  });
  // A key that is refused is not renewed.
  const renew = async () => undefined;
  if (projectId !== undefined) {
    const session = inProject(projectId);
    return { session: async () => session, renew };
  }
  const url = `${toServiceUrl(toProjectUrl(endpoint, "-"))}/api/v2/whoami`;
  const shared = new SharedSession(async () => {
    const { body } = await transport({
      method: "GET",
      url,
      headers: () => prove({ method: "GET", url, body: "" }, undefined),
      isIdempotent: true,
    });
    return inProject(readText(body, "projectId"));
  });
  return {
    session: (request: RequestOptions) => shared.session(request),
    renew,
  };
}

function signed({
  accessKey,
  secretKey,
  securityToken,
}: AccessKeyOptions): Prove {
  return async ({ method, url, body }, projectId) => {
    const headers = {
      "content-type": "application/json",
      ...(projectId !== undefined && { "x-project-id": projectId }),
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
  };
}

function basic({ accessKey, secretKey }: AccessKeyOptions): Prove {
  const bytes = new TextEncoder().encode(`${accessKey}:${secretKey}`);
  const authorization = `Basic ${encodeBase64(bytes)}`;
  return async ({ body }) => ({
    authorization,
    ...(body !== "" && { "content-type": "application/json" }),
  });
}
