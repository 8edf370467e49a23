/** The token that monitoring shows to read metrics. */

import type { IncomingHttpHeaders } from "node:http";
import { isSameSecret } from "../identity/access-keys.ts";

/**
 * Whether a request brings the token (`Authorization: Bearer …`); compared in a
 * time that does not show how much of it is right. Never without a token.
 */
export function hasToken(
  { authorization = "" }: Pick<IncomingHttpHeaders, "authorization">,
  token: string | undefined,
): boolean {
  if (token === undefined) return false;
  const [, given] = /^Bearer +(\S+) *$/i.exec(authorization) ?? [];
  return given !== undefined && isSameSecret(given, token);
}
