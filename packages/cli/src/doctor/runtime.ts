import { manifest } from "../manifest.ts";
import type { Finding } from "./check.ts";

/**
 * The version that Carillon needs, such as `24.7`: the first with
 * `crypto.argon2`. It stands in the package's `engines`, where the launcher
 * and package managers read it too.
 */
const needed = manifest.engines.node.replace(">=", "");

/** Is Node.js new enough? */
export function checkRuntime(version = process.versions.node): Finding {
  const check = "Node.js";
  return isFrom(needed, version)
    ? { check, result: "ok", found: version }
    : {
        check,
        result: "failed",
        found: version,
        advice: `Install Node.js ${needed} or newer.`,
      };
}

/** Whether the version is the first one or a later one. */
function isFrom(first: string, version: string): boolean {
  const [firstMajor = 0, firstMinor = 0] = first.split(".").map(Number);
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major > firstMajor || (major === firstMajor && minor >= firstMinor);
}
