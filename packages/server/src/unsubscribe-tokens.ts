/**
 * Tokens of the links by which subscribers leave: a subscription's id with a
 * code that only this installation can make. Nothing is stored for them, and
 * they work as long as their subscription is there.
 */

import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import type { SubscriptionId } from "@carillon/core";

export interface UnsubscribeTokens {
  /** 32 letters, digits, `-` and `_`. */
  tokenOf(id: SubscriptionId): string;
  /** `undefined` for what was not made here. */
  idOf(token: string): SubscriptionId | undefined;
}

const idBytes = 16;
/** 64 bits, guessed over the network alone: more would only lengthen links. */
const codeBytes = 8;

/** @param key 32 bytes, those that secrets in the store are encrypted under */
export function createUnsubscribeTokens(key: Uint8Array): UnsubscribeTokens {
  const ownKey = Buffer.from(
    hkdfSync("sha256", key, "", "unsubscribe-tokens", 32),
  );
  const codeOf = (id: Buffer) =>
    createHmac("sha256", ownKey).update(id).digest().subarray(0, codeBytes);

  return {
    tokenOf(id) {
      const bytes = Buffer.from(id, "hex");
      return Buffer.concat([bytes, codeOf(bytes)]).toString("base64url");
    },
    idOf(token) {
      if (!/^[A-Za-z0-9_-]{32}$/.test(token)) return undefined;
      const bytes = Buffer.from(token, "base64url");
      const id = bytes.subarray(0, idBytes);
      return timingSafeEqual(bytes.subarray(idBytes), codeOf(id))
        ? // Made from one above.
          (id.toString("hex") as SubscriptionId)
        : undefined;
    },
  };
}
