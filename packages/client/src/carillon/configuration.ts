/** The server's configuration; for operators. */

import type { Api } from "../api.ts";
import { findTexts, type JsonObject } from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** Keys whose values are others than those that held before. */
export interface ReloadedConfiguration extends JsonObject {
  /** Those that hold from now on. */
  readonly applied: readonly string[];
  /** Those that count after a restart. */
  readonly needsRestart: readonly string[];
}

/** Has the server read its configuration file again. */
export interface Configuration {
  /**
   * Applies what can change while the server runs. Rejects with a
   * `ResponseError` whose `smnCode` is `CONFIGURATION_INVALID`, and whose
   * `reason` names every mistake, when there are any: then nothing was changed.
   */
  reload(options?: RequestOptions): Promise<ReloadedConfiguration>;
}

export function createConfiguration(api: Api): Configuration {
  return {
    async reload(options) {
      const path = ["config", "reload"];
      const { body } = await api({ method: "POST", path }, options);
      return {
        ...body,
        applied: findTexts(body, "applied"),
        needsRestart: findTexts(body, "needsRestart"),
      };
    },
  };
}
