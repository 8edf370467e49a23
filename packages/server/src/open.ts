/**
 * A service as part of a program: it opens the store and delivers, and listens on
 * no port unless it is asked to. It reads no environment and no configuration
 * file, and leaves signals of the process to the program.
 */

import type { Logger, TemplateEngine, TemplateHooks } from "@carillon/core";
import type { RecipientRouter } from "@carillon/gateway";
import { type Config, resolveConfig } from "./config.ts";
import { ConfigError } from "./config-error.ts";
import type { ConfigValues } from "./config-schema.ts";
import { type Carillon, toCarillon } from "./embed/carillon.ts";
import { type GivenProvider, splitProviders } from "./embed/given-providers.ts";
import { openService } from "./open-service.ts";

/** A provider by its type alone (`log`), or with its settings. */
export type ProviderSettings =
  | string
  | {
      readonly type: string;
      readonly name: string;
      readonly [setting: string]: unknown;
    };

type Partly<Values> = {
  readonly [Key in keyof Values]?: Values[Key] extends readonly unknown[]
    ? Readonly<Values[Key]> | undefined
    : Values[Key] extends object
      ? Partly<Values[Key]> | undefined
      : Values[Key] | undefined;
};

/** What the configuration file may say, under the same names. */
export type FileSettings = Partly<Omit<ConfigValues, "sms">> & {
  readonly sms?:
    | (Partly<Omit<ConfigValues["sms"], "providers">> & {
        readonly providers?: readonly ProviderSettings[] | undefined;
      })
    | undefined;
};

/**
 * What a service is opened with: the keys of the configuration, and what only a
 * program can give.
 */
export type Settings = Omit<FileSettings, "sms"> & {
  /** `router` may be the function itself in place of a module's path. */
  readonly sms?:
    | (Omit<NonNullable<FileSettings["sms"]>, "router"> & {
        readonly router?: string | RecipientRouter | undefined;
      })
    | undefined;
  /**
   * Carriers by the names that messages are sent through them by: made already,
   * backends of the program's own, or settings. They come before those of `sms.providers`; the first one is the
   * default.
   */
  readonly providers?: Readonly<Record<string, GivenProvider>> | undefined;
  /** Default: writes nothing. */
  readonly logger?: Logger | undefined;
  /** Renders templates in place of Liquid. */
  readonly templateEngine?: TemplateEngine | undefined;
  /** Change what templates make. Default: nothing. */
  readonly templateHooks?: TemplateHooks | undefined;
};

/** How a service is opened. */
export interface OpenOptions {
  /**
   * An abort ends the start: what was opened is closed, and `open` throws the
   * signal's reason. It has no effect on a service that runs; see
   * {@link Carillon.close}.
   */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a service and resolves when it delivers.
 *
 *     await using carillon = await open({ data: "./data" });
 *     const message = await carillon.sms.send({ to: "+420777123456", text: "Hi" });
 *
 * The first start makes the data folder and the project; its secrets are in
 * `credentials`, and in `credentials.json` in the folder, for a server that runs
 * there later.
 *
 * @throws ConfigError with every mistake of the settings; CarillonError
 * STORAGE_IN_USE when another process uses the folder, STORAGE_UNUSABLE; the
 * signal's reason. Nothing is left open then.
 */
export async function open(
  settings: Settings,
  { signal }: OpenOptions = {},
): Promise<Carillon> {
  const { logger, providers, templateEngine, templateHooks, ...others } =
    settings;
  const { router, values } = withoutRouter(others);
  const given = splitProviders(providers ?? {});
  const read = (more: Pick<FileSettings, "host" | "port">): Config => {
    const { config, mistakes } = resolveConfig({
      settings: withProviders({ ...values, ...more }, given.entries),
      codeProviders: [...given.made.keys()],
    });
    const all = [...given.mistakes, ...mistakes];
    if (all.length > 0) throw new ConfigError(all);
    return config;
  };
  const opened = await openService(read({}), {
    logger,
    codeProviders: given.made,
    router,
    templates: { engine: templateEngine, hooks: templateHooks },
    signal,
  });
  return toCarillon(opened, async ({ host, port } = {}) =>
    opened.listen(
      read({
        ...(host !== undefined && { host }),
        ...(port !== undefined && { port }),
      }),
    ),
  );
}

/** A function is no setting; whatever else it may be is checked as one. */
function withoutRouter(given: Pick<Settings, "sms">): {
  readonly router?: RecipientRouter;
  readonly values: FileSettings;
} {
  const { router, ...sms } = given.sms ?? {};
  if (typeof router === "function") {
    return { router, values: { ...given, sms } };
  }
  // Without a function it is what a file may say.
  return { values: given as FileSettings };
}

function withProviders(
  values: FileSettings,
  entries: readonly object[],
): object {
  const { sms } = values;
  // What is no section is found to be a mistake where all others are.
  if (entries.length === 0 || (sms !== undefined && typeof sms !== "object")) {
    return values;
  }
  const { providers } = sms ?? {};
  return {
    ...values,
    sms: { ...sms, providers: [...entries, ...[providers ?? []].flat()] },
  };
}
