/** Is what the data folder holds whole, and does it fit this configuration? */

import { type DataInspection, inspectData } from "@carillon/server";
import type { Finding } from "./check.ts";

const day = 24 * 3_600_000;
/** A signing certificate is to be replaced within this time. */
const signingNoticeDays = 30;

/** What of the configuration and the machine the data are compared with. */
export interface CheckDataOptions {
  readonly region: string;
  /** The secret key; default: the folder's own file. */
  readonly secretKeyFile?: string | undefined;
  /** Milliseconds since the epoch. */
  readonly now?: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Looks at database, key file, region and signing certificate.
 *
 * @throws the signal's reason
 */
export async function checkData(
  folder: string,
  { region, secretKeyFile, now = Date.now(), signal }: CheckDataOptions,
): Promise<readonly Finding[]> {
  const data = await inspectData(folder, { secretKeyFile, signal });
  return [
    checkDatabase(folder, data),
    ...(data.key === undefined
      ? []
      : [checkKey(folder, secretKeyFile, data.key)]),
    ...(data.region === undefined ? [] : [checkRegion(data.region, region)]),
    ...(data.signingCertificate === undefined
      ? []
      : [checkSigning(data.signingCertificate, now)]),
  ];
}

function checkDatabase(
  folder: string,
  { database, databaseBytes, restoreBrokeOff }: DataInspection,
): Finding {
  const check = "database";
  const restore = `carillon restore FILE --data ${folder} --force`;
  if (restoreBrokeOff) {
    return {
      check,
      result: "failed",
      found: "a restore broke off while it moved files",
      advice: `Run it again: ${restore}`,
    };
  }
  switch (database.state) {
    case "absent":
      return { check, result: "skipped", found: "there is none yet" };
    case "empty":
      return { check, result: "skipped", found: "it is empty yet" };
    case "whole": {
      const size = `${Math.ceil(databaseBytes / 2 ** 20)} MiB`;
      return { check, result: "ok", found: `whole, ${size}` };
    }
    case "newer":
      return {
        check,
        result: "failed",
        found: `a newer version wrote it (schema ${database.schemaVersion})`,
        advice: `Install that version, or restore a backup from before: ${restore}`,
      };
    case "damaged":
      return {
        check,
        result: "failed",
        found: `damaged: ${database.problem}`,
        advice: `Stop the server and restore a backup, which keeps these files aside: ${restore}`,
      };
    case "unreadable":
      return {
        check,
        result: "failed",
        found: `it cannot be read: ${database.problem}`,
        advice:
          "Run this as the user that runs the server; it needs the right to read and write carillon.db, carillon.db-wal and carillon.db-shm.",
      };
    default:
      return database satisfies never;
  }
}

function checkKey(
  folder: string,
  secretKeyFile: string | undefined,
  key: NonNullable<DataInspection["key"]>,
): Finding {
  const check = "key file";
  if (key === "fits") {
    return { check, result: "ok", found: "it is the database's" };
  }
  const name = secretKeyFile ?? "secret.key";
  const found = {
    absent: `${name} is missing`,
    unreadable: `${name} cannot be read`,
    "of another database": `${name} is not the one of this database`,
  }[key];
  return {
    check,
    result: "failed",
    found,
    advice: secretKeyFile
      ? "Secrets cannot be read without it: name the file that the other nodes of this store have, or the one that a backup of it holds."
      : `Secrets cannot be read without it: put the file that lay beside this database back into ${folder}, from a backup.`,
  };
}

function checkRegion(first: string, configured: string): Finding {
  const check = "region";
  return first === configured
    ? { check, result: "ok", found: first }
    : {
        check,
        result: "failed",
        found: `it is ${configured} now, and was ${first} when the data were made`,
        advice: `Every URN contains the region, so clients, access policies and subscribers refer to URNs that are not there any more: set region to ${first}.`,
      };
}

function checkSigning(
  certificate: NonNullable<DataInspection["signingCertificate"]>,
  now: number,
): Finding {
  const check = "signing certificate";
  const until = new Date(certificate.notAfter).toISOString().slice(0, 10);
  const advice = "Make a new one: carillon certificate rotate";
  if (certificate.notAfter <= now) {
    return { check, result: "failed", found: `it ended on ${until}`, advice };
  }
  const isSoon = certificate.notAfter - now < signingNoticeDays * day;
  return isSoon
    ? { check, result: "warning", found: `it ends on ${until}`, advice }
    : { check, result: "ok", found: `good until ${until}` };
}
