import { manifest } from "../manifest.ts";
import type { Finding } from "./check.ts";

/**
 * The version that Carillon needs, such as `24.9`: the first with
 * `shouldUpgradeCallback`, without which a request for HTTP/2 would be taken for one
 * for a WebSocket; `crypto.argon2` is older. It stands in the package's `engines`, where the launcher
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
