/** The URL of the mail server, as operators write it. */

import { secretsOfCredentials } from "@carillon/gateway";

const expected =
  "expected a URL such as smtp://user:password@mail.example.com:587 or smtps://…, got a value that is not shown";

/** Where a password was cut, it mostly had one of these. */
const escapes =
  "in a user name or password / # ? @ and % are written as %2F %23 %3F %40 %25";

/**
 * What is wrong with a mail server's URL, as a clause, without the URL: there
 * may be a password in it. `undefined` when it can be used.
 */
export function problemWithSmtpUrl(text: unknown): string | undefined {
  if (typeof text !== "string" || !/^smtps?:\/\//.test(text)) return expected;
  const url = URL.parse(text);
  if (url === null) return `${expected}; ${escapes}`;
  if (!url.hostname) return expected;
  const rest = `${url.pathname}${url.hash}`;
  if (!/^\/?$/.test(rest) || url.search.includes("@")) {
    return `${expected}; only options such as ?requireTLS=true may follow its port, and ${escapes}`;
  }
  return /%(?![0-9a-f]{2})/i.test(`${url.username}${url.password}`)
    ? `${expected}; ${escapes}`
    : undefined;
}

/** What of it must not be kept if the server quotes it: see `redact`. */
export function secretsOfSmtpUrl(text: string): string[] {
  const url = URL.parse(text);
  return url
    ? secretsOfCredentials({ user: url.username, pass: url.password })
    : [];
}
