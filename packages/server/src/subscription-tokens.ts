/**
 * The tokens of subscriptions: what they are for, in bytes, with a code that
 * only this installation can make (HMAC-SHA-256, cut), and covered by a stream
 * that follows from the code. Each purpose has keys of its own, derived from the
 * secret key (HKDF).
 *
 * | token | bytes | written |
 * |---|---|---|
 * | confirmation | id 16, generation 3, expiry 5 (seconds), code 16 | hexadecimal |
 * | unsubscribe | id 16, generation 3, code 8 | base64url |
 * | verification code | code of id, generation and expiry, modulo 1,000,000 | six digits |
 */

import {
  createHmac,
  createSecretKey,
  hkdfSync,
  timingSafeEqual,
} from "node:crypto";
import {
  type ConfirmationGrant,
  type SubscriptionGeneration,
  type SubscriptionId,
  type SubscriptionTokens,
  toEpochMs,
} from "@carillon/core";

const idBytes = 16;
const generationBytes = 3;
const expiryBytes = 5;
const leaveBytes = idBytes + generationBytes;
/** As hard to guess as a random token of 128 bits. */
const confirmationCodeBytes = 16;
/** 64 bits, guessed over the network alone: more would only lengthen links. */
const unsubscribeCodeBytes = 8;

/** @param key 32 bytes, those that secrets in the store are encrypted under */
export function createSubscriptionTokens(key: Uint8Array): SubscriptionTokens {
  const confirmation = createSignedBytes(
    key,
    "confirmation-token",
    confirmationCodeBytes,
  );
  const unsubscription = createSignedBytes(
    key,
    "unsubscribe-token",
    unsubscribeCodeBytes,
  );
  const code = createSignedBytes(key, "confirmation-code", 6);

  function codeOf(grant: ConfirmationGrant): string {
    const bytes = code.codeOf(toGrantBytes(grant));
    return String(bytes.readUIntBE(0, 6) % 1_000_000).padStart(6, "0");
  }

  return {
    confirmationToken: (grant) =>
      confirmation.sign(toGrantBytes(grant)).toString("hex"),
    openConfirmationToken(token) {
      // No other writing of the same bytes is taken: one token, one text.
      if (!/^[0-9a-f]{80}$/.test(token)) return undefined;
      const bytes = confirmation.open(Buffer.from(token, "hex"));
      return bytes && { ...toGeneration(bytes), expiresAt: expiryOf(bytes) };
    },
    confirmationCode: codeOf,
    isConfirmationCode: (text, grant) =>
      /^\d{6}$/.test(text) &&
      timingSafeEqual(Buffer.from(text), Buffer.from(codeOf(grant))),
    unsubscribeToken: (generation) =>
      unsubscription.sign(toGenerationBytes(generation)).toString("base64url"),
    openUnsubscribeToken(token) {
      if (!/^[A-Za-z0-9_-]{36}$/.test(token)) return undefined;
      const bytes = unsubscription.open(Buffer.from(token, "base64url"));
      return bytes && toGeneration(bytes);
    },
  };
}

function createSignedBytes(key: Uint8Array, purpose: string, length: number) {
  // Of bytes Node.js would make a key object at each HMAC, six times its cost.
  const keyFor = (use: string) =>
    createSecretKey(
      Buffer.from(hkdfSync("sha256", key, "", `${purpose} ${use}`, 32)),
    );
  const codeKey = keyFor("code");
  const coverKey = keyFor("cover");
  const codeOf = (bytes: Uint8Array) =>
    createHmac("sha256", codeKey).update(bytes).digest().subarray(0, length);
  /** Covers and uncovers: who reads a token sees no subscription's id in it. */
  const cover = (bytes: Uint8Array, code: Uint8Array) => {
    const pad = createHmac("sha256", coverKey).update(code).digest();
    return Buffer.from(bytes.map((byte, n) => byte ^ (pad[n] ?? 0)));
  };
  return {
    codeOf,
    /** The bytes, covered, with their code. */
    sign(bytes: Uint8Array): Buffer {
      const code = codeOf(bytes);
      return Buffer.concat([cover(bytes, code), code]);
    },
    /** The bytes in front of a code that is theirs. */
    open(signed: Buffer): Buffer | undefined {
      const code = signed.subarray(-length);
      const bytes = cover(signed.subarray(0, -length), code);
      return timingSafeEqual(code, codeOf(bytes)) ? bytes : undefined;
    },
  };
}

function toGenerationBytes({
  subscriptionId,
  generation,
}: SubscriptionGeneration): Buffer {
  const bytes = Buffer.alloc(leaveBytes);
  bytes.write(subscriptionId, "hex");
  bytes.writeUIntBE(generation, idBytes, generationBytes);
  return bytes;
}

function toGrantBytes({ expiresAt, ...generation }: ConfirmationGrant): Buffer {
  const expiry = Buffer.alloc(expiryBytes);
  expiry.writeUIntBE(Math.floor(expiresAt / 1000), 0, expiryBytes);
  return Buffer.concat([toGenerationBytes(generation), expiry]);
}

function toGeneration(bytes: Buffer): SubscriptionGeneration {
  return {
    // Made from one above.
    subscriptionId: bytes.toString("hex", 0, idBytes) as SubscriptionId,
    generation: bytes.readUIntBE(idBytes, generationBytes),
  };
}

function expiryOf(bytes: Buffer) {
  return toEpochMs(bytes.readUIntBE(leaveBytes, expiryBytes) * 1000);
}
