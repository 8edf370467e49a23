/**
 * Secrets that must be read again (signing needs the key itself) are stored
 * encrypted: AES-256-GCM under a key that lies outside the store.
 */

import { createCipheriv, createDecipheriv, randomBytes } from "node:crypto";

export interface SecretBox {
  /**
   * Encrypts. `purpose` says where the result is kept, and binds it there: it
   * opens only with the same purpose, so that nobody who can write the store
   * can move one record's secret into another.
   */
  seal(secret: string, purpose: string): string;
  /** @throws Error when key or purpose are others, or the text was altered */
  open(sealed: string, purpose: string): string;
}

export const secretBoxKeyBytes = 32;

const algorithm = "aes-256-gcm";
const nonceBytes = 12;
const tagBytes = 16;

export function createSecretBox(key: Uint8Array): SecretBox {
  if (key.length !== secretBoxKeyBytes) {
    throw new RangeError(
      `The key has ${key.length} bytes; ${secretBoxKeyBytes} are needed.`,
    );
  }
  return {
    seal(secret, purpose) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce);
      cipher.setAAD(Buffer.from(purpose));
      const body = Buffer.concat([
        cipher.update(secret, "utf8"),
        cipher.final(),
      ]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString(
        "base64",
      );
    },
    open(sealed, purpose) {
      const bytes = Buffer.from(sealed, "base64");
      const nonce = bytes.subarray(0, nonceBytes);
      const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes);
      try {
        const decipher = createDecipheriv(algorithm, key, nonce, {
          authTagLength: tagBytes,
        });
        decipher.setAAD(Buffer.from(purpose));
        decipher.setAuthTag(tag);
        const body = bytes.subarray(nonceBytes + tagBytes);
        return (
          decipher.update(body, undefined, "utf8") + decipher.final("utf8")
        );
      } catch (cause) {
        throw new Error(
          "A stored secret does not open: the key file is not the one it was sealed with, or the store was altered.",
          { cause },
        );
      }
    },
  };
}
