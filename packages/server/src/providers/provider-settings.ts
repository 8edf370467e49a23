/** What can be told of a provider by its entry in `sms.providers`. */

import { nameOf, type ProviderSetting } from "../sms-settings.ts";

/** `undefined`: it is not configured. */
export function findSetting(
  settings: readonly ProviderSetting[],
  name: string,
): ProviderSetting | undefined {
  return settings.find((it) => nameOf(it) === name);
}

/** The sender of texts that bring none, and get none by a rule. */
export function senderOf(
  settings: readonly ProviderSetting[],
  name: string,
): string | undefined {
  return textOf(findSetting(settings, name), "from");
}

/** Where its carrier calls, if the entry says so itself. */
export function ownCallbackUrl(
  setting: ProviderSetting | undefined,
): string | undefined {
  return textOf(setting, "callbackUrl")?.replace(/\/+$/, "");
}

function textOf(
  setting: ProviderSetting | undefined,
  member: string,
): string | undefined {
  if (typeof setting !== "object") return undefined;
  // Checked by its type, which has more members than those of all.
  const value = (setting as Readonly<Record<string, unknown>>)[member];
  // A page's own settings stand by themselves.
  const { settings } = setting as Readonly<Record<string, unknown>>;
  const inner =
    typeof settings === "object" && settings !== null
      ? (settings as Readonly<Record<string, unknown>>)[member]
      : undefined;
  const found = value ?? inner;
  return typeof found === "string" ? found : undefined;
}
