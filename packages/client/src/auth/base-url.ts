/** URLs of services as people and catalogues write them. */

import { InvalidOptionsError } from "../errors.ts";

/** Checks an `http` or `https` URL and cuts slashes from its end. */
export function checkUrl(url: string, option: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (
    !parsed ||
    !/^https?:$/.test(parsed.protocol) ||
    parsed.search ||
    parsed.hash ||
    parsed.username ||
    parsed.password
  ) {
    throw new InvalidOptionsError(
      `Expected ${option} to be an http or https URL without credentials, query and fragment.`,
    );
  }
  return parsed.href.replace(/\/+$/, "");
}

/** A service's URL with version and project: `{endpoint}/v2/{projectId}`. */
export function toProjectUrl(endpoint: string, projectId: string): string {
  const hasVersion = endpoint.endsWith("/v2") || endpoint.endsWith(projectId);
  return withProject(hasVersion ? endpoint : `${endpoint}/v2`, projectId);
}

/** The service's URL again, without version and project. */
export function toServiceUrl(projectUrl: string): string {
  return projectUrl.replace(/(\/v2)?\/[^/]+$/, "");
}

/** Appends the project to a catalogue's URL that lacks it. */
export function withProject(url: string, projectId: string): string {
  return url.endsWith(`/${projectId}`) ? url : `${url}/${projectId}`;
}

/** Projects go into paths: what would lead elsewhere is refused. */
export function checkProjectId(projectId: string): string {
  if (/^[A-Za-z0-9_-]+$/.test(projectId)) return projectId;
  throw new InvalidOptionsError(
    "Expected projectId to be made of letters, digits, hyphens and underscores.",
  );
}
