/** The names of variables in the environment: which are ours. */

import { listConfigKeys, variableOf } from "./config-schema.ts";
import { nearest } from "./config-spelling.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of the program that are not configuration of the server. */
const otherVariables = [
  "CARILLON_CONFIG",
  "CARILLON_URL",
  "CARILLON_PROJECT_ID",
];

/** A variable that there is not. */
export interface MisspeltVariable {
  readonly name: string;
  /** The one that resembles it, else how those of its section begin. */
  readonly meant: string;
}

/**
 * Those that are set; what resembles none of ours, and stands in no section of
 * ours, may be somebody else's.
 */
export function findMisspeltVariables(
  env: Environment,
): readonly MisspeltVariable[] {
  const known = [
    ...listConfigKeys().map(({ variable }) => variable),
    ...otherVariables,
  ];
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith("CARILLON_") || !value) return [];
    if (known.includes(name) || isServiceLink(name, env)) return [];
    const meant = nearestVariable(name, known) ?? sectionOf(name);
    return meant ? { name, meant } : [];
  });
}

/** Compared without the prefix, which makes all names look alike. */
function nearestVariable(
  name: string,
  names: readonly string[],
): string | undefined {
  const prefix = "CARILLON_";
  const best = nearest(
    name.slice(prefix.length),
    names.map((known) => known.slice(prefix.length)),
  );
  return best && prefix + best;
}

/** `CARILLON_SMS_GUARD_…` for `CARILLON_SMS_GAURD_X`; only below a section. */
function sectionOf(name: string): string | undefined {
  const sections = listSections();
  if (!sections.some((section) => name.startsWith(`${section}_`))) {
    return undefined;
  }
  const words = name.split("_");
  const near = sections.findLast((section) =>
    section
      .split("_")
      .every((word, at) => nearest(words[at] ?? "", [word]) === word),
  );
  return near && `${near}_…`;
}

/** `CARILLON_SMS`, `CARILLON_SMS_GUARD`: those within others come later. */
function listSections(): readonly string[] {
  const paths = listConfigKeys().flatMap(({ path }) => {
    const parts = path.split(".");
    return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join("."));
  });
  return [...new Set(paths)].map(variableOf);
}

/**
 * Kubernetes sets variables for each service in a pod's namespace: one called
 * "carillon" brings `CARILLON_PORT=tcp://…` and its like.
 */
export function isServiceLink(name: string, env: Environment): boolean {
  if (!env.CARILLON_SERVICE_HOST) return false;
  return (
    /^CARILLON_(SERVICE_|PORT_\d+_)/.test(name) ||
    (name === "CARILLON_PORT" && /^(tcp|udp):/.test(env[name] ?? ""))
  );
}
