import type { Finding } from "./check.ts";

const neededMajor = 24;

/** Is Node.js new enough? */
export function checkRuntime(version = process.versions.node): Finding {
  const check = "Node.js";
  return Number.parseInt(version, 10) >= neededMajor
    ? { check, result: "ok", found: version }
    : {
        check,
        result: "failed",
        found: version,
        advice: `Install Node.js ${neededMajor} or newer.`,
      };
}
