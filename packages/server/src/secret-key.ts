/**
 * The secret key of a store. Nodes that share a store have to have the same one:
 * the store keeps a check value of it, from which nobody learns the key, and a
 * node that has another one does not start.
 */

import { createHmac, hkdfSync, timingSafeEqual } from "node:crypto";
import { join } from "node:path";
import {
  CarillonError,
  type Logger,
  type SettingStore,
  SharedSetting,
} from "@carillon/core";
import { bootstrapSetting, isKeyOfBootstrap } from "./identity/bootstrap.ts";
import { createSecretBox } from "./identity/secret-box.ts";
import { findKeyFile, keyFileName, makeKeyFile } from "./key-file.ts";

/** Under which the store keeps the check value. */
export const secretKeyCheckSetting = "secret_key.check";

/** A key file that the configuration names, and what it holds. */
export interface SharedKey {
  readonly file: string;
  readonly key: Uint8Array;
}

export interface SecretKeyPorts {
  readonly store: SettingStore;
  /** The data folder, whose own file is the key where none is named. */
  readonly folder: string;
  readonly shared: SharedKey | undefined;
  readonly logger: Logger;
}

/**
 * Answers the store's key. One is made in the folder when none is named and the
 * store has no secrets yet. Nothing was changed when it throws.
 *
 * @throws CarillonError STORAGE_UNUSABLE when the key is not there, or another
 * than the store's
 */
export async function openSecretKey({
  store,
  folder,
  shared,
  logger,
}: SecretKeyPorts): Promise<Uint8Array> {
  const setting = new SharedSetting(store, secretKeyCheckSetting);
  const kept = await setting.read();
  const bootstrap = (await store.findSetting(bootstrapSetting))?.value;
  const isStores = (key: Uint8Array) =>
    kept === undefined
      ? isKeyOfBootstrap(bootstrap, createSecretBox(key))
      : isCheckOf(kept, key);
  const ownFile = join(folder, keyFileName);
  const hasSecrets = kept !== undefined || bootstrap !== undefined;
  if (!shared) {
    const own = await findKeyFile(folder);
    if (!own && hasSecrets) {
      throw unusable(
        `${ownFile} is missing: put the file back that lay beside this database (a backup has it), or name it with --secret-key-file.`,
      );
    }
    if (own && !isStores(own)) {
      throw unusable(
        `${ownFile} is not the key of this store, whose secrets cannot be read with it: put the file back that lay beside this database (a backup has it), or name it with --secret-key-file.`,
      );
    }
    return await keepCheck(
      setting,
      own ?? (await makeKeyFile(folder)),
      ownFile,
    );
  }
  const { key, file } = shared;
  // One that is no key does not matter: it is not used.
  const own = await findKeyFile(folder).catch(() => undefined);
  if (!isStores(key)) {
    throw unusable(
      own && isStores(own)
        ? `${file} is not the key of this store, but ${ownFile} is: copy that one to ${file}, for all nodes, or start without --secret-key-file.`
        : `${file} is not the key of this store, whose secrets cannot be read with it: name the file that its other nodes have, or the one that a backup of it holds.`,
    );
  }
  if (own && !isSame(own, key)) {
    logger.warn("secret_key_unused", { file: ownFile, used: file });
  }
  return await keepCheck(setting, key, file);
}

/** Whether a check value is of this key. */
export function isCheckOf(check: string, key: Uint8Array): boolean {
  return isSame(Buffer.from(check, "base64"), checkOf(key));
}

async function keepCheck(
  setting: SharedSetting,
  key: Uint8Array,
  file: string,
): Promise<Uint8Array> {
  const own = checkOf(key).toString("base64");
  const kept = await setting.change((known) =>
    known === undefined ? own : undefined,
  );
  // Another node started at the same time.
  if (kept === undefined || !isCheckOf(kept, key)) {
    throw unusable(
      `${file} is not the key of this store, which another node started with a moment ago: give all nodes the same file with --secret-key-file.`,
    );
  }
  return key;
}

function checkOf(key: Uint8Array): Buffer {
  const own = hkdfSync("sha256", key, "", "secret-key-check", 32);
  return createHmac("sha256", Buffer.from(own))
    .update("carillon secret key")
    .digest();
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}

function unusable(sentence: string): CarillonError {
  return new CarillonError(
    "STORAGE_UNUSABLE",
    `${sentence} Nothing was changed.`,
  );
}
