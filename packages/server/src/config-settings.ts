/** Settings as they may be shown: without what is secret in them. */

import type { Setting } from "./config.ts";

const hidden = "***";

/** Members of entries of `sms.providers` and `email.backends`; others hold secrets, or may. */
const openMembers: ReadonlySet<string> = new Set([
  "type",
  "name",
  "allowFrom",
  "baseUrl",
  "batch",
  "clients",
  "concurrency",
  "connections",
  "dedupe",
  "exemptClasses",
  "from",
  "keyword",
  "mailsPerSecond",
  "maxPrice",
  "messagingServiceSid",
  "module",
  "prefix",
  "region",
  "serverUrl",
  "smsType",
  "textid",
  "timeoutMs",
  "tls",
  "tlsServername",
  "topicArns",
  "validity",
]);

/** The value with `***` for secrets; `undefined` when it is unset. */
export function shownValue({
  key,
  value,
}: Pick<Setting, "key" | "value">): unknown {
  if (value === undefined) return undefined;
  if (key.secret || isWrittenOut(key.path, value)) return hidden;
  return withoutSecrets(value);
}

/** An entry of `sms.providers` with `***` for what is secret, or may be. */
export function shownProvider(entry: string | object): object {
  const shown = withoutSecrets(entry);
  return typeof shown === "object" && shown !== null ? shown : {};
}

/** Providers' settings as one text, which nothing can be taken out of. */
function isWrittenOut(path: string, value: unknown): boolean {
  return (
    (path === "sms.providers" || path === "email.backends") &&
    [value]
      .flat()
      .some(
        (part) =>
          typeof part === "string" && /\W/.test(part.replace(/[, -]/g, "")),
      )
  );
}

/** A text with `***` for user and password of each URL in it. */
export function withoutUserInfo(text: string): string {
  // A password may have a slash in it, which ends the name in a right URL.
  return text.replace(
    /(?<=:\/\/)(?:[^\s"@/?#]*|[^\s"@/?#:]*:[^\s"@]*)(?=@)|^[^\s"@/?#:]+:(?!\/\/)[^\s"@]*(?=@)/g,
    hidden,
  );
}

function withoutSecrets(value: unknown): unknown {
  if (typeof value === "string") return withoutUserInfo(value);
  if (Array.isArray(value)) return value.map(withoutSecrets);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [
      name,
      openMembers.has(name) ? withoutSecrets(member) : hidden,
    ]),
  );
}
