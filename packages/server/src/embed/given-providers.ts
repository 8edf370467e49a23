/**
 * Providers that a program hands over by name: made already, or their settings.
 * In the configuration they stand as entries like all others.
 */

import { Provider } from "@carillon/gateway";
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
export type GivenProvider = Provider | NamelessProviderSettings;

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
  const complain = (key: string, expected: string) =>
    mistakes.push({ key, source: key, problem: `expected ${expected}` });
  if (typeof providers !== "object" || providers === null) {
    complain("providers", "an object of providers by their names");
    return { entries, made, mistakes };
  }
  for (const [name, given] of Object.entries(providers)) {
    const provider = toProvider(given);
    if (!isProviderName(name)) {
      complain(
        `providers.${name}`,
        "a name of 1 to 32 of a-z, 0-9, '-' and '_'",
      );
    } else if (provider) {
      made.set(name, provider);
      entries.push({ type: codeProviderType, name });
    } else if (isSettings(given)) {
      entries.push({ ...given, name });
    } else {
      complain(
        `providers.${name}`,
        "a provider of @carillon/gateway, or settings with a type as the configuration has them",
      );
    }
  }
  return { entries, made, mistakes };
}

/** What is made already; here any other form of a provider becomes one. */
function toProvider(given: unknown): Provider | undefined {
  return given instanceof Provider ? given : undefined;
}

function isSettings(given: unknown): given is NamelessProviderSettings {
  return (
    typeof given === "object" &&
    given !== null &&
    "type" in given &&
    typeof given.type === "string" &&
    given.type !== codeProviderType
  );
}
