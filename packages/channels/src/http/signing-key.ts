/**
 * The service's signing keys: the one that signs, and the certificates of those
 * that did, so that messages on their way can still be verified.
 */

import {
  createPrivateKey,
  generateKeyPair,
  type KeyObject,
  randomBytes,
  X509Certificate,
} from "node:crypto";
import { promisify } from "node:util";
import {
  addMs,
  type Clock,
  createReload,
  type EpochMs,
  type Logger,
  type SettingStore,
  SharedSetting,
  type StoreChanges,
  toEpochMs,
  watchSetting,
} from "@carillon/core";
import { createSelfSignedCertificate } from "./certificate.ts";
import { SigningThreads } from "./signing-threads.ts";

/** A signature of a notification, and which certificate verifies it. */
export interface Signature {
  /** Base64. */
  readonly signature: string;
  /** Whose key it was: the last part of `signing_cert_url`. */
  readonly certificateId: string;
}

/** Signs with the current key. */
export interface Signer {
  sign(text: string): Promise<Signature>;
}

/** Encrypts what is kept; `purpose` binds it to its place. */
export interface SigningSecrets {
  seal(secret: string, purpose: string): string;
  /** @throws Error when it was sealed by another, or altered */
  open(sealed: string, purpose: string): string;
}

/** A key's certificate. */
export interface SigningCertificate {
  readonly certificateId: string;
  /** PEM. */
  readonly certificate: string;
  /** Whether messages are signed with its key. */
  readonly current: boolean;
  readonly notBefore: EpochMs;
  readonly notAfter: EpochMs;
}

/** Where signing keys are kept, and for which region they sign. */
export interface SigningKeysOptions {
  readonly settings: SettingStore & StoreChanges;
  /** What the private key is kept under. */
  readonly secrets: SigningSecrets;
  readonly region: string;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The name under which the keys are kept in the settings. */
export const signingKeysSetting = "smn.signing_keys";

const day = 24 * 3_600_000;
const lifetimeMs = 3650 * day;

/**
 * Keys are made and read in the background: whoever signs first waits for them.
 * Of processes that make keys at once on one store, one succeeds; the others
 * take what it made. What another one rotates is read when the store tells of
 * it; until then the former key signs, whose certificate stays.
 */
export class SigningKeys implements Signer, Disposable {
  readonly #options: SigningKeysOptions;
  readonly #setting: SharedSetting;
  readonly #reload = createReload(() => this.#readAgain());
  readonly #stop: () => void;
  readonly #threads: SigningThreads;
  #loaded: Promise<LoadedKeys> | undefined;
  /** Rotations made here so far. */
  #rotations = 0;

  constructor(options: SigningKeysOptions) {
    const { settings, logger } = options;
    this.#options = options;
    this.#threads = new SigningThreads(logger);
    this.#setting = new SharedSetting(settings, signingKeysSetting);
    this.#stop = watchSetting(settings, signingKeysSetting, () => {
      this.#reload().catch((error: unknown) => {
        logger.warn("signing_keys_not_read", { error });
      });
    });
  }

  /** Reads the keys, or makes the first one. Signing waits for it anyway. */
  async load(): Promise<void> {
    await this.#load();
  }

  async sign(text: string): Promise<Signature> {
    const { current, privateKey } = await this.#load();
    return {
      signature: await this.#threads.sign(text, privateKey),
      certificateId: current.certificateId,
    };
  }

  /** A current or former certificate as PEM; `undefined` if there is none. */
  async findCertificate(certificateId: string): Promise<string | undefined> {
    const known = findIn(await this.#load(), certificateId);
    if (known !== undefined) return known;
    // Another process may have made a new one that was not told yet.
    await this.#reload();
    return findIn(await this.#load(), certificateId);
  }

  /** All certificates, the current one first, then the newest. */
  async list(): Promise<readonly SigningCertificate[]> {
    await this.#reload();
    return listCertificates(await this.#load());
  }

  /** Signs with a fresh key from now on; answers its certificate's id. */
  async rotate(): Promise<string> {
    await this.#load();
    const fresh = await this.#make();
    const text = await this.#setting.change((kept) => {
      if (kept === undefined) return JSON.stringify(fresh);
      // As it is kept: another process may have rotated meanwhile.
      const { current, former } = parseStored(kept);
      return JSON.stringify({ ...fresh, former: [current, ...former] });
    });
    this.#rotations++;
    this.#loaded = Promise.resolve(this.#open(text));
    return fresh.current.certificateId;
  }

  /** Reads no more what others write, and ends the threads that sign. */
  [Symbol.dispose](): void {
    this.#stop();
    this.#threads[Symbol.dispose]();
  }

  /** In place of what was loaded, which stays should that fail. */
  async #readAgain(): Promise<void> {
    // What is loaded for the first time is read from now on.
    if (this.#loaded === undefined) return;
    await this.#loaded.catch(() => {});
    for (;;) {
      const before = this.#rotations;
      const keys = await this.#read();
      // What was written meanwhile may be older than this, or newer.
      if (this.#rotations !== before) continue;
      if (keys) this.#loaded = Promise.resolve(keys);
      return;
    }
  }

  #load(): Promise<LoadedKeys> {
    this.#loaded ??= this.#readOrMake().catch((error: unknown) => {
      // The store may be back for the next message.
      this.#loaded = undefined;
      throw error;
    });
    return this.#loaded;
  }

  async #readOrMake(): Promise<LoadedKeys> {
    const known = await this.#read();
    if (known) return known;
    const fresh = JSON.stringify(await this.#make());
    const text = await this.#setting.change((kept) =>
      kept === undefined ? fresh : undefined,
    );
    return this.#open(text);
  }

  async #read(): Promise<LoadedKeys | undefined> {
    const text = await this.#setting.read();
    return text === undefined ? undefined : this.#open(text);
  }

  #open(text: string | undefined): LoadedKeys {
    if (text === undefined) throw unreadable();
    return parseKeys(text, this.#options.secrets);
  }

  /** A crash before it is written loses a key nobody has seen a signature of. */
  async #make(): Promise<StoredKeys> {
    const { clock, logger, region, secrets } = this.#options;
    const startedAt = clock.now();
    const { privateKey } = await generateInPool("rsa", { modulusLength: 2048 });
    const current = {
      certificateId: `SMN_${region}_${randomBytes(16).toString("hex")}.pem`,
      certificate: await createSelfSignedCertificate({
        privateKey,
        commonName: `Carillon ${region}`,
        // Receivers whose clocks are slow accept it too.
        notBefore: addMs(startedAt, -day),
        notAfter: addMs(startedAt, lifetimeMs),
      }),
    };
    logger.info("signing_key_created", {
      certificateId: current.certificateId,
      durationMs: clock.now() - startedAt,
    });
    return {
      current,
      privateKey: secrets.seal(
        privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
        signingKeysSetting,
      ),
      former: [],
    };
  }
}

interface Certificate {
  readonly certificateId: string;
  /** PEM. */
  readonly certificate: string;
}

interface Keys<PrivateKey> {
  readonly current: Certificate;
  readonly privateKey: PrivateKey;
  /** Newest first. */
  readonly former: readonly Certificate[];
}

function listCertificates({
  current,
  former,
}: Keys<unknown>): readonly SigningCertificate[] {
  return [current, ...former].map(({ certificateId, certificate }) => {
    const { validFromDate, validToDate } = new X509Certificate(certificate);
    return {
      certificateId,
      certificate,
      current: certificateId === current.certificateId,
      notBefore: toEpochMs(validFromDate.getTime()),
      notAfter: toEpochMs(validToDate.getTime()),
    };
  });
}

/**
 * The certificates of the setting {@link signingKeysSetting}, the current one
 * first, then the newest; no key is opened.
 *
 * @throws Error when the text holds none
 */
export function parseSigningCertificates(
  text: string,
): readonly SigningCertificate[] {
  return listCertificates(parseStored(text));
}

/** The private key as PKCS #8 PEM, sealed. */
type StoredKeys = Keys<string>;
type LoadedKeys = Keys<KeyObject>;

function findIn(
  { current, former }: LoadedKeys,
  certificateId: string,
): string | undefined {
  return [current, ...former].find(
    (certificate) => certificate.certificateId === certificateId,
  )?.certificate;
}

function parseKeys(text: string, secrets: SigningSecrets): LoadedKeys {
  const parsed = parseStored(text);
  const pem = secrets.open(parsed.privateKey, signingKeysSetting);
  return { ...parsed, privateKey: createPrivateKey(pem) };
}

function parseStored(text: string): StoredKeys {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw unreadable(cause);
  }
  if (!isStoredKeys(parsed)) throw unreadable();
  return parsed;
}

function unreadable(cause?: unknown): Error {
  return new Error(
    `The setting ${signingKeysSetting} holds no signing keys; remove it to have new ones made.`,
    { cause },
  );
}

function isStoredKeys(value: unknown): value is StoredKeys {
  if (typeof value !== "object" || value === null) return false;
  const keys = value as Partial<Record<keyof StoredKeys, unknown>>;
  return (
    isCertificate(keys.current) &&
    typeof keys.privateKey === "string" &&
    Array.isArray(keys.former) &&
    keys.former.every(isCertificate)
  );
}

function isCertificate(value: unknown): value is Certificate {
  if (typeof value !== "object" || value === null) return false;
  const entry = value as Partial<Record<keyof Certificate, unknown>>;
  return (
    typeof entry.certificateId === "string" &&
    typeof entry.certificate === "string"
  );
}

const generateInPool = promisify(generateKeyPair);
