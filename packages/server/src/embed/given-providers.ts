/**
 * Providers that a program hands over by name: made already, backends of its own,
 * or settings. In the configuration they stand as entries like all others.
 */

import {
  type Backend,
  type BackendClass,
  type BackendFactory,
  ConfigurationError,
  Provider,
  toProvider,
} from "@carillon/gateway";
import type { ConfigMistake } from "../config-error.ts";
import {
  type CodeProviders,
  codeProviderType,
  isProviderName,
} from "../sms-settings.ts";

/** Settings of a provider as the configuration has them, without the name. */
export interface NamelessProviderSettings {
  /** Such as `twilio`; see the guide on providers. */
  readonly type: string;
  readonly [setting: string]: unknown;
}

/** What stands for a provider under its name. */
export type GivenProvider =
  | Provider
  | Backend
  | BackendClass
  | BackendFactory
  | NamelessProviderSettings;

/** Entries for `sms.providers`, and what the `code` ones among them stand for. */
export interface SplitProviders {
  readonly entries: readonly object[];
  readonly made: CodeProviders;
  /** Of those that are no provider; they have no entry. */
  readonly mistakes: readonly ConfigMistake[];
}

/** In the order in which they are given. */
export function splitProviders(
  providers: Readonly<Record<string, GivenProvider>>,
): SplitProviders {
  const made = new Map<string, Provider>();
  const entries: object[] = [];
  const mistakes: ConfigMistake[] = [];
  const complain = (key: string, problem: string) =>
    mistakes.push({ key, source: key, problem });
  if (typeof providers !== "object" || providers === null) {
    complain("providers", "expected an object of providers by their names");
    return { entries, made, mistakes };
  }
  for (const [name, given] of Object.entries(providers)) {
    const key = `providers.${name}`;
    if (!isProviderName(name)) {
      complain(key, "expected a name of 1 to 32 of a-z, 0-9, '-' and '_'");
    } else if (isSettings(given)) {
      entries.push({ ...given, name });
    } else {
      try {
        made.set(name, toProvider(given, { name }));
        entries.push({ type: codeProviderType, name });
      } catch (error) {
        if (!(error instanceof ConfigurationError)) throw error;
        complain(key, error.message);
      }
    }
  }
  return { entries, made, mistakes };
}

/** A backend may have a `type` as well, for itself. */
function isSettings(given: unknown): given is NamelessProviderSettings {
  return (
    typeof given === "object" &&
    given !== null &&
    !(given instanceof Provider) &&
    !("publishMessage" in given) &&
    "type" in given &&
    typeof given.type === "string" &&
    given.type !== codeProviderType
  );
}
