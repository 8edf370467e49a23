/** Access keys: how programs act for a user in one project. */

import type { AccessKey } from "@carillon/core";
import { RequestError } from "../../errors.ts";
import {
  makeAccessKey,
  makeSecretKey,
  secretKeyPurpose,
} from "../access-keys.ts";
import type { AdministrationContext } from "./administration.ts";
import { found, withSwitch } from "./rules.ts";

export interface NewAccessKey {
  readonly userId: string;
  /** Default: the only project the user may act in. */
  readonly projectId?: string | undefined;
}

/** An access key whose secret was just made; it is not shown again. */
export interface AccessKeyWithSecret {
  readonly key: AccessKey;
  readonly secretKey: string;
}

export interface AccessKeyFilter {
  readonly userId?: string | undefined;
  readonly projectId?: string | undefined;
}

export interface AccessKeyAdministration {
  /** @throws RequestError IDENTITY_INVALID */
  create(key: NewAccessKey): Promise<AccessKeyWithSecret>;
  list(filter: AccessKeyFilter): Promise<readonly AccessKey[]>;
  /** @throws RequestError IDENTITY_NOT_FOUND */
  get(accessKey: string): Promise<AccessKey>;
  /** @throws RequestError IDENTITY_NOT_FOUND */
  setEnabled(accessKey: string, enabled: boolean): Promise<AccessKey>;
  /**
   * Another secret; the one before stops working at once. To change keys
   * without a gap create a second one and delete the first.
   *
   * @throws RequestError IDENTITY_NOT_FOUND
   */
  rotate(accessKey: string): Promise<AccessKeyWithSecret>;
  /** @throws RequestError IDENTITY_NOT_FOUND */
  delete(accessKey: string): Promise<void>;
}

export function createAccessKeyAdministration({
  store,
  identity,
  clock,
  secrets,
  change,
}: AdministrationContext): AccessKeyAdministration {
  const get = async (accessKey: string) =>
    found(await store.findAccessKey(accessKey), "access key");

  async function putWithSecret(
    key: Omit<AccessKey, "encryptedSecret">,
  ): Promise<AccessKeyWithSecret> {
    const secretKey = makeSecretKey();
    const purpose = secretKeyPurpose(key.accessKey);
    const kept = { ...key, encryptedSecret: secrets.seal(secretKey, purpose) };
    await store.putAccessKey(kept);
    return { key: kept, secretKey };
  }

  return {
    get,
    async list({ userId, projectId }) {
      const all = await store.listAccessKeys();
      return all.filter(
        (key) =>
          (userId === undefined || key.userId === userId) &&
          (projectId === undefined || key.projectId === projectId),
      );
    },
    create: ({ userId, projectId }) =>
      change(async () => {
        const reachable = await identity.directory.listReachable(userId);
        const project =
          projectId === undefined && reachable.length === 1
            ? reachable[0]
            : reachable.find(({ id }) => id === projectId);
        if (!project) {
          throw new RequestError(
            "IDENTITY_INVALID",
            projectId === undefined
              ? "Say for which project: the user may act in none, or in several."
              : "The user may not act in that project: assign it first.",
          );
        }
        return await putWithSecret({
          accessKey: makeAccessKey(),
          userId,
          projectId: project.id,
          createdAt: clock.now(),
        });
      }),
    setEnabled: (accessKey, enabled) =>
      change(async () => {
        const key = withSwitch(await get(accessKey), enabled);
        await store.putAccessKey(key);
        return key;
      }),
    rotate: (accessKey) =>
      change(async () => await putWithSecret(await get(accessKey))),
    delete: (accessKey) =>
      change(async () => {
        await get(accessKey);
        await store.deleteAccessKey(accessKey);
      }),
  };
}
