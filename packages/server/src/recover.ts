/**
 * `carillon recover`: a new access key for the first operator, made in the data
 * folder while no server uses it. Whoever may write the folder may do all that
 * an operator may; nothing is given here that was not there.
 */

import { randomBytes } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import {
  CarillonError,
  createTimeOrderedIds,
  type Domain,
  type IdentityStore,
  type Logger,
  type Project,
  type ProjectId,
  systemClock,
  type User,
} from "@carillon/core";
import { openSqliteStore } from "@carillon/storage";
import {
  type Credentials,
  readCredentialsFile,
  writeCredentialsFile,
} from "./credentials-file.ts";
import { giveToFolderOwner } from "./folder-owner.ts";
import {
  makeAccessKey,
  makeSecretKey,
  secretKeyPurpose,
} from "./identity/access-keys.ts";
import { createAuditLog } from "./identity/audit-log.ts";
import {
  type BootstrapState,
  openReceiverSecret,
  readBootstrapState,
} from "./identity/bootstrap.ts";
import {
  createHashLimit,
  generatedPasswordParameters,
  hashPassword,
  isPasswordOf,
} from "./identity/passwords.ts";
import { createSecretBox } from "./identity/secret-box.ts";
import { readSharedKeyFile } from "./key-file.ts";
import { openSecretKey } from "./secret-key.ts";

export interface RecoverOptions {
  readonly folder: string;
  /** The secret key; default: the folder's own file. */
  readonly secretKeyFile?: string | undefined;
  /** Whether to set another password, too. */
  readonly password: boolean;
  readonly logger: Logger;
}

/** What was made; it is not shown again. */
export interface Recovered {
  readonly domain: string;
  readonly user: { readonly name: string; readonly password?: string };
  readonly project: { readonly id: ProjectId; readonly name: string };
  readonly accessKey: string;
  readonly secretKey: string;
  /** Why credentials.json does not hold them, if it does not. */
  readonly notKept?: string;
}

/**
 * Gives the first operator a new access key, and `credentials.json` that key.
 * The operator, its domain and project are enabled where they were not; keys of
 * before stay as they are.
 *
 * @throws CarillonError STORAGE_IN_USE while a server runs, STORAGE_UNUSABLE
 */
export async function recoverOperator({
  folder,
  secretKeyFile,
  password: withPassword,
  logger,
}: RecoverOptions): Promise<Recovered> {
  if (!existsSync(join(folder, "carillon.db"))) {
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      `There is no data of Carillon in ${folder}: name the server's data folder with --data.`,
    );
  }
  const shared =
    secretKeyFile === undefined
      ? undefined
      : {
          file: secretKeyFile,
          key: await readSharedKeyFile(secretKeyFile, logger),
        };
  await using closing = new AsyncDisposableStack();
  // After the store is closed, with all that it made.
  closing.defer(() => giveToFolderOwner(folder));
  const store = closing.use(await openSqliteStore({ folder, logger }));
  const state = await readBootstrapState(store);
  if (!state) {
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      `No server was ever ready with ${folder}: start one, and it makes the first operator.`,
    );
  }
  const key = await openSecretKey({ store, folder, shared, logger });
  const secrets = createSecretBox(key);
  const receiverSecret = openReceiverSecret(state, secrets);
  const clock = systemClock;
  const newId = createTimeOrderedIds(
    () => clock.now(),
    (n) => randomBytes(n).toString("hex"),
  );
  const found = await findOperator(store, state);
  const password = withPassword
    ? randomBytes(18).toString("base64url")
    : undefined;
  const user = await enableOperator(store, found, password);
  const domain = await enableDomain(store, user);
  const project = await enableProject(store, state, domain, newId);

  const accessKey = makeAccessKey();
  const secretKey = makeSecretKey();
  await store.putAccessKey({
    accessKey,
    encryptedSecret: secrets.seal(secretKey, secretKeyPurpose(accessKey)),
    userId: user.id,
    projectId: project.id,
    createdAt: clock.now(),
  });
  await using audit = createAuditLog({ store, clock, logger });
  await audit.noteRecovery({ user, accessKey });
  const recovered: Recovered = {
    domain: domain.name,
    user: { name: user.name, ...(password !== undefined && { password }) },
    project: { id: project.id, name: project.name },
    accessKey,
    secretKey,
  };
  const last = await readCredentialsFile(folder).catch(() => undefined);
  const file: Credentials = {
    // Of a server that runs on default settings; the next start knows better.
    url: last?.url || "http://127.0.0.1:7070",
    ...(last?.publicUrl !== undefined && { publicUrl: last.publicUrl }),
    region: state.region,
    ...recovered,
    user: {
      ...(await knownPassword(last, domain, user)),
      ...recovered.user,
    },
    receiverSecret,
  };
  try {
    await writeCredentialsFile(folder, file);
    return recovered;
  } catch (error) {
    // They hold from here on: whoever asked has to see them all the same.
    const reason = error instanceof Error ? error.message : String(error);
    return { ...recovered, notKept: reason };
  }
}

/** That of the file, as far as it is still the user's. */
async function knownPassword(
  last: Credentials | undefined,
  domain: Domain,
  user: User,
): Promise<{ readonly password?: string }> {
  const password = last?.user.password;
  const isKnown =
    password !== undefined &&
    last?.domain === domain.name &&
    last.user.name === user.name &&
    (await isPasswordOf(password, user.passwordHash));
  return isKnown ? { password } : {};
}

/** The user of the first start, else the oldest operator. */
async function findOperator(
  store: IdentityStore,
  { userId }: BootstrapState,
): Promise<User> {
  const first = await store.findUser(userId);
  if (first?.role === "operator") return first;
  const operators = (await store.listUsers()).filter(
    ({ role }) => role === "operator",
  );
  const found =
    operators.find(({ disabled }) => !disabled) ?? operators[0] ?? first;
  if (found) return found;
  throw new CarillonError(
    "STORAGE_UNUSABLE",
    "The data has no operator: restore it from a backup.",
  );
}

async function enableOperator(
  store: IdentityStore,
  { disabled: _, ...user }: User,
  password: string | undefined,
): Promise<User> {
  const enabled: User = {
    ...user,
    role: "operator",
    ...(password !== undefined && {
      passwordHash: await hashPassword(
        createHashLimit(),
        password,
        generatedPasswordParameters,
      ),
    }),
  };
  await store.putUser(enabled);
  if (password !== undefined) await store.deleteTokens(user.id);
  return enabled;
}

async function enableDomain(
  store: IdentityStore,
  { domainId }: User,
): Promise<Domain> {
  const found = await store.findDomain(domainId);
  if (!found) {
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      "The operator's domain is gone: restore the data from a backup.",
    );
  }
  const { disabled, ...domain } = found;
  if (disabled) await store.putDomain(domain);
  return domain;
}

/** That of the first start, else the oldest of the domain, else a new one. */
async function enableProject(
  store: IdentityStore,
  { projectId }: BootstrapState,
  { id: domainId }: Domain,
  newId: () => string,
): Promise<Project> {
  const projects = (await store.listProjects()).filter(
    (project) => project.domainId === domainId,
  );
  const { disabled, ...project }: Project = projects.find(
    ({ id }) => id === projectId,
  ) ??
    projects[0] ?? {
      id: newId() as ProjectId,
      name: "default",
      domainId,
    };
  if (disabled || projects.length === 0) await store.putProject(project);
  return project;
}
