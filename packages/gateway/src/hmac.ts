/** Keyed hashes (RFC 2104) of what carriers and peers sign. */

/** Hashes that are signed with. */
export type HmacHash = "SHA-1" | "SHA-256";

/** Signs and verifies with one secret; a text stands for its UTF-8. */
export interface HmacKey {
  sign(data: HmacData): Promise<Uint8Array<ArrayBuffer>>;
  /** Compares in constant time. */
  verify(mac: Uint8Array<ArrayBuffer>, data: HmacData): Promise<boolean>;
}

/** What a secret is, and what is signed. */
export type HmacData = string | Uint8Array<ArrayBuffer>;

/** A key of a secret, which may have any length but none. */
export async function importHmacKey(
  secret: HmacData,
  hash: HmacHash,
): Promise<HmacKey> {
  const algorithm = { name: "HMAC", hash };
  const key = await crypto.subtle.importKey(
    "raw",
    toOctets(secret),
    algorithm,
    false,
    ["sign", "verify"],
  );
  return {
    sign: async (data) =>
      new Uint8Array(await crypto.subtle.sign("HMAC", key, toOctets(data))),
    verify: (mac, data) =>
      crypto.subtle.verify("HMAC", key, mac, toOctets(data)),
  };
}

function toOctets(data: HmacData): Uint8Array<ArrayBuffer> {
  return typeof data === "string" ? new TextEncoder().encode(data) : data;
}
