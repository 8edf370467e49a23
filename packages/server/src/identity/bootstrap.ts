/**
 * Sees to it that there is someone who can log in: the first start creates the
 * domain and project `default`, the user `admin` with the role operator, an
 * access key pair and the receiver secret.
 *
 * Presets (a password, key pair or project from the configuration) take the
 * place of what the first start makes up otherwise. Once there is an identity
 * they change nothing: the variables that clients of another server use must
 * not replace anybody's key.
 *
 * A first start that fails before its credentials were handed over leaves no
 * identity: the next one begins anew.
 */

import { randomBytes } from "node:crypto";
import {
  CarillonError,
  type Clock,
  type ConcurrencyLimit,
  findNamed,
  type IdentityStore,
  type NewId,
  type ProjectId,
} from "@carillon/core";
import { ConfigError } from "../config.ts";
import {
  makeAccessKey,
  makeSecretKey,
  secretKeyPurpose,
} from "./access-keys.ts";
import { firstDomainName } from "./directory.ts";
import {
  chosenPasswordParameters,
  generatedPasswordParameters,
  hashPassword,
} from "./passwords.ts";
import { createSecretBox, type SecretBox } from "./secret-box.ts";

/**
 * What the configuration says of the first user, project and key pair; what
 * is absent is made up.
 */
export interface IdentityPresets {
  readonly adminPassword?: string | undefined;
  readonly projectId?: string | undefined;
  readonly projectName?: string | undefined;
  /** Both or neither. */
  readonly accessKey?: string | undefined;
  readonly secretKey?: string | undefined;
}

/** What {@link bootstrapIdentity} is told by the configuration. */
export interface BootstrapOptions extends IdentityPresets {
  /** Stands in every URN: it stays what it was at the first start. */
  readonly region: string;
}

/** Everything a client needs; the only time that secrets are shown. */
export interface IdentityCredentials {
  readonly region: string;
  /** Name of the domain of project and user. */
  readonly domain: string;
  readonly project: { readonly id: ProjectId; readonly name: string };
  readonly user: { readonly name: string; readonly password: string };
  readonly accessKey: string;
  readonly secretKey: string;
  readonly receiverSecret: string;
}

/** What {@link bootstrapIdentity} works with. */
export interface BootstrapPorts {
  readonly store: IdentityStore;
  readonly newId: NewId;
  readonly clock: Clock;
  /** Where passwords are hashed. */
  readonly hashes: ConcurrencyLimit;
  /** 32 bytes that secrets in the store are encrypted under. */
  readonly key: Uint8Array;
}

/** What stands after the start, whether it was the first one or not. */
export interface BootstrapResult {
  readonly projectId: ProjectId;
  /** Stands in the path of provider webhooks. */
  readonly receiverSecret: string;
  /** Only at the first start. */
  readonly created?: CreatedIdentity;
  /** Presets that are set and change nothing, because there is an identity. */
  readonly ignoredPresets: readonly (keyof IdentityPresets)[];
}

/** An identity that counts once its credentials were handed over. */
export interface CreatedIdentity {
  readonly credentials: IdentityCredentials;
  /** From here on it is there, and later starts hand over nothing. */
  confirm(): Promise<void>;
}

/**
 * Makes sure that somebody can log in.
 *
 * @throws CarillonError STORAGE_UNUSABLE when the key is not the store's;
 * ConfigError when the region is another one than at the first start
 */
export async function bootstrapIdentity(
  ports: BootstrapPorts,
  { region, ...presets }: BootstrapOptions,
): Promise<BootstrapResult> {
  const { store } = ports;
  const secrets = createSecretBox(ports.key);
  const known = await readBootstrapState(store);
  if (known) {
    await checkRegion(store, known, region);
    return {
      projectId: known.projectId,
      receiverSecret: openReceiverSecret(known, secrets),
      ignoredPresets: presetNames.filter((name) => presets[name] !== undefined),
    };
  }

  const domain = await ensureDomain(ports);
  const project = await ensureProject(ports, presets, domain.id);
  const left = await store.findUserByName(domain.id, adminName);
  const userId = left?.id ?? ports.newId();
  const password =
    presets.adminPassword ?? randomBytes(18).toString("base64url");
  await store.putUser({
    id: userId,
    name: adminName,
    domainId: domain.id,
    passwordHash: await hashPassword(
      ports.hashes,
      password,
      presets.adminPassword === undefined
        ? generatedPasswordParameters
        : chosenPasswordParameters,
    ),
    role: "operator",
    projectIds: [],
  });
  // Of a first start that failed.
  for (const key of await store.listAccessKeys()) {
    if (key.userId === userId) await store.deleteAccessKey(key.accessKey);
  }
  const accessKey = presets.accessKey ?? makeAccessKey();
  const secretKey = presets.secretKey ?? makeSecretKey();
  await store.putAccessKey({
    accessKey,
    encryptedSecret: secrets.seal(secretKey, secretKeyPurpose(accessKey)),
    userId,
    projectId: project.id,
    createdAt: ports.clock.now(),
  });
  const receiverSecret = randomBytes(24).toString("base64url");
  const state: BootstrapState = {
    projectId: project.id,
    userId,
    receiverSecret: secrets.seal(receiverSecret, receiverSecretPurpose),
    region,
  };
  return {
    projectId: project.id,
    receiverSecret,
    created: {
      credentials: {
        region,
        domain: domain.name,
        project,
        user: { name: adminName, password },
        accessKey,
        secretKey,
        receiverSecret,
      },
      confirm: () => store.putSetting(bootstrapSetting, JSON.stringify(state)),
    },
    ignoredPresets: [],
  };
}

/** What the first start left, once it succeeded. */
export interface BootstrapState {
  readonly projectId: ProjectId;
  /** The first operator. */
  readonly userId: string;
  /** Sealed. */
  readonly receiverSecret: string;
  /** Absent in folders of before it was remembered. */
  readonly region?: string;
}

/** Under which the store keeps it. */
export const bootstrapSetting = "identity.bootstrap";
const receiverSecretPurpose = "receiver-secret";
const adminName = "admin";
const defaultProjectName = "default";

const presetNames = [
  "adminPassword",
  "projectId",
  "projectName",
  "accessKey",
  "secretKey",
] as const satisfies (keyof IdentityPresets)[];

/** `undefined` before the first start that succeeded. */
export async function readBootstrapState(
  store: Pick<IdentityStore, "getSetting">,
): Promise<BootstrapState | undefined> {
  const text = await store.getSetting(bootstrapSetting);
  return text === undefined ? undefined : parseBootstrapState(text);
}

export function parseBootstrapState(text: string): BootstrapState {
  // Written by this module only, in one piece.
  return JSON.parse(text) as BootstrapState;
}

/** @throws ConfigError: URNs that clients have would name nothing any more */
async function checkRegion(
  store: IdentityStore,
  known: BootstrapState,
  region: string,
): Promise<void> {
  if (known.region === region) return;
  if (known.region === undefined) {
    const state: BootstrapState = { ...known, region };
    await store.putSetting(bootstrapSetting, JSON.stringify(state));
    return;
  }
  throw new ConfigError([
    {
      key: "region",
      source: "region",
      problem: `expected ${known.region}, the region of this data folder's first start, which stands in every URN that clients have, got ${region}: set it back, or start with another data folder`,
    },
  ]);
}

async function ensureDomain({ store, newId }: BootstrapPorts) {
  const domains = await store.listDomains();
  const known = findNamed(domains, firstDomainName);
  if (known) return known;
  const domain = { id: newId(), name: firstDomainName };
  await store.putDomain(domain);
  return domain;
}

async function ensureProject(
  { store, newId, clock }: BootstrapPorts,
  { projectId, projectName: name = defaultProjectName }: IdentityPresets,
  domainId: string,
) {
  // Of a first start that failed: nothing was ever made in it.
  const left = (await store.listProjects()).filter(
    (project) => project.domainId === domainId,
  );
  const id = (projectId ?? findNamed(left, name)?.id ?? newId()) as ProjectId;
  for (const other of left) {
    if (other.id !== id) await store.deleteProject(other.id, clock.now());
  }
  await store.putProject({ id, name, domainId });
  return { id, name };
}

/** @throws CarillonError STORAGE_UNUSABLE when the key is not the store's */
export function openReceiverSecret(
  { receiverSecret }: BootstrapState,
  secrets: SecretBox,
): string {
  try {
    return secrets.open(receiverSecret, receiverSecretPurpose);
  } catch (cause) {
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      "The key file does not belong to this data: restore the key file that lay beside it.",
      { cause },
    );
  }
}
