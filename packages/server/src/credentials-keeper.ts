/**
 * Keeps `credentials.json` true while users, passwords, access keys and
 * addresses change. The store is the truth; a file that the owner deleted is
 * not made again.
 */

import {
  findNamed,
  type IdentityStore,
  type Logger,
  type ProjectId,
} from "@carillon/core";
import {
  type Credentials,
  readCredentialsFile,
  writeCredentialsFile,
} from "./credentials-file.ts";
import { secretKeyPurpose } from "./identity/access-keys.ts";
import type { IdentityCredentials } from "./identity/bootstrap.ts";
import { isPasswordOf } from "./identity/passwords.ts";
import { createSecretBox } from "./identity/secret-box.ts";

/** Where the server answers: on this machine, and for others. */
export type ServerAddress = Pick<Credentials, "url" | "publicUrl">;

export interface CredentialsKeeper {
  /**
   * Compares the file with the store and the address, and rewrites it where it
   * differs. A failure is logged: the change that was made stands.
   *
   * @returns credentials that no server has shown yet: the first start did not
   * listen
   */
  refresh(): Promise<FirstCredentials | undefined>;
}

/** Whom the first start made, and where the server answers. */
export type FirstCredentials = IdentityCredentials & ServerAddress;

export function createCredentialsKeeper(ports: {
  readonly folder: string;
  readonly store: IdentityStore;
  /** 32 bytes that secrets in the store are encrypted under. */
  readonly key: Uint8Array;
  readonly logger: Logger;
  readonly address: () => ServerAddress;
}): CredentialsKeeper {
  const { folder, store, logger } = ports;
  const secrets = createSecretBox(ports.key);
  /** The file's password, and the hash that it was found to fit. */
  let verified:
    | { readonly password: string; readonly hash: string }
    | undefined;

  async function currentUser({
    domain: domainName,
    user: { name, password },
  }: Credentials): Promise<Credentials["user"]> {
    const domain = findNamed(await store.listDomains(), domainName);
    const user = domain && (await store.findUserByName(domain.id, name));
    if (!user || password === undefined) return { name };
    return (await isUsers(password, user.passwordHash))
      ? { name, password }
      : { name };
  }

  async function isUsers(password: string, hash: string): Promise<boolean> {
    if (verified?.password === password && verified.hash === hash) return true;
    if (!(await isPasswordOf(password, hash))) return false;
    verified = { password, hash };
    return true;
  }

  async function currentKey(
    accessKey: string | undefined,
  ): Promise<Pick<Credentials, "accessKey" | "secretKey">> {
    const record =
      accessKey === undefined
        ? undefined
        : await store.findAccessKey(accessKey);
    if (!record || accessKey === undefined) return {};
    if (record.disabled) return { accessKey };
    const purpose = secretKeyPurpose(accessKey);
    return {
      accessKey,
      secretKey: secrets.open(record.encryptedSecret, purpose),
    };
  }

  return {
    async refresh() {
      try {
        const file = await readCredentialsFile(folder);
        if (!file) return undefined;
        const { region, domain, project, receiverSecret } = file;
        const { url, publicUrl } = ports.address();
        const current: Credentials = {
          url,
          ...(publicUrl !== undefined && { publicUrl }),
          region,
          domain,
          project,
          user: await currentUser(file),
          ...(await currentKey(file.accessKey)),
          receiverSecret,
        };
        if (JSON.stringify(current) !== JSON.stringify(file)) {
          await writeCredentialsFile(folder, current);
        }
        return file.url === "" && url !== "" ? toFirst(current) : undefined;
      } catch (error) {
        logger.error("credentials_file_not_updated", { folder, error });
        return undefined;
      }
    },
  };
}

/** `undefined` when password or keys are others' by now: they are not shown. */
function toFirst(current: Credentials): FirstCredentials | undefined {
  const { user, project, accessKey, secretKey, ...others } = current;
  const { name, password } = user;
  if (password === undefined) return undefined;
  if (accessKey === undefined || secretKey === undefined) return undefined;
  return {
    ...others,
    // Written by bootstrapIdentity, and by nobody else.
    project: { ...project, id: project.id as ProjectId },
    user: { name, password },
    accessKey,
    secretKey,
  };
}
