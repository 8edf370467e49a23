/** The server's configuration; for operators. */

import { ConfigError } from "../../config-error.ts";
import type { ReloadedConfig } from "../../config-reload.ts";
import { RequestError } from "../../errors.ts";
import { Type } from "../../json-schema.ts";
import type { HttpApp } from "../http-app.ts";
import { refusals } from "./error-answers.ts";

export interface ConfigurationPorts {
  /** @throws ConfigError with every mistake */
  readonly reloadConfig?: (() => ReloadedConfig) | undefined;
}

const Reloaded = Type.Object(
  {
    applied: Type.Array(Type.String(), {
      description: "Keys that have another value from now on",
    }),
    needsRestart: Type.Array(Type.String(), {
      description: "Keys whose other value counts after a restart",
    }),
  },
  { title: "ReloadedConfig" },
);

export function configurationRoutes(
  app: HttpApp,
  { reloadConfig }: ConfigurationPorts,
): void {
  app.post(
    "/config/reload",
    {
      config: { operation: "config.write" },
      schema: {
        summary: "Reads the configuration file again",
        description:
          "Applies what can change while the server runs, as SIGHUP does. With a mistake in it nothing changes, and the answer names all of them.",
        tags: ["Service"],
        response: { 200: Reloaded, ...refusals },
      },
    },
    async () => {
      if (!reloadConfig) throw new RequestError("NOT_OFFERED");
      try {
        const { applied, needsRestart } = reloadConfig();
        return { applied: [...applied], needsRestart: [...needsRestart] };
      } catch (error) {
        if (!(error instanceof ConfigError)) throw error;
        throw new RequestError("CONFIGURATION_INVALID", error.message, {
          cause: error,
        });
      }
    },
  );
}
