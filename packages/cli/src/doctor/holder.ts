import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject } from "../json-object.ts";
import type { Finding } from "./check.ts";

/** Who uses a data folder, as the store notes it in a file. */
export interface FolderHolder {
  /** For people: its number, command and start. */
  readonly name: string;
  /** Otherwise it ended without taking its name away. */
  readonly isAlive: boolean;
}

/** `undefined`: nobody. */
export async function findHolder(
  folder: string,
): Promise<FolderHolder | undefined> {
  let holder: unknown;
  try {
    holder = JSON.parse(await readFile(join(folder, "carillon.pid"), "utf8"));
  } catch {
    return undefined;
  }
  if (!isJsonObject(holder) || typeof holder.pid !== "number") return undefined;
  return {
    name: `process ${holder.pid} (${holder.command}, since ${holder.startedAt})`,
    isAlive: isAlive(holder.pid),
  };
}

/**
 * Is the data folder free, or used by a server that answers?
 *
 * @param url where a server of the folder answers, if one does
 */
export function checkHolder(
  holder: FolderHolder | undefined,
  url: string | undefined,
): Finding {
  const check = "used by";
  if (!holder) return { check, result: "ok", found: "no process" };
  const { name } = holder;
  if (!holder.isAlive) {
    return {
      check,
      result: "ok",
      found: `no process; ${name} was killed, which does no harm`,
    };
  }
  return url !== undefined
    ? { check, result: "ok", found: name }
    : {
        check,
        result: "warning",
        found: `${name}, which does not answer where this configuration has it`,
        advice:
          "A server is refused there until that process ends: wait for it, or stop it.",
      };
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // No permission to signal it: it is there, and somebody else's.
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
