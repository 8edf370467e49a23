/** Logs in with user and password at a Keystone v3 identity service. */

import {
  CatalogueError,
  InvalidOptionsError,
  InvalidResponseError,
} from "../errors.ts";
import { isObject, type JsonObject, readText } from "../json.ts";
import type { HttpAnswer, Transport } from "../transport.ts";
import type { Authenticator, Session } from "./authenticator.ts";
import {
  checkProjectId,
  checkUrl,
  toProjectUrl,
  withProject,
} from "./base-url.ts";
import { findSmnUrl } from "./catalogue.ts";
import { SharedSession } from "./shared-session.ts";
import { createTokenSession } from "./token.ts";

/** Where to log in, and as whom. */
export type PasswordOptions = PasswordPlace &
  PasswordUser &
  PasswordProject & {
    readonly password: string;
    /** Which of the catalogue's regions; the first one unless given. */
    readonly region?: string | undefined;
  };

type PasswordPlace =
  | {
      /**
       * Where the service is. With `authUrl`, the URL of SMN. Without, its
       * identity service is expected below it at `/v3`, and the catalogue says
       * where SMN is; a URL that ends in `/v3` is fine too.
       */
      readonly endpoint: string;
      /** URL of the identity service, ending in `/v3`. */
      readonly authUrl?: string | undefined;
    }
  | {
      /** URL of the identity service; its catalogue says where SMN is. */
      readonly authUrl: string;
      readonly endpoint?: undefined;
    };

type PasswordUser =
  | {
      /** The user's name, unique in the domain. */
      readonly user: string;
      /** The domain's name. `default` unless `domainId` is given. */
      readonly domain?: string | undefined;
      readonly domainId?: string | undefined;
    }
  | {
      readonly userId: string;
      /** The project's domain, when that is given by name. */
      readonly domain?: string | undefined;
      readonly domainId?: string | undefined;
    };

type PasswordProject =
  | {
      /** The project's name, looked for in the user's domain. */
      readonly project: string;
    }
  | { readonly projectId: string };

/** @throws InvalidOptionsError */
export function createPasswordAuthenticator(
  options: PasswordOptions,
  transport: Transport,
): Authenticator {
  const endpoint =
    options.endpoint === undefined
      ? undefined
      : checkUrl(options.endpoint, "endpoint");
  const authUrl = toIdentityUrl(options.authUrl, endpoint);
  const body = JSON.stringify(loginBody(options));
  // An endpoint next to an identity URL is said to be SMN's.
  const smnUrl = options.authUrl === undefined ? undefined : endpoint;
  return new SharedSession(async () => {
    const answer = await transport({
      method: "POST",
      url: `${authUrl}/auth/tokens`,
      headers: async () => ({ "content-type": "application/json" }),
      body,
      // A token too many does no harm.
      isIdempotent: true,
    });
    return toSession(answer, smnUrl, options.region);
  });
}

function toIdentityUrl(
  authUrl: string | undefined,
  endpoint: string | undefined,
): string {
  if (authUrl !== undefined) return checkUrl(authUrl, "authUrl");
  if (endpoint === undefined) {
    throw new InvalidOptionsError("Expected endpoint or authUrl.");
  }
  return endpoint.endsWith("/v3") ? endpoint : `${endpoint}/v3`;
}

function loginBody(options: PasswordOptions): JsonObject {
  const domain =
    options.domainId === undefined
      ? { name: options.domain ?? "default" }
      : { id: options.domainId };
  const { password } = options;
  return {
    auth: {
      identity: {
        methods: ["password"],
        password: {
          user:
            "userId" in options
              ? { id: options.userId, password }
              : { name: options.user, domain, password },
        },
      },
      scope: {
        project:
          "projectId" in options
            ? { id: options.projectId }
            : { name: options.project, domain },
      },
    },
  };
}

function toSession(
  answer: HttpAnswer,
  smnUrl: string | undefined,
  region: string | undefined,
): Session {
  const { token } = answer.body;
  const subjectToken = answer.headers.get("x-subject-token");
  if (!subjectToken || !isObject(token) || !isObject(token.project)) {
    throw new InvalidResponseError(
      "The login was answered without a project's token; does the URL lead to a Keystone v3 identity service?",
    );
  }
  const projectId = checkProjectId(readText(token.project, "id"));
  if (smnUrl !== undefined) {
    return createTokenSession(toProjectUrl(smnUrl, projectId), subjectToken);
  }
  const found = findSmnUrl(token, region);
  if (found === undefined) {
    const where = region === undefined ? "" : ` in region "${region}"`;
    throw new CatalogueError(
      `The token's catalogue has no public endpoint of type smn${where}; pass SMN's URL as endpoint next to authUrl.`,
    );
  }
  const url = withProject(checkUrl(found, "the catalogue's URL"), projectId);
  return createTokenSession(url, subjectToken);
}
