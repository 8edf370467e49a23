/**
 * Named keys that topics' messages are sealed with. Their material stands in
 * one setting of the store, encrypted under the secret key. What another node
 * changes is read when the store tells of it.
 */

import { randomBytes, randomUUID } from "node:crypto";
import type { EpochMs } from "@carillon/core";
import {
  CarillonError,
  type Clock,
  createReload,
  type IdentityStore,
  type Logger,
  type ProjectId,
  type SettingStore,
  SharedSetting,
  type StoreChanges,
  watchSetting,
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

export interface Keys extends Disposable {
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
  /**
   * Reads the keys anew, where a change of another node may not have been told.
   *
   * @throws CarillonError STORAGE_…; the keys stay as they were
   */
  refresh(options?: {
    /** Does nothing when they were read since. Default: reads. */
    readonly olderThanMs?: number;
  }): Promise<void>;
}

type KeyStore = SettingStore &
  StoreChanges &
  Pick<IdentityStore, "isDeletedProject">;

interface StoredKey extends Key {
  /** Base64 in the secret box. */
  readonly sealedMaterial: string;
}

export const keysSetting = "kms_keys";

export async function openKeys(ports: {
  readonly store: KeyStore;
  /** The secret key. */
  readonly key: Uint8Array;
  readonly clock: Clock;
  readonly logger: Logger;
}): Promise<Keys> {
  const { store, clock, logger } = ports;
  const box = createSecretBox(ports.key);
  const setting = new SharedSetting(store, keysSetting);
  /** As last read or written. */
  let stored: readonly StoredKey[] = [];
  let readAt = 0;
  const materials = new WeakMap<StoredKey, Uint8Array>();
  /** Projects whose keys are to be deleted, until that is written. */
  const ended = new Set<ProjectId>();

  /** Changes made here so far. */
  let changes = 0;

  const reload = createReload(async () => {
    for (;;) {
      const startedAt = clock.monotonic();
      const before = changes;
      const text = await setting.read();
      // What was written meanwhile may be older than this, or newer.
      if (changes !== before) continue;
      stored = parseStored(text).filter((it) => !ended.has(it.projectId));
      readAt = startedAt;
      return;
    }
  });

  /** On disk before it counts; `change` sees what other processes wrote. */
  async function keep(
    change: (keys: readonly StoredKey[]) => readonly StoredKey[],
  ): Promise<void> {
    const left = [...ended];
    const text = await setting.change((kept) =>
      JSON.stringify(
        change(parseStored(kept).filter((it) => !ended.has(it.projectId))),
      ),
    );
    changes++;
    stored = parseStored(text);
    for (const projectId of left) ended.delete(projectId);
  }

  const find = (projectId: ProjectId, id: string) =>
    stored.find((it) => it.id === id && it.projectId === projectId);

  async function deleteProject(projectId: ProjectId): Promise<void> {
    const isOther = (it: StoredKey) => it.projectId !== projectId;
    if (stored.every(isOther)) return;
    ended.add(projectId);
    // Also when it cannot be written: the project is gone.
    stored = stored.filter(isOther);
    try {
      await keep((keys) => keys);
    } catch (error) {
      logger.error("keys_not_deleted", { project: projectId, error });
    }
  }

  // Before they are read: what is written from then on is told.
  const stop = watchSetting(store, keysSetting, () => {
    reload().catch((error: unknown) => {
      logger.warn("keys_not_read", { error });
    });
  });
  try {
    await reload();
  } catch (error) {
    stop();
    throw error;
  }

  // A crash, or a disk without room, came between a project's end and theirs.
  for (const projectId of new Set(stored.map((it) => it.projectId))) {
    if (await store.isDeletedProject(projectId)) await deleteProject(projectId);
  }

  return {
    create: async (projectId, { name, id = randomUUID() }) => {
      checkKey(name, id);
      const material = randomBytes(secretBoxKeyBytes).toString("base64");
      if (await store.isDeletedProject(projectId)) {
        throw new CarillonError("PROJECT_DELETED");
      }
      const key: StoredKey = {
        id,
        projectId,
        name,
        status: "ENABLED",
        createdAt: clock.now(),
        sealedMaterial: box.seal(material, purposeOf(projectId, id)),
      };
      await keep((keys) => {
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
        return [...keys, key];
      });
      // Its project may have gone in between, with the keys it had by then.
      if (await store.isDeletedProject(projectId)) {
        await deleteProject(projectId);
        throw new CarillonError("PROJECT_DELETED");
      }
      return toKey(key);
    },
    list: (projectId) =>
      stored.filter((it) => it.projectId === projectId).map(toKey),
    find(projectId, id) {
      const key = find(projectId, id);
      return key && toKey(key);
    },
    async setStatus(projectId, id, status) {
      await keep((keys) => {
        const isMeant = (it: StoredKey) =>
          it.id === id && it.projectId === projectId;
        if (!keys.some(isMeant)) throw new CarillonError("KEY_NOT_FOUND");
        return keys.map((it) => (isMeant(it) ? { ...it, status } : it));
      });
      const key = find(projectId, id);
      if (!key) throw new CarillonError("KEY_NOT_FOUND");
      return toKey(key);
    },
    deleteProject,
    async refresh({ olderThanMs = 0 } = {}) {
      const age = clock.monotonic() - readAt;
      if (olderThanMs === 0 || age >= olderThanMs) await reload();
    },
    [Symbol.dispose]: stop,
    materialOf(projectId, id) {
      const key = find(projectId, id);
      if (!key) return undefined;
      let material = materials.get(key);
      if (!material) {
        const text = box.open(key.sealedMaterial, purposeOf(projectId, id));
        material = Buffer.from(text, "base64");
        materials.set(key, material);
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

function parseStored(text = "[]"): readonly StoredKey[] {
  // Written by this module only, in one piece.
  return JSON.parse(text);
}

/** What a key's material is sealed for: ids are unique in a project only. */
function purposeOf(projectId: ProjectId, id: string): string {
  return `kms_key:${projectId}:${id}`;
}
