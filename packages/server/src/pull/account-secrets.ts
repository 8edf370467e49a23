/**
 * Secrets of publishers and subscribers. They are made here, of 238 random bits, so
 * that nobody can try them all whatever the hash: a fast one keeps each poll cheap.
 */

import { hash, timingSafeEqual } from "node:crypto";
import type { AccountSecrets } from "@carillon/core";
import { makeSecretKey } from "../identity/access-keys.ts";

export const accountSecrets: AccountSecrets = {
  make: makeSecretKey,
  hash: (secret) => hash("sha256", secret),
  matches(secret, expected) {
    const given = hash("sha256", secret, "buffer");
    const kept = Buffer.from(expected, "hex");
    return kept.length === given.length && timingSafeEqual(given, kept);
  },
};
