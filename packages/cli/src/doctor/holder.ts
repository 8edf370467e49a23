import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isJsonObject } from "../json-object.ts";
import type { Finding } from "./check.ts";

/** Which process uses the data folder? The store notes it in a file. */
export async function checkHolder(folder: string): Promise<Finding> {
  const check = "used by";
  let holder: unknown;
  try {
    holder = JSON.parse(await readFile(join(folder, "carillon.pid"), "utf8"));
  } catch {
    return { check, result: "ok", found: "no process" };
  }
  if (!isJsonObject(holder) || typeof holder.pid !== "number") {
    return { check, result: "ok", found: "no process" };
  }
  const name = `process ${holder.pid} (${holder.command}, since ${holder.startedAt})`;
  return {
    check,
    result: "ok",
    found: isAlive(holder.pid)
      ? name
      : `no process; ${name} ended without a word, which is fine`,
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
