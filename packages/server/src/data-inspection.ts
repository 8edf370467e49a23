/**
 * What a data folder holds, without opening its store: for doctors, beside a
 * server that uses it or after one that could not start.
 */

import { existsSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import {
  parseSigningCertificates,
  signingKeysSetting,
} from "@carillon/channels";
import type { EpochMs } from "@carillon/core";
import {
  DatabaseFile,
  isDamage,
  locateFiles,
  newestSchemaVersion,
  unfinishedRestoreName,
} from "@carillon/storage";
import { isKeyOf } from "./backup/data-check.ts";
import { bootstrapSetting, parseBootstrapState } from "./identity/bootstrap.ts";
import { keyFileName } from "./key-file.ts";

/** What was found; what could not be read any more is absent. */
export interface DataInspection {
  readonly database:
    | { readonly state: "absent" | "empty" | "whole" }
    /** A newer version wrote it, with that schema. */
    | { readonly state: "newer"; readonly schemaVersion: number }
    /** `problem`: in SQLite's or the system's words. */
    | { readonly state: "damaged" | "unreadable"; readonly problem: string };
  readonly databaseBytes: number;
  /** Whether a restore into the folder broke off while it moved files. */
  readonly restoreBrokeOff: boolean;
  readonly key?: "fits" | "of another database" | "absent" | "unreadable";
  /** The certificate that messages are signed with now. */
  readonly signingCertificate?: {
    readonly certificateId: string;
    readonly notAfter: EpochMs;
  };
  /** The region of the first start. */
  readonly region?: string;
}

export interface InspectionOptions {
  /** The secret key; default: the folder's own file. */
  readonly secretKeyFile?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks the pages of the database as well, which takes about a second for a
 * gigabyte.
 *
 * @throws the signal's reason
 */
export async function inspectData(
  folder: string,
  { secretKeyFile, signal }: InspectionOptions = {},
): Promise<DataInspection> {
  const { database: path } = locateFiles(folder);
  const restoreBrokeOff = existsSync(join(folder, unfinishedRestoreName));
  const { size: databaseBytes } = await stat(path).catch(() => ({ size: 0 }));
  const found = { databaseBytes, restoreBrokeOff };
  if (!existsSync(path)) return { ...found, database: { state: "absent" } };
  try {
    using database = new DatabaseFile(path);
    const damage = await database.findDamage("quick", { signal });
    if (damage.length > 0) {
      const problem = damage[0] ?? "";
      return { ...found, database: { state: "damaged", problem } };
    }
    const { schemaVersion } = database;
    if (schemaVersion === 0) return { ...found, database: { state: "empty" } };
    if (schemaVersion > newestSchemaVersion()) {
      return { ...found, database: { state: "newer", schemaVersion } };
    }
    return {
      ...found,
      database: { state: "whole" },
      key: await inspectKey(
        secretKeyFile ?? join(folder, keyFileName),
        database,
      ),
      ...inspectSettings(database),
    };
  } catch (error) {
    signal?.throwIfAborted();
    const problem = error instanceof Error ? error.message : String(error);
    const state = isDamage(error) ? "damaged" : "unreadable";
    return { ...found, database: { state, problem } };
  }
}

async function inspectKey(
  path: string,
  database: DatabaseFile,
): Promise<DataInspection["key"] & string> {
  try {
    const key = await readFile(path);
    return isKeyOf(database, key) ? "fits" : "of another database";
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === "ENOENT";
    return isAbsent ? "absent" : "unreadable";
  }
}

function inspectSettings(
  database: DatabaseFile,
): Pick<DataInspection, "region" | "signingCertificate"> {
  const certificates = database.findSetting(signingKeysSetting);
  const [current] =
    certificates === undefined ? [] : parseSigningCertificates(certificates);
  const bootstrap = database.findSetting(bootstrapSetting);
  const { region } =
    (bootstrap === undefined ? undefined : parseBootstrapState(bootstrap)) ??
    {};
  return {
    ...(current && { signingCertificate: current }),
    ...(region !== undefined && { region }),
  };
}
