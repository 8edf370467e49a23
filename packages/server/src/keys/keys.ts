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
  type Logger,
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
   * @throws CarillonError KEY_INVALID, KEY_EXISTS, KEY_QUOTA_EXCEEDED,
   * PROJECT_DELETED
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
   * All of a project's, which is deleted, for good: what they have sealed is not
   * opened again. Where that cannot be written it is logged, and done with the
   * next change of keys or the next start.
   */
  deleteProject(projectId: ProjectId): Promise<void>;
  /** The bytes of a key; `undefined` when there is no such one. */
  materialOf(projectId: ProjectId, id: string): Uint8Array | undefined;
}

type KeyStore = Pick<
  IdentityStore,
  "getSetting" | "putSetting" | "isDeletedProject"
>;

interface StoredKey extends Key {
  /** Base64 in the secret box. */
  readonly sealedMaterial: string;
}

export const keysSetting = "kms_keys";

export async function openKeys(ports: {
  readonly store: KeyStore;
  /** The key file's. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<Keys> {
  const { store, clock, logger } = ports;
  const box = createSecretBox(ports.key);
  let stored: readonly StoredKey[] = JSON.parse(
    (await store.getSetting(keysSetting)) ?? "[]",
  );
  /** By purpose. */
  const materials = new Map<string, Uint8Array>();
  let turn: Promise<void> = Promise.resolve();

  /** One change after the other: each looks at what is there before it writes. */
  function inTurn<Result>(change: () => Promise<Result>): Promise<Result> {
    const changed = turn.then(change);
    turn = changed.then(
      () => {},
      () => {},
    );
    return changed;
  }

  /** On disk before it counts. */
  async function keep(keys: readonly StoredKey[]): Promise<void> {
    await store.putSetting(keysSetting, JSON.stringify(keys));
    stored = keys;
  }

  const find = (projectId: ProjectId, id: string) =>
    stored.find((it) => it.id === id && it.projectId === projectId);

  async function deleteProject(projectId: ProjectId): Promise<void> {
    const kept = stored.filter((it) => it.projectId !== projectId);
    if (kept.length === stored.length) return;
    for (const it of stored) {
      if (it.projectId === projectId) {
        materials.delete(purposeOf(projectId, it.id));
      }
    }
    // Also when it cannot be written: the project is gone.
    stored = kept;
    try {
      await keep(kept);
    } catch (error) {
      logger.error("keys_not_deleted", { project: projectId, error });
    }
  }

  // A crash, or a disk without room, came between a project's end and theirs.
  for (const projectId of new Set(stored.map((it) => it.projectId))) {
    if (await store.isDeletedProject(projectId)) await deleteProject(projectId);
  }

  return {
    create: async (projectId, { name, id = randomUUID() }) => {
      checkKey(name, id);
      const material = randomBytes(secretBoxKeyBytes).toString("base64");
      return await inTurn(async () => {
        if (await store.isDeletedProject(projectId)) {
          throw new CarillonError("PROJECT_DELETED");
        }
        const siblings = stored.filter((it) => it.projectId === projectId);
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
        await keep([...stored, key]);
        return toKey(key);
      });
    },
    list: (projectId) =>
      stored.filter((it) => it.projectId === projectId).map(toKey),
    find(projectId, id) {
      const key = find(projectId, id);
      return key && toKey(key);
    },
    setStatus: (projectId, id, status) =>
      inTurn(async () => {
        const key = find(projectId, id);
        if (!key) throw new CarillonError("KEY_NOT_FOUND");
        const changed = { ...key, status };
        await keep(stored.map((it) => (it === key ? changed : it)));
        return toKey(changed);
      }),
    deleteProject: (projectId) => inTurn(() => deleteProject(projectId)),
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
