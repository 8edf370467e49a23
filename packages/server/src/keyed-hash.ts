/**
 * Hashes that name things in rows which must not show them: endpoints, names and
 * addresses could be guessed from a plain hash. HMAC-SHA-256 under a key that is
 * derived from the secret key (HKDF), one for each purpose.
 */

import { createHmac, createSecretKey, hkdfSync } from "node:crypto";
import type { KeyedHash } from "@carillon/core";

/**
 * 43 characters of base64url, other ones for each list of parts.
 *
 * @param key 32 bytes, those that secrets in the store are encrypted under
 */
export function createKeyedHash(key: Uint8Array, purpose: string): KeyedHash {
  const derived = createSecretKey(
    Buffer.from(hkdfSync("sha256", key, "", `${purpose} name`, 32)),
  );
  return (...parts) =>
    createHmac("sha256", derived)
      .update(JSON.stringify(parts))
      .digest("base64url");
}
