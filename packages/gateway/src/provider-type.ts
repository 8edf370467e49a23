/**
 * What a configuration needs to know of a kind of provider. Each folder under
 * `providers/` exports one, and `providers/provider-types.ts` lists them.
 */

import type { Provider } from "./provider.ts";
import type { LogProviderLogger } from "./providers/log/config.ts";

/** One setting of a provider. */
export interface ProviderField {
  /** A JSON Schema. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** What the schema cannot say. */
  readonly check?: (value: unknown) => boolean;
  /** A clause for each thing that is wrong with a value that fits the schema. */
  readonly problems?: (value: unknown) => readonly string[];
  /** Completes "expected …". It is shown, so it holds no value. */
  readonly expected: string;
  readonly isOptional?: true;
  /** Its value is taken out of errors; of an object, these members. */
  readonly isSecret?: true | readonly string[];
}

/** What is wrong with a setting, given the others. */
export interface SettingProblem {
  /** Its place, such as `settings.key`. */
  readonly setting: string;
  /** A clause. */
  readonly problem: string;
}

/** What whoever reads the configuration hands to providers. */
export interface ProviderTypePorts {
  /** For providers that write texts to a log. */
  readonly logger: LogProviderLogger;
}

/** A kind of provider, as a configuration names it. */
export interface ProviderType {
  readonly type: string;
  /** Its settings besides name and type; absent: it has none, and one name. */
  readonly schema?: Readonly<Record<string, ProviderField>>;
  /** Whether texts can go out through it. Default: they can. */
  readonly canSend?: boolean;
  /**
   * What fields by themselves cannot say: `create` would fail for it. Asked
   * whatever the fields say.
   */
  readonly problems?: (
    settings: Readonly<Record<string, unknown>>,
  ) => readonly SettingProblem[];
  /**
   * @param settings as they are in the configuration, checked by the schema
   * @throws ConfigurationError
   */
  create(settings: object, ports: ProviderTypePorts): Provider;
}

/** Gives `create` the type of the settings that the schema describes. */
export function defineProviderType<Settings extends object>({
  create,
  ...type
}: Omit<ProviderType, "create"> & {
  create(settings: Settings, ports: ProviderTypePorts): Provider;
}): ProviderType {
  return {
    ...type,
    // Whoever calls it has checked them by the schema.
    create: (settings, ports) => create(settings as Settings, ports),
  };
}
