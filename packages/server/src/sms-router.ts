/** Routers by recipient: modules' functions that the configuration names. */

import type { Clock, Logger } from "@carillon/core";
import type { Gateway, RecipientRouter } from "@carillon/gateway";
import { loadModule } from "./backends/load-module.ts";
import { ConfigError } from "./config-error.ts";

/** A clause that says what is wrong with the module, `undefined` when nothing is. */
export function problemWithRouter(path: string): string | undefined {
  const loaded = loadModule(path);
  if ("problem" in loaded) return loaded.problem;
  return typeof loaded.value === "function"
    ? undefined
    : `${path}: expected a function as its default export`;
}

/**
 * Without a module there is none.
 *
 * @param source the key that names it
 *
 * @throws ConfigError when it cannot be loaded, or is none
 */
export function loadRouter<Router = RecipientRouter>(
  path: string | undefined,
  source = "sms.router",
): Router | undefined {
  if (path === undefined) return undefined;
  const problem = problemWithRouter(path);
  const loaded = loadModule(path);
  if (problem !== undefined || !("value" in loaded)) {
    throw new ConfigError([{ key: source, source, problem: `${problem}` }]);
  }
  // What it answers is checked each time.
  return loaded.value as Router;
}

/** All texts that are due ask it, and would fill the log. In milliseconds. */
const quietMs = 60_000;

/** Tells, once a minute at most, that the router failed. */
export function logRouterErrors(
  gateway: Pick<Gateway, "onRouterError">,
  clock: Pick<Clock, "monotonic">,
  logger: Pick<Logger, "error">,
): void {
  let toldAt = Number.NEGATIVE_INFINITY;
  gateway.onRouterError.add((error) => {
    const now = clock.monotonic();
    if (now - toldAt < quietMs) return;
    toldAt = now;
    logger.error("sms_router_failed", { error });
  });
}
