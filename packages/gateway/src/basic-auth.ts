/** HTTP basic authentication, from both sides. */

import { equalsConstantTime } from "./constant-time.ts";
import { UnauthorizedRequestError } from "./receiver.ts";

/** A user's name and password. */
export interface Credentials {
  readonly user: string;
  readonly pass: string;
}

/** The value of an `Authorization` header. */
export function basicAuthorization({ user, pass }: Credentials): string {
  const octets = new TextEncoder().encode(`${user}:${pass}`);
  return `Basic ${btoa(String.fromCharCode(...octets))}`;
}

/** Throws `UnauthorizedRequestError` unless the header carries them. */
export function checkBasicAuthorization(
  header: string | undefined,
  expected: Credentials,
): void {
  const given = (header ?? "").replace(/^basic +/i, "Basic ");
  if (!equalsConstantTime(given, basicAuthorization(expected))) {
    throw new UnauthorizedRequestError("The credentials are missing or wrong");
  }
}

/**
 * Takes `user:pass@` out of a URL, exactly as written there: other
 * implementations do not decode percent signs either, and a URL must mean the
 * same to all. No credentials unless both parts have at least one character.
 */
export function splitCredentials(url: string): {
  readonly url: string;
  readonly credentials: Credentials | undefined;
} {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)@(.*)$/is.exec(url);
  if (match === null) return { url, credentials: undefined };
  const [, scheme = "", userinfo = "", rest = ""] = match;
  const colon = userinfo.indexOf(":");
  const user = colon < 0 ? userinfo : userinfo.slice(0, colon);
  const pass = colon < 0 ? "" : userinfo.slice(colon + 1);
  return {
    url: scheme + rest,
    credentials: user !== "" && pass !== "" ? { user, pass } : undefined,
  };
}
