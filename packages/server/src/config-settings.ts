/** Settings as they may be shown: without what is secret in them. */

import type { Setting } from "./config.ts";

const hidden = "***";
/** Members of entries of `sms.providers` that hold secrets. */
const secretMembers: ReadonlySet<string> = new Set(["auth", "secret"]);

/** The value with `***` for secrets; `undefined` when it is unset. */
export function shownValue({ key, value }: Setting): unknown {
  if (value === undefined) return undefined;
  if (key.secret || isWrittenOut(key.path, value)) return hidden;
  return withoutSecrets(value);
}

/** Providers' settings as one text, which nothing can be taken out of. */
function isWrittenOut(path: string, value: unknown): boolean {
  return (
    path === "sms.providers" &&
    typeof value === "string" &&
    /\W/.test(value.replace(/[, -]/g, ""))
  );
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value === "string") {
    // User and password of a URL.
    return value.replace(/(?<=:\/\/)[^@/?#]*(?=@)/g, hidden);
  }
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      secretMembers.has(name) ? hidden : withoutSecrets(member),
    ]),
  );
}
