/**
 * A JSON Web Token signed by HMAC-SHA256 (RFC 7519, RFC 7515 §3.1): whether a
 * key made it and it is good now. Its other claims say nothing to us.
 */

import { importHmacKey } from "../../hmac.ts";

/** False also for tokens that name another algorithm. */
export async function isSignedJwt(
  token: string,
  key: string,
  now: Date,
): Promise<boolean> {
  const parts = token.split(".");
  const [head = "", claims = "", signature = ""] = parts;
  const header = objectOf(head);
  const payload = objectOf(claims);
  const octets = fromBase64Url(signature);
  if (parts.length !== 3 || header?.alg !== "HS256") return false;
  if (!payload || !octets) return false;
  const secret = await importHmacKey(key, "SHA-256");
  if (!(await secret.verify(octets, `${head}.${claims}`))) return false;
  const seconds = now.getTime() / 1000;
  const { exp, nbf } = payload;
  return (
    (typeof exp !== "number" || seconds < exp + leewaySeconds) &&
    (typeof nbf !== "number" || seconds > nbf - leewaySeconds)
  );
}

/** Clocks differ. */
const leewaySeconds = 60;

function objectOf(part: string): Readonly<Record<string, unknown>> | undefined {
  const octets = fromBase64Url(part);
  if (!octets) return undefined;
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(octets));
    return typeof parsed === "object" && parsed !== null
      ? { ...parsed }
      : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined` where a text is no base64url. */
function fromBase64Url(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!/^[\w-]*$/.test(text)) return undefined;
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (it) => it.charCodeAt(0));
  } catch {
    return undefined;
  }
}
