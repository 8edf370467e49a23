/** Places of `Carillon.request`, as pages about the API write them. */

import type { ApiRequest } from "../api.ts";
import { InvalidOptionsError } from "../errors.ts";

/** A request of Carillon's own API. */
export interface CarillonRequest extends Omit<ApiRequest, "path"> {
  /**
   * Below `/api/v2`: `/messages?limit=1`, in which ids and the like are
   * percent-encoded, or its segments as they are: `["messages", id]`.
   */
  readonly path: string | readonly string[];
}

/**
 * With the path in segments, and the query out of it.
 *
 * @throws InvalidOptionsError for a text that is no path below `/api/v2`, and
 * for what the query says twice
 */
export function toApiRequest({
  path,
  ...request
}: CarillonRequest): ApiRequest {
  if (Array.isArray(path)) return { ...request, path };
  const text = String(path);
  if (!text.startsWith("/") || text.includes("#")) throw invalidPath(text);
  if (text === "/api" || text.startsWith("/api/")) throw invalidPath(text);
  const at = text.indexOf("?");
  const place = at < 0 ? text : text.slice(0, at);
  const query: Record<string, string | number | undefined> = {};
  const pairs = new URLSearchParams(at < 0 ? "" : text.slice(at));
  for (const [name, value] of pairs) {
    if (Object.hasOwn(query, name) || request.query?.[name] !== undefined) {
      throw new InvalidOptionsError(
        `Expected ${name} once in the query of "${text}".`,
      );
    }
    query[name] = value;
  }
  return {
    ...request,
    path: place
      .slice(1)
      .split("/")
      .map((segment) => decode(segment, text)),
    query: { ...query, ...request.query },
  };
}

function decode(segment: string, path: string): string {
  try {
    const decoded = decodeURIComponent(segment);
    if (!["", ".", ".."].includes(decoded)) return decoded;
  } catch {
    // Said below.
  }
  throw invalidPath(path);
}

function invalidPath(path: string): InvalidOptionsError {
  return new InvalidOptionsError(
    `Expected path below /api/v2, such as "/messages?limit=1", got "${path}".`,
  );
}
