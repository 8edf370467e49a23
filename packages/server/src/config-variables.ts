/** The names of variables in the environment: which are ours. */

import { listConfigKeys } from "./config-schema.ts";
import { nearest } from "./config-spelling.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Variables of the program that are not configuration of the server. */
const otherVariables = [
  "CARILLON_CONFIG",
  "CARILLON_URL",
  "CARILLON_PROJECT_ID",
];

/** A variable that there is not, and the one that resembles it. */
export interface MisspeltVariable {
  readonly name: string;
  readonly meant: string;
}

/** Those that are set; what resembles none of ours may be somebody else's. */
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
    const meant = nearestVariable(name, known);
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
