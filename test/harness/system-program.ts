/** Programs of the machine that some tests need, and skip without. */

import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface SystemProgram {
  /** Empty when it is not installed. */
  readonly path: string;
  /** For the option `skip` of a test: `false`, or what to install. */
  readonly missing: string | false;
}

/** @param debianPackage what to install on Debian and its like */
export function findSystemProgram(
  name: string,
  debianPackage: string,
): SystemProgram {
  const folders = [
    ...(process.env.PATH ?? "").split(delimiter),
    // Where servers are; not in everybody's PATH.
    "/usr/sbin",
    "/usr/local/sbin",
  ];
  const path = folders
    .map((folder) => join(folder, name))
    .find((candidate) => existsSync(candidate));
  return path === undefined
    ? {
        path: "",
        missing: `${name} is not installed (Debian: ${debianPackage})`,
      }
    : { path, missing: false };
}
