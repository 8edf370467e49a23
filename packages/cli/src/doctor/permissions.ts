import { statSync } from "node:fs";
import { resolve } from "node:path";
import { findOpenToOthers } from "@carillon/server";
import type { Finding } from "./check.ts";

/** Is the data folder closed to other users of the machine? */
export function checkPermissions(folder: string): Finding {
  const check = "permissions";
  if (!statSync(folder, { throwIfNoEntry: false })?.isDirectory()) {
    return { check, result: "skipped", found: "there is no folder yet" };
  }
  const open = findOpenToOthers(resolve(folder));
  if (open.length === 0) {
    return { check, result: "ok", found: "for this user alone" };
  }
  const named = open.slice(0, 3).map(({ path, mode }) => `${path} (${mode})`);
  const more = open.length > named.length ? ` and ${open.length - 3} more` : "";
  return {
    check,
    result: "warning",
    found: `open to other users: ${named.join(", ")}${more}`,
    advice:
      "Messages and secrets are there: chmod 700 the folder and 600 the files as the user that owns them. The server does so at each start with what is its own.",
  };
}
