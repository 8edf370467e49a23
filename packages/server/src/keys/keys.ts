/**
 * Named keys that topics' messages are sealed with. Their material stands in
 * one setting of the store, encrypted under the key file.
 */

import { randomBytes, randomUUID } from "node:crypto";
import type { EpochMs } from "@carillon/core";
import {
  CarillonError,
  type Clock,
  type IdentityStore,
  type ProjectId,
} from "@carillon/core";
import { createSecretBox, secretBoxKeyBytes } from "../identity/secret-box.ts";

/** A disabled key seals nothing new; what it has sealed is still opened. */
export type KeyStatus = "ENABLED" | "DISABLED";

export interface Key {
  /** Unique in its project. */
  readonly id: string;
  readonly projectId: ProjectId;
  readonly name: string;
  readonly status: KeyStatus;
  readonly createdAt: EpochMs;
}

export interface Keys {
  /**
   * Creates an enabled key.
   *
   * @param key an id may be chosen, for bindings that name one already
   * @throws CarillonError KEY_INVALID, KEY_EXISTS, KEY_QUOTA_EXCEEDED
   */
  create(
    projectId: ProjectId,
    key: { readonly name: string; readonly id?: string | undefined },
  ): Promise<Key>;
  /** Oldest first. */
  list(projectId: ProjectId): readonly Key[];
  find(projectId: ProjectId, id: string): Key | undefined;
  /** @throws CarillonError KEY_NOT_FOUND */
  setStatus(projectId: ProjectId, id: string, status: KeyStatus): Promise<Key>;
  /**
   * All of a project's, for good: what they have sealed is not opened again.
   */
  deleteProject(projectId: ProjectId): Promise<void>;
  /** The bytes of a key; `undefined` when there is no such one. */
  materialOf(projectId: ProjectId, id: string): Uint8Array | undefined;
}

type Settings = Pick<IdentityStore, "getSetting" | "putSetting">;

interface StoredKey extends Key {
  /** Base64 in the secret box. */
  readonly sealedMaterial: string;
}

export const keysSetting = "kms_keys";

export async function openKeys(ports: {
  readonly settings: Settings;
  /** The key file's. */
  readonly key: Uint8Array;
  readonly clock: Clock;
}): Promise<Keys> {
  const { settings, clock } = ports;
  const box = createSecretBox(ports.key);
  // Only `keep` writes this setting.
  const stored: StoredKey[] = JSON.parse(
    (await settings.getSetting(keysSetting)) ?? "[]",
  );
  /** By purpose. */
  const materials = new Map<string, Uint8Array>();
  let writing: Promise<void> = Promise.resolve();

  /** On disk before it counts; one write after the other. */
  function keep<Result>(
    change: (keys: readonly StoredKey[]) => {
      keys: readonly StoredKey[];
      result: Result;
    },
  ): Promise<Result> {
    const written = writing.then(async () => {
      const { keys, result } = change(stored);
      await settings.putSetting(keysSetting, JSON.stringify(keys));
      stored.splice(0, stored.length, ...keys);
      return result;
    });
    writing = written.then(
      () => {},
      () => {},
    );
    return written;
  }

  const find = (projectId: ProjectId, id: string) =>
    stored.find((it) => it.id === id && it.projectId === projectId);

  return {
    create: async (projectId, { name, id = randomUUID() }) => {
      checkKey(name, id);
      const material = randomBytes(secretBoxKeyBytes).toString("base64");
      return await keep((keys) => {
        const siblings = keys.filter((it) => it.projectId === projectId);
        if (siblings.some((it) => it.id === id || it.name === name)) {
          throw new CarillonError("KEY_EXISTS");
        }
        if (siblings.length >= maxKeysPerProject) {
          throw new CarillonError(
            "KEY_QUOTA_EXCEEDED",
            `The project has ${maxKeysPerProject} keys, as many as it may.`,
          );
        }
        const key: StoredKey = {
          id,
          projectId,
          name,
          status: "ENABLED",
          createdAt: clock.now(),
          sealedMaterial: box.seal(material, purposeOf(projectId, id)),
        };
        return { keys: [...keys, key], result: toKey(key) };
      });
    },
    list: (projectId) =>
      stored.filter((it) => it.projectId === projectId).map(toKey),
    find(projectId, id) {
      const key = find(projectId, id);
      return key && toKey(key);
    },
    setStatus: (projectId, id, status) =>
      keep((keys) => {
        const key = keys.find(
          (it) => it.id === id && it.projectId === projectId,
        );
        if (!key) throw new CarillonError("KEY_NOT_FOUND");
        const changed = { ...key, status };
        return {
          keys: keys.map((it) => (it === key ? changed : it)),
          result: toKey(changed),
        };
      }),
    async deleteProject(projectId) {
      const deleted = stored.filter((it) => it.projectId === projectId);
      if (deleted.length === 0) return;
      await keep((keys) => ({
        keys: keys.filter((it) => it.projectId !== projectId),
        result: undefined,
      }));
      for (const { id } of deleted) materials.delete(purposeOf(projectId, id));
    },
    materialOf(projectId, id) {
      const key = find(projectId, id);
      if (!key) return undefined;
      const purpose = purposeOf(projectId, id);
      let material = materials.get(purpose);
      if (!material) {
        const text = box.open(key.sealedMaterial, purpose);
        material = Buffer.from(text, "base64");
        materials.set(purpose, material);
      }
      return material;
    },
  };
}

/** All of them stand in one setting, which each change writes anew. */
export const maxKeysPerProject = 100;

/** Ids as clients of SMN may bind them. */
export const keyIdPattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

function checkKey(name: string, id: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9_./-]{0,63}$/.test(name)) {
    throw new CarillonError(
      "KEY_INVALID",
      "Invalid name of a key: 1 to 64 letters, digits or any of -_./, starting with a letter or digit.",
    );
  }
  if (!keyIdPattern.test(id)) {
    throw new CarillonError(
      "KEY_INVALID",
      "Invalid id of a key: 1 to 64 letters, digits, '-' or '_', starting with a letter or digit.",
    );
  }
}

function toKey({ sealedMaterial: _, ...key }: StoredKey): Key {
  return key;
}

/** What a key's material is sealed for: ids are unique in a project only. */
function purposeOf(projectId: ProjectId, id: string): string {
  return `kms_key:${projectId}:${id}`;
}
