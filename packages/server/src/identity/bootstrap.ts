/**
 * Sees to it that there is someone who can log in: on the first start it
 * creates the domain and project `default`, the user `admin` with the role
 * operator, an access key pair and the receiver secret.
 *
 * Presets (a password, key pair or project from the configuration) are applied
 * when they differ from what the last start saw; so a preset that is changed
 * takes effect at the next start, while one that stays does not undo what was
 * changed in the meantime by other means:
 *
 * - another password: the password of `admin` is replaced, and who had been
 *   disabled or was no operator any more is one again;
 * - another key pair: it is added, and the pair of the last start stops
 *   working;
 * - another project name: the project is renamed;
 * - another project id: a project of that id is created and the key pair
 *   reaches that one; the earlier project is kept under a name that ends in
 *   its id.
 */

import { createHmac, randomBytes } from "node:crypto";
import {
  CarillonError,
  type Clock,
  type ConcurrencyLimit,
  findNamed,
  type IdentityStore,
  isSameIdentityName,
  type NewId,
  type ProjectId,
} from "@carillon/core";
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
  readonly region: string;
}

/** Everything a client needs; the only time that secrets are shown. */
export interface IdentityCredentials {
  readonly region: string;
  /** Name of the domain of project and user. */
  readonly domain: string;
  readonly project: { readonly id: ProjectId; readonly name: string };
  readonly user: {
    readonly name: string;
    /** Absent when it was set on an earlier start: only its hash is kept. */
    readonly password?: string;
  };
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
  /**
   * Called on the first start, and when a preset changed something. Only once
   * it has resolved do the credentials count as handed over: after a crash
   * before that, the next start makes new ones and calls again.
   */
  readonly onCredentials: (credentials: IdentityCredentials) => Promise<void>;
}

/** What stands after the start, whether it was the first one or not. */
export interface BootstrapResult {
  readonly projectId: ProjectId;
  /** Stands in the path of provider webhooks. */
  readonly receiverSecret: string;
}

/**
 * Makes sure that somebody can log in, and applies presets that changed since
 * the last start. A crash in the middle is repaired by the next start.
 *
 * @throws CarillonError STORAGE_UNUSABLE when the key is not the store's
 */
export async function bootstrapIdentity(
  ports: BootstrapPorts,
  presets: IdentityPresets,
): Promise<BootstrapResult> {
  const { store } = ports;
  const secrets = createSecretBox(ports.key);
  const seen = fingerprintsOf(presets, ports.key);
  const last = await readState(store);
  if (last && sameFingerprints(last.seen, seen)) {
    return resultOf(last, secrets);
  }

  const isChanged = (name: keyof IdentityPresets) =>
    last?.seen[name] !== seen[name] && presets[name] !== undefined;
  const domain = await ensureDomain(ports);
  const project = await ensureProject(ports, presets, domain.id, last);
  const user =
    (last && (await store.findUser(last.userId))) ??
    (await store.findUserByName(domain.id, adminName));
  const userId = user?.id ?? ports.newId();
  let password: string | undefined;
  if (!last || isChanged("adminPassword")) {
    password = presets.adminPassword ?? randomBytes(18).toString("base64url");
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
      projectIds: user?.projectIds ?? [],
    });
  }

  const keyPair =
    !last || isChanged("accessKey") || isChanged("secretKey")
      ? {
          accessKey: presets.accessKey ?? makeAccessKey(),
          secretKey: presets.secretKey ?? makeSecretKey(),
        }
      : {
          accessKey: last.accessKey,
          secretKey: await readSecretKey(store, secrets, last.accessKey),
        };
  await store.putAccessKey({
    accessKey: keyPair.accessKey,
    encryptedSecret: secrets.seal(
      keyPair.secretKey,
      secretKeyPurpose(keyPair.accessKey),
    ),
    userId,
    projectId: project.id,
    createdAt: ports.clock.now(),
  });
  if (last && last.accessKey !== keyPair.accessKey) {
    await store.deleteAccessKey(last.accessKey);
  }

  const receiverSecret = last
    ? openReceiverSecret(last, secrets)
    : randomBytes(24).toString("base64url");
  await ports.onCredentials({
    region: presets.region,
    domain: domain.name,
    project,
    user: { name: adminName, ...(password !== undefined && { password }) },
    ...keyPair,
    receiverSecret,
  });
  // Last: a crash before this line repeats the start from the beginning.
  const state: BootstrapState = {
    projectId: project.id,
    userId,
    accessKey: keyPair.accessKey,
    receiverSecret: secrets.seal(receiverSecret, receiverSecretPurpose),
    seen,
  };
  await store.putSetting(stateSetting, JSON.stringify(state));
  return { projectId: project.id, receiverSecret };
}

/** What the last complete start left. */
interface BootstrapState {
  readonly projectId: ProjectId;
  readonly userId: string;
  readonly accessKey: string;
  /** Sealed. */
  readonly receiverSecret: string;
  /** Of each preset, so that a change is noticed without keeping it. */
  readonly seen: Fingerprints;
}

type Fingerprints = Readonly<Partial<Record<keyof IdentityPresets, string>>>;

const stateSetting = "identity.bootstrap";
const receiverSecretPurpose = "receiver-secret";
const adminName = "admin";
const defaultProjectName = "default";

const presetNames = [
  "adminPassword",
  "projectId",
  "projectName",
  "accessKey",
  "secretKey",
  "region",
] as const satisfies (keyof IdentityPresets)[];

function fingerprintsOf(
  presets: IdentityPresets,
  key: Uint8Array,
): Fingerprints {
  const fingerprints: Partial<Record<keyof IdentityPresets, string>> = {};
  for (const name of presetNames) {
    const preset = presets[name];
    if (preset === undefined) continue;
    // Keyed: a guess at a weak password cannot be checked without the key.
    fingerprints[name] = createHmac("sha256", key)
      .update(`preset ${name} ${preset}`)
      .digest("base64url");
  }
  return fingerprints;
}

/** A preset that was taken away changes nothing. */
function sameFingerprints(last: Fingerprints, now: Fingerprints): boolean {
  return presetNames.every(
    (name) => now[name] === undefined || now[name] === last[name],
  );
}

async function readState(
  store: IdentityStore,
): Promise<BootstrapState | undefined> {
  const text = await store.getSetting(stateSetting);
  // Written by this module only, in one piece.
  return text === undefined ? undefined : (JSON.parse(text) as BootstrapState);
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
  { store, newId }: BootstrapPorts,
  presets: IdentityPresets,
  domainId: string,
  last: BootstrapState | undefined,
) {
  const projects = await store.listProjects();
  const siblings = projects.filter((other) => other.domainId === domainId);
  const before = siblings.find((other) => other.id === last?.projectId);
  const wantedName = presets.projectName ?? before?.name ?? defaultProjectName;
  const unfinished = last ? undefined : findNamed(siblings, wantedName);
  const id = (presets.projectId ??
    before?.id ??
    unfinished?.id ??
    newId()) as ProjectId;
  const known = siblings.find((other) => other.id === id);
  if (known?.name !== wantedName) {
    const namesakes = siblings.filter(
      (other) => isSameIdentityName(other.name, wantedName) && other.id !== id,
    );
    // Names are unique: clients look projects up by them.
    for (const other of namesakes) {
      await store.putProject({ ...other, name: `${other.name}-${other.id}` });
    }
  }
  const project = { id, name: wantedName, domainId };
  await store.putProject(project);
  return { id, name: wantedName };
}

async function readSecretKey(
  store: IdentityStore,
  secrets: SecretBox,
  accessKey: string,
): Promise<string> {
  const record = await store.findAccessKey(accessKey);
  if (!record) return makeSecretKey();
  return openWith(() =>
    secrets.open(record.encryptedSecret, secretKeyPurpose(accessKey)),
  );
}

function openReceiverSecret(state: BootstrapState, secrets: SecretBox): string {
  return openWith(() =>
    secrets.open(state.receiverSecret, receiverSecretPurpose),
  );
}

function resultOf(state: BootstrapState, secrets: SecretBox): BootstrapResult {
  return {
    projectId: state.projectId,
    receiverSecret: openReceiverSecret(state, secrets),
  };
}

function openWith(open: () => string): string {
  try {
    return open();
  } catch (cause) {
    throw new CarillonError(
      "STORAGE_UNUSABLE",
      "The key file does not belong to this data: restore the key file that lay beside it.",
      { cause },
    );
  }
}
