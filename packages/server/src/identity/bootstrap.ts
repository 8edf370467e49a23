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
import { isDeepStrictEqual } from "node:util";
import {
  CarillonError,
  type Clock,
  type ConcurrencyLimit,
  findNamed,
  type IdentityStore,
  type NewId,
  type ProjectId,
  type SettingStore,
  SharedSetting,
} from "@carillon/core";
import { ConfigError } from "../config-error.ts";
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
  const secrets = createSecretBox(ports.key);
  const setting = new SharedSetting(ports.store, bootstrapSetting);
  const kept = await agreeOnDraft(ports, { region, ...presets }, setting);
  const known = parseBootstrapState(kept);
  if (known) return toKnown(known, presets, region, secrets);

  const draft = openDraft(kept, secrets);
  const passwordHash = await hashPassword(
    ports.hashes,
    draft.password,
    presets.adminPassword === undefined
      ? generatedPasswordParameters
      : chosenPasswordParameters,
  );
  const now = await setting.read();
  if (now !== kept) {
    // Another process was quicker: what it made counts.
    const made = now === undefined ? undefined : parseBootstrapState(now);
    if (made) return toKnown(made, presets, region, secrets);
    throw otherFirstStart();
  }
  await makeIdentity(ports, draft, passwordHash);
  const { projectId, userId, receiverSecret } = draft;
  const state: BootstrapState = {
    projectId,
    userId,
    receiverSecret: secrets.seal(receiverSecret, receiverSecretPurpose),
    region,
  };
  return {
    projectId,
    receiverSecret,
    created: {
      credentials: {
        region,
        domain: firstDomainName,
        project: { id: projectId, name: draft.projectName },
        user: { name: adminName, password: draft.password },
        accessKey: draft.accessKey,
        secretKey: draft.secretKey,
        receiverSecret,
      },
      async confirm() {
        await setting.change((text) => {
          if (text === kept) return JSON.stringify(state);
          const made =
            text === undefined ? undefined : parseBootstrapState(text);
          const isSame =
            made && openReceiverSecret(made, secrets) === receiverSecret;
          // Confirmed by another process, of the same draft.
          if (isSame) return undefined;
          throw otherFirstStart();
        });
      },
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
  readonly region: string;
}

/**
 * The identity that a first start makes, sealed in the setting until its
 * credentials were handed over: processes that start at once on one store make
 * the same.
 */
interface Draft {
  /** A start with other ones drafts anew. */
  readonly options: BootstrapOptions;
  readonly domainId: string;
  readonly projectId: ProjectId;
  readonly projectName: string;
  readonly userId: string;
  readonly password: string;
  readonly accessKey: string;
  readonly secretKey: string;
  readonly receiverSecret: string;
}

/** Under which the store keeps it. */
export const bootstrapSetting = "identity.bootstrap";
const receiverSecretPurpose = "receiver-secret";
const draftPurpose = "first-start";
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
  store: SettingStore,
): Promise<BootstrapState | undefined> {
  const text = await new SharedSetting(store, bootstrapSetting).read();
  return text === undefined ? undefined : parseBootstrapState(text);
}

/** `undefined` for the draft of a first start. */
export function parseBootstrapState(text: string): BootstrapState | undefined {
  // Written by this module only, in one piece.
  const kept: BootstrapState | { readonly draft: string } = JSON.parse(text);
  return "draft" in kept ? undefined : kept;
}

/** Answers the setting: a state, or the draft that this start is to follow. */
async function agreeOnDraft(
  ports: BootstrapPorts,
  options: BootstrapOptions,
  setting: SharedSetting,
): Promise<string> {
  const secrets = createSecretBox(ports.key);
  const known = await setting.read();
  if (known !== undefined && parseBootstrapState(known)) return known;
  const draft = await draftIdentity(ports, options);
  const sealed = JSON.stringify({
    draft: secrets.seal(JSON.stringify(draft), draftPurpose),
  });
  const kept = await setting.change((text) => {
    if (text === undefined) return sealed;
    if (parseBootstrapState(text)) return undefined;
    const isSame = isDeepStrictEqual(
      openDraft(text, secrets).options,
      draft.options,
    );
    return isSame ? undefined : sealed;
  });
  return kept ?? sealed;
}

/** @throws CarillonError STORAGE_UNUSABLE when the key is not the store's */
function openDraft(text: string, secrets: SecretBox): Draft {
  try {
    const { draft } = JSON.parse(text);
    return JSON.parse(secrets.open(draft, draftPurpose));
  } catch (cause) {
    throw foreignKey(cause);
  }
}

/**
 * As JSON has it, for a comparison with one that was kept. Of a whole
 * configuration no more: that of another process has another port, say.
 */
function toDraftOptions(options: BootstrapOptions): BootstrapOptions {
  const names = ["region", ...presetNames] as const;
  return JSON.parse(JSON.stringify(options, [...names]));
}

/** Goes on with what a first start that failed has left. */
async function draftIdentity(
  { store, newId }: BootstrapPorts,
  options: BootstrapOptions,
): Promise<Draft> {
  const { projectName = defaultProjectName } = options;
  const domains = await store.listDomains();
  const domainId = findNamed(domains, firstDomainName)?.id ?? newId();
  const projects = await listProjectsOf(store, domainId);
  const leftProject = findNamed(projects, projectName);
  const leftUser = await store.findUserByName(domainId, adminName);
  return {
    options: toDraftOptions(options),
    domainId,
    projectId: (options.projectId ?? leftProject?.id ?? newId()) as ProjectId,
    projectName,
    userId: leftUser?.id ?? newId(),
    password: options.adminPassword ?? randomBytes(18).toString("base64url"),
    accessKey: options.accessKey ?? makeAccessKey(),
    secretKey: options.secretKey ?? makeSecretKey(),
    receiverSecret: randomBytes(24).toString("base64url"),
  };
}

/**
 * Makes what is drafted; twice is fine. A crash in between leaves a part, which
 * the next start with the same draft completes, and one with another replaces:
 * nothing was ever made in it.
 */
async function makeIdentity(
  { store, clock, key }: BootstrapPorts,
  draft: Draft,
  passwordHash: string,
): Promise<void> {
  const { domainId, projectId, projectName, userId, accessKey } = draft;
  await store.putDomain({ id: domainId, name: firstDomainName });
  for (const { id } of await listProjectsOf(store, domainId)) {
    if (id !== projectId) await store.deleteProject(id, clock.now());
  }
  await store.putProject({ id: projectId, name: projectName, domainId });
  await store.putUser({
    id: userId,
    name: adminName,
    domainId,
    passwordHash,
    role: "operator",
    projectIds: [],
  });
  for (const other of await store.listAccessKeys()) {
    if (other.userId === userId && other.accessKey !== accessKey) {
      await store.deleteAccessKey(other.accessKey);
    }
  }
  await store.putAccessKey({
    accessKey,
    encryptedSecret: createSecretBox(key).seal(
      draft.secretKey,
      secretKeyPurpose(accessKey),
    ),
    userId,
    projectId,
    createdAt: clock.now(),
  });
}

async function listProjectsOf(store: IdentityStore, domainId: string) {
  const projects = await store.listProjects();
  return projects.filter((project) => project.domainId === domainId);
}

/** @throws ConfigError, CarillonError STORAGE_UNUSABLE */
function toKnown(
  known: BootstrapState,
  presets: IdentityPresets,
  region: string,
  secrets: SecretBox,
): BootstrapResult {
  checkRegion(known, region);
  return {
    projectId: known.projectId,
    receiverSecret: openReceiverSecret(known, secrets),
    ignoredPresets: presetNames.filter((name) => presets[name] !== undefined),
  };
}

/** @throws ConfigError: URNs that clients have would name nothing any more */
function checkRegion(known: BootstrapState, region: string): void {
  if (known.region === region) return;
  throw new ConfigError([
    {
      key: "region",
      source: "region",
      problem: `expected ${known.region}, the region of this data folder's first start, which stands in every URN that clients have, got ${region}: set it back, or start with another data folder`,
    },
  ]);
}

function otherFirstStart(): CarillonError {
  return new CarillonError(
    "STORAGE_IN_USE",
    "Another process makes the first identity of this store with another configuration: give both the same, and start again.",
  );
}

/**
 * Whether what the setting {@link bootstrapSetting} has sealed opens; true as
 * well before there is any.
 */
export function isKeyOfBootstrap(
  text: string | undefined,
  secrets: SecretBox,
): boolean {
  if (text === undefined) return true;
  try {
    const known = parseBootstrapState(text);
    if (known) openReceiverSecret(known, secrets);
    else openDraft(text, secrets);
    return true;
  } catch {
    return false;
  }
}

/** @throws CarillonError STORAGE_UNUSABLE when the key is not the store's */
export function openReceiverSecret(
  { receiverSecret }: BootstrapState,
  secrets: SecretBox,
): string {
  try {
    return secrets.open(receiverSecret, receiverSecretPurpose);
  } catch (cause) {
    throw foreignKey(cause);
  }
}

function foreignKey(cause: unknown): CarillonError {
  return new CarillonError(
    "STORAGE_UNUSABLE",
    "The key file does not belong to this data: restore the key file that lay beside it.",
    { cause },
  );
}
