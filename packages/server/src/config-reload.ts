/**
 * Reads the configuration again while the server runs, and applies what can
 * change: keys that are `reloadable` in the schema. With a mistake anywhere in
 * it nothing changes.
 */

import { isDeepStrictEqual } from "node:util";
import type { Logger } from "@carillon/core";
import { at, type Config, mixConfigs } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import { type ConfigKey, listConfigKeys } from "./config-schema.ts";
import type { LiveSettings } from "./live-settings.ts";

/**
 * Places of the keys whose values are others than those that held before, or
 * name files that say something else.
 */
export interface ReloadedConfig {
  readonly applied: readonly string[];
  /** Named at each reload until the server is restarted with them. */
  readonly needsRestart: readonly string[];
}

export interface ConfigReloadPorts {
  readonly settings: LiveSettings;
  /** @throws ConfigError with every mistake */
  readonly readConfig: () => Config;
  readonly logger: Logger;
}

/**
 * Reads and applies, and writes a line of the log of what came of it.
 *
 * @throws ConfigError with every mistake; then nothing was changed
 */
export function reloadConfig({
  settings,
  readConfig,
  logger,
}: ConfigReloadPorts): ReloadedConfig {
  try {
    const current = settings.get();
    const read = readConfig();
    const changed = listConfigKeys().filter((key) =>
      isChanged(key, current, read),
    );
    const isApplied = (key: ConfigKey) =>
      key.reloadable && !waitsForSandbox(key, current, read);
    const next = mixConfigs((key) => (isApplied(key) ? read : current));
    const noted = settings.change(next);
    const reloaded = {
      applied: [...changed.filter(isApplied).map(({ path }) => path), ...noted],
      needsRestart: changed
        .filter((key) => !isApplied(key))
        .map(({ path }) => path),
    };
    logger.info("config_reloaded", { ...reloaded });
    return reloaded;
  } catch (error) {
    const reason =
      error instanceof ConfigError ? { message: error.message } : { error };
    logger.error("config_not_reloaded", reason);
    throw error;
  }
}

function isChanged(key: ConfigKey, current: Config, read: Config): boolean {
  // They count while there is no identity yet, and at no restart after that.
  if (key.group === "First start") return false;
  return !isDeepStrictEqual(at(current, key.path), at(read, key.path));
}

/** Its value has the networks of a sandbox that is not on yet, or still is. */
function waitsForSandbox(key: ConfigKey, current: Config, read: Config) {
  return key.path === "allowTargets" && current.sandbox !== read.sandbox;
}
