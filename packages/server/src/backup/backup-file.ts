/**
 * The file of a backup: a gzipped tar. `backup.json` comes first and says what
 * it is; the files of the data folder follow; `SHA256SUMS`, as `sha256sum` has
 * it, comes last.
 */

import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createGzip } from "node:zlib";
import { newestSchemaVersion } from "@carillon/storage";
import type { Static } from "typebox";
import { Check } from "typebox/schema";
import { Type } from "../json-schema.ts";
import { version } from "../version.ts";
import { BackupError } from "./backup-error.ts";
import { readTar, type TarEntry, TarError, writeTar } from "./tar.ts";

/** Another one is not read by this version. */
const formatNumber = 1;

const manifestSchema = Type.Object({
  carillonBackup: Type.Integer({ minimum: 1 }),
  /** Of the Carillon that made it. */
  version: Type.String(),
  /** Of which moment the state is; ISO 8601. */
  createdAt: Type.String(),
  schemaVersion: Type.Integer({ minimum: 1 }),
  /** Rows by table. */
  rows: Type.Record(Type.String(), Type.Integer({ minimum: 0 })),
});

/** What `backup.json` says. */
export type BackupManifest = Readonly<Static<typeof manifestSchema>>;

/** Name and SHA-256 (hexadecimal) of each file, without the sums themselves. */
export type BackupSums = ReadonlyMap<string, string>;

/** How long work goes on. */
export interface BackupProgress {
  readonly step: "copying" | "checking" | "packing" | "verifying" | "unpacking";
  readonly done: number;
  /** In the same unit: pages, tables or bytes. */
  readonly total: number;
}

/** How a caller follows a backup or a restore. */
export interface BackupOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: BackupProgress) => void) | undefined;
}

/** Files of the data folder that a backup may hold. */
const contentNames =
  /^(carillon\.db|secret\.key|credentials\.json|logs\/[0-9a-z-]+\.jsonl)$/;
const manifestName = "backup.json";
const sumsName = "SHA256SUMS";
/** `backup.json` and `SHA256SUMS` are read as a whole. */
const maxTextBytes = 64 * 2 ** 20;

/** The manifest of a backup of that moment's state. */
export function createManifest(
  content: Pick<BackupManifest, "schemaVersion" | "rows">,
  now: Date,
): BackupManifest {
  return {
    carillonBackup: formatNumber,
    version,
    createdAt: now.toISOString(),
    ...content,
  };
}

/**
 * Writes the file and answers the sums of what is in it.
 */
export async function writeBackupFile(
  output: NodeJS.WritableStream,
  manifest: BackupManifest,
  entries: AsyncIterable<TarEntry>,
  { signal }: Pick<BackupOptions, "signal"> = {},
): Promise<BackupSums> {
  const sums = new Map<string, string>();
  await pipeline(
    writeTar(withSums(manifest, entries, sums)),
    // The fastest: a database shrinks to a third all the same.
    createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 2 ** 18 }),
    output,
    { ...(signal && { signal }) },
  );
  return sums;
}

async function* withSums(
  manifest: BackupManifest,
  entries: AsyncIterable<TarEntry>,
  sums: Map<string, string>,
): AsyncGenerator<TarEntry, void> {
  const text = `${JSON.stringify(manifest, undefined, 2)}\n`;
  yield summed(textEntry(manifestName, text), sums);
  for await (const entry of entries) yield summed(entry, sums);
  const lines = [...sums].map(([name, sum]) => `${sum}  ${name}\n`);
  yield textEntry(sumsName, lines.join(""));
}

function textEntry(name: string, text: string): TarEntry {
  const bytes = Buffer.from(text);
  return {
    name,
    bytes: bytes.length,
    content: (async function* () {
      yield bytes;
    })(),
  };
}

/** The entry, whose sum is noted once its content was read. */
function summed(entry: TarEntry, sums: Map<string, string>): TarEntry {
  return {
    ...entry,
    content: (async function* () {
      const hash = createHash("sha256");
      for await (const piece of entry.content) {
        hash.update(piece);
        yield piece;
      }
      sums.set(entry.name, hash.digest("hex"));
    })(),
  };
}

/** What is done with a backup's files while it is read. */
export interface BackupReader {
  /** Called first, before anything else was looked at. */
  manifest?(manifest: BackupManifest): Promise<void>;
  /** Takes the content of one file; default: it is only summed. */
  file?(entry: TarEntry): Promise<void>;
}

/**
 * Reads a backup to its end and checks every byte of it.
 *
 * @param totalBytes size of the file
 * @throws BackupError BACKUP_FOREIGN, BACKUP_DAMAGED, BACKUP_NEWER; what the
 * reader throws; the signal's reason
 */
export async function readBackupFile(
  path: string,
  totalBytes: number,
  reader: BackupReader,
  {
    signal,
    onProgress,
    step = "unpacking",
  }: BackupOptions & { readonly step?: BackupProgress["step"] } = {},
): Promise<{ readonly manifest: BackupManifest; readonly sums: BackupSums }> {
  let manifest: BackupManifest | undefined;
  let stated: BackupSums | undefined;
  const sums = new Map<string, string>();
  let done = 0;
  const counter = new Transform({
    transform(piece: Uint8Array, _encoding, next) {
      done += piece.length;
      onProgress?.({ step, done, total: totalBytes });
      next(undefined, piece);
    },
  });
  try {
    await pipeline(
      createReadStream(path, { highWaterMark: 2 ** 18 }),
      counter,
      createGunzip({ chunkSize: 2 ** 18 }),
      async (source: AsyncIterable<Uint8Array>) => {
        for await (const entry of readTar(source)) {
          const { name } = entry;
          if (!manifest) {
            manifest = parseManifest(path, name, await readText(entry, sums));
            await reader.manifest?.(manifest);
          } else if (stated || sums.has(name)) {
            throw new TarError(`${name} is in a wrong place`);
          } else if (name === sumsName) {
            stated = parseSums(await readText(entry, new Map()));
          } else if (!contentNames.test(name)) {
            throw new TarError(`${name} does not belong into it`);
          } else {
            const checked = summed(entry, sums);
            await reader.file?.(checked);
            for await (const _ of checked.content);
          }
        }
      },
      { ...(signal && { signal }) },
    );
  } catch (cause) {
    signal?.throwIfAborted();
    if (!isUnreadable(cause)) throw cause;
    throw manifest ? damaged(path, cause.message, cause) : foreign(path, cause);
  }
  if (!manifest) throw foreign(path);
  if (!stated) throw damaged(path, "it has no sums");
  const wrong = [...sums].find(([name, sum]) => stated?.get(name) !== sum);
  if (wrong) throw damaged(path, `the sum of ${wrong[0]} is another`);
  const missing = [...stated.keys()].find((name) => !sums.has(name));
  if (missing) throw damaged(path, `${missing} is missing`);
  return { manifest, sums };
}

function parseManifest(
  path: string,
  name: string,
  text: string,
): BackupManifest {
  let manifest: unknown;
  try {
    manifest = name === manifestName ? JSON.parse(text) : undefined;
  } catch {
    // Whatever it is, it is not ours.
  }
  const { carillonBackup, version: by } = (manifest ?? {}) as Partial<
    Record<keyof BackupManifest, unknown>
  >;
  const isNewer = (what: string) =>
    new BackupError(
      "BACKUP_NEWER",
      `${path} was made by Carillon ${String(by)}, which is newer than this version ${version} (${what}): restore it with that version.`,
    );
  if (typeof carillonBackup === "number" && carillonBackup > formatNumber) {
    throw isNewer(`format ${carillonBackup} instead of ${formatNumber}`);
  }
  if (!Check(manifestSchema, manifest)) throw foreign(path);
  const newest = newestSchemaVersion();
  if (manifest.schemaVersion > newest) {
    throw isNewer(`schema ${manifest.schemaVersion} instead of ${newest}`);
  }
  return manifest;
}

function parseSums(text: string): BackupSums {
  const lines = text.split("\n").slice(0, -1);
  return new Map(
    lines.map((line) => {
      const [, sum = "", name = ""] =
        /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
      return [name, sum];
    }),
  );
}

async function readText(
  entry: TarEntry,
  sums: Map<string, string>,
): Promise<string> {
  if (entry.bytes > maxTextBytes)
    throw new TarError(`${entry.name} is too long`);
  const pieces: Uint8Array[] = [];
  for await (const piece of summed(entry, sums).content) pieces.push(piece);
  return Buffer.concat(pieces).toString();
}

function isUnreadable(error: unknown): error is Error {
  if (error instanceof TarError) return true;
  const code = error instanceof Error && "code" in error ? error.code : "";
  return typeof code === "string" && /^Z_/.test(code);
}

function foreign(path: string, cause?: unknown): BackupError {
  return new BackupError(
    "BACKUP_FOREIGN",
    `${path} is no backup of Carillon.`,
    { cause },
  );
}

/** A backup of which another copy is needed. */
export function damaged(
  path: string,
  what: string,
  cause?: unknown,
): BackupError {
  return new BackupError(
    "BACKUP_DAMAGED",
    `${path} is damaged (${what}): nothing was changed; take another backup.`,
    { cause },
  );
}
