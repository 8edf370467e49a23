/** Access keys: a public id and a secret that signs requests. */

import { hash, randomInt, timingSafeEqual } from "node:crypto";
import type { Clock, IdentityStore } from "@carillon/core";
import { CredentialCache } from "./credential-cache.ts";
import type { Directory } from "./directory.ts";
import type { Principal } from "./principal.ts";
import type { SecretBox } from "./secret-box.ts";
import {
  createSignatureVerifier,
  type SignatureVerifier,
} from "./signature/verify-signature.ts";

export interface AccessKeyHolder {
  readonly principal: Principal;
  readonly secretKey: string;
  readonly isSigner: SignatureVerifier;
}

export interface AccessKeys {
  /** At once when it is cached. */
  find(
    accessKey: string,
  ): AccessKeyHolder | undefined | Promise<AccessKeyHolder | undefined>;
  /** Asks the store anew from now on. */
  invalidate(): void;
}

export function createAccessKeys(ports: {
  readonly store: Pick<IdentityStore, "findAccessKey">;
  readonly directory: Directory;
  readonly secrets: SecretBox;
  readonly clock: Clock;
}): AccessKeys {
  const { store, directory, secrets, clock } = ports;
  const holders = new CredentialCache<AccessKeyHolder>({
    clock,
    maxEntries: 1000,
    maxAgeMs: 60_000,
  });

  async function load(accessKey: string): Promise<AccessKeyHolder | undefined> {
    const record = await store.findAccessKey(accessKey);
    if (!record || record.disabled) return undefined;
    const principal = await directory.toPrincipal(record.userId, {
      projectId: record.projectId,
    });
    if (!principal) return undefined;
    const secretKey = secrets.open(
      record.encryptedSecret,
      secretKeyPurpose(accessKey),
    );
    const isSigner = createSignatureVerifier(secretKey);
    return { principal: { ...principal, isKey: true }, secretKey, isSigner };
  }

  return {
    find: (accessKey) => holders.find(accessKey, () => load(accessKey)),
    invalidate: () => holders.invalidate(),
  };
}

/** What a stored secret key is sealed for. */
export function secretKeyPurpose(accessKey: string): string {
  return `access-key:${accessKey}`;
}

/** Compares without telling by its time how much was right. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(
    hash("sha256", given, "buffer"),
    hash("sha256", expected, "buffer"),
  );
}

/** 20 letters and digits: 103 bits. */
export function makeAccessKey(): string {
  return randomText(20, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
}

/** 40 letters and digits: 238 bits. */
export function makeSecretKey(): string {
  return randomText(
    40,
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789",
  );
}

function randomText(length: number, alphabet: string): string {
  let text = "";
  for (let i = 0; i < length; i++) {
    text += alphabet.charAt(randomInt(alphabet.length));
  }
  return text;
}
