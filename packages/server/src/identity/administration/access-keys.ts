/** Access keys: how programs act for a user in one project. */

import type { AccessKey } from "@carillon/core";
import { RequestError } from "../../errors.ts";
import {
  makeAccessKey,
  makeSecretKey,
  secretKeyPurpose,
} from "../access-keys.ts";
import { isReached } from "../permissions.ts";
import type { AdministrationContext } from "./administration.ts";
import {
  checkMayManage,
  checkOperatorRemains,
  found,
  withSwitch,
} from "./rules.ts";

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
  /** @throws RequestError IDENTITY_INVALID, PERMISSION_DENIED */
  create(key: NewAccessKey): Promise<AccessKeyWithSecret>;
  list(filter: AccessKeyFilter): Promise<readonly AccessKey[]>;
  /** @throws RequestError IDENTITY_NOT_FOUND */
  get(accessKey: string): Promise<AccessKey>;
  /** @throws RequestError IDENTITY_NOT_FOUND, LAST_OPERATOR_KEY, PERMISSION_DENIED */
  setEnabled(accessKey: string, enabled: boolean): Promise<AccessKey>;
  /**
   * Another secret; the one before stops working at once. To change keys
   * without a gap create a second one and delete the first.
   *
   * @throws RequestError IDENTITY_NOT_FOUND, PERMISSION_DENIED
   */
  rotate(accessKey: string): Promise<AccessKeyWithSecret>;
  /** @throws RequestError IDENTITY_NOT_FOUND, LAST_OPERATOR_KEY, PERMISSION_DENIED */
  delete(accessKey: string): Promise<void>;
}

export function createAccessKeyAdministration({
  store,
  identity,
  clock,
  secrets,
  change,
  reach,
}: AdministrationContext): AccessKeyAdministration {
  /** A key belongs to the domain of its user. */
  async function findHolder({ userId }: Pick<AccessKey, "userId">) {
    const user = await store.findUser(userId);
    return user && isReached(reach, { domainId: user.domainId })
      ? user
      : undefined;
  }

  async function find(accessKey: string) {
    const key = await store.findAccessKey(accessKey);
    const holder = key && (await findHolder(key));
    return found(holder && { key, holder }, "access key");
  }

  /** For changes of it. */
  async function getManaged(accessKey: string): Promise<AccessKey> {
    const { key, holder } = await find(accessKey);
    checkMayManage(reach, holder.role);
    return key;
  }

  async function putWithSecret(
    key: Omit<AccessKey, "encryptedSecret">,
    version: number,
  ): Promise<AccessKeyWithSecret> {
    const secretKey = makeSecretKey();
    const purpose = secretKeyPurpose(key.accessKey);
    const kept = { ...key, encryptedSecret: secrets.seal(secretKey, purpose) };
    await store.putAccessKey(kept, version);
    return { key: kept, secretKey };
  }

  return {
    get: async (accessKey) => (await find(accessKey)).key,
    async list({ userId, projectId }) {
      const users = (await store.listUsers()).filter(({ domainId }) =>
        isReached(reach, { domainId }),
      );
      const holders = new Set(users.map(({ id }) => id));
      const all = await store.listAccessKeys();
      return all.filter(
        (key) =>
          holders.has(key.userId) &&
          (userId === undefined || key.userId === userId) &&
          (projectId === undefined || key.projectId === projectId),
      );
    },
    create: ({ userId, projectId }) =>
      change(async (version) => {
        const holder = await findHolder({ userId });
        if (!holder) {
          throw new RequestError("IDENTITY_INVALID", "No such user.");
        }
        checkMayManage(reach, holder.role);
        const { directory } = identity;
        const project =
          projectId === undefined
            ? only(await directory.listReachable(userId))
            : await directory.findReachable(userId, projectId);
        if (!project) {
          throw new RequestError(
            "IDENTITY_INVALID",
            projectId === undefined
              ? "Say for which project: the user may act in none, or in several."
              : "The user may not act in that project: assign it first.",
          );
        }
        const accessKey = makeAccessKey();
        const key = { accessKey, userId, projectId: project.id };
        return await putWithSecret({ ...key, createdAt: clock.now() }, version);
      }),
    setEnabled: (accessKey, enabled) =>
      change(async (version) => {
        const key = withSwitch(await getManaged(accessKey), enabled);
        if (!enabled) await checkOperatorRemains(store, { accessKey });
        await store.putAccessKey(key, version);
        return key;
      }),
    rotate: (accessKey) =>
      change(
        async (version) =>
          await putWithSecret(await getManaged(accessKey), version),
      ),
    delete: (accessKey) =>
      change(async (version) => {
        await getManaged(accessKey);
        await checkOperatorRemains(store, { accessKey });
        await store.deleteAccessKey(accessKey, version);
      }),
  };
}

function only<Item>(items: readonly Item[]): Item | undefined {
  return items.length === 1 ? items[0] : undefined;
}
