/** A service that listens from its start on: what `carillon serve` runs. */

import type { Logger } from "@carillon/core";
import type { Config } from "./config.ts";
import type { ReloadedConfig } from "./config-reload.ts";
import { type Carillon, toCarillon } from "./embed/carillon.ts";
import { openService } from "./open-service.ts";

/** What the program brings that serves; all of it is optional. */
export interface ServeOptions {
  /** Default: writes nothing. */
  readonly logger?: Logger;
  /**
   * How many lines the logger could not write since the start, for the metric
   * `carillon_log_dropped_total`. Default: none.
   */
  readonly droppedLogLines?: () => number;
  /**
   * Reads the configuration again, for {@link Server.reload} and for operators
   * who ask for it. Default: it stays what it is.
   *
   * @throws ConfigError with every mistake
   */
  readonly readConfig?: () => Config;
  /** Called with what holds from now on, after each reload. */
  readonly onReloaded?: (config: Config) => void;
  /**
   * An abort ends the start: what was opened is closed, and `serve` throws the
   * signal's reason. It has no effect on a service that runs; see
   * {@link Carillon.close}.
   */
  readonly signal?: AbortSignal;
}

/** A running service that listens. */
export interface Server extends Omit<Carillon, "url"> {
  /** Where it answers, without a slash at the end. */
  readonly url: string;
  /** What holds now; keys that need a restart are as they were at the start. */
  readonly config: Config;
  /** Variables that preset an identity which is there: they change nothing. */
  readonly ignoredPresets: readonly string[];
  /**
   * Reads the configuration again and applies what can change. Deliveries under
   * way finish with what they began with.
   *
   * @throws ConfigError with every mistake, then nothing was changed;
   * CarillonError SHUTTING_DOWN once it closes; RequestError NOT_OFFERED without
   * {@link ServeOptions.readConfig}
   */
  reload(): ReloadedConfig;
}

/**
 * Starts a service and resolves when it answers.
 *
 * @throws CarillonError STORAGE_IN_USE, STORAGE_UNUSABLE; ConfigError; the error
 * of the socket when it cannot listen; the signal's reason. Nothing is left open
 * then.
 */
export async function serve(
  config: Config,
  options: ServeOptions = {},
): Promise<Server> {
  const opened = await openService(config, { ...options, listens: true });
  return {
    // Refused: it listens.
    ...toCarillon(opened, () => opened.listen(opened.config)),
    url: opened.url,
    get config() {
      return opened.config;
    },
    ignoredPresets: opened.service.ignoredPresets,
    reload: () => opened.reload(),
  };
}
