/**
 * Takes a request's secrets out of what came as its answer: servers quote what
 * they were sent, and what is kept of an answer is read by more people than its
 * secrets are for.
 */

import { basicAuthorization, type Credentials } from "./basic-auth.ts";

/** Shorter texts stand in common words, too. */
const minSecretLength = 4;
const minParameterLength = 6;
/** More than secrets come in; each is looked for in the whole text. */
const maxParameters = 32;
/** Shorter parts of a path name what it is about. */
const minSegmentLength = 16;

/**
 * What of an HTTP URL lets somebody use it: user info, query and path, whole
 * and in parts, as {@link redact} takes it.
 */
export function secretsOfUrl(text: string): string[] {
  if (!URL.canParse(text)) return [];
  const { username, password, pathname, search } = new URL(text);
  const [, query = ""] = /\?([^#]*)/.exec(text) ?? [];
  return [
    ...[username, password].flatMap(decodings),
    ...secretsOfCredentials({ user: username, pass: password }),
    pathname,
    pathname.replace(/\/$/, ""),
    ...pathname
      .split("/")
      .filter((segment) => segment.length >= minSegmentLength),
    ...[query, search.slice(1)].flatMap(parametersOf),
  ];
}

/** A password, also as it stands in an `Authorization` header. */
export function secretsOfCredentials({ user, pass }: Credentials): string[] {
  if (user === "" && pass === "") return [];
  return decodings(pass).flatMap((password) => [
    password,
    ...decodings(user).flatMap((name) => [
      `${name}:${password}`,
      ...base64Of({ user: name, pass: password }),
    ]),
  ]);
}

/**
 * The text with `***` for each of the secrets: as it is, in other case of ASCII
 * letters, percent-encoded, and escaped as in JSON or HTML. One that the end of the text
 * cuts off is taken out, too. Secrets of less than four characters are left.
 * Takes a time that grows with the text's length.
 */
export function redact(text: string, secrets: Iterable<string>): string {
  const sought = new Set<string>();
  for (const secret of new Set(secrets)) {
    for (const form of formsOf(secret)) sought.add(lowerCase(form));
  }
  const searched = lowerCase(text);
  const covered = new Uint8Array(text.length);
  for (const form of sought) {
    if (form.length < minSecretLength) continue;
    for (
      let at = searched.indexOf(form);
      at >= 0;
      at = searched.indexOf(form, at + form.length)
    ) {
      covered.fill(1, at, at + form.length);
    }
    covered.fill(1, cutOffAt(searched, form));
  }
  return masked(text, covered);
}

/** Of ASCII letters, for there are others whose lower case is longer. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}

/** Where the text ends with the beginning of the form; else its length. */
function cutOffAt(text: string, form: string): number {
  const beginning = form.slice(0, minSecretLength);
  const from = Math.max(0, text.length - form.length + 1);
  for (
    let at = text.indexOf(beginning, from);
    at >= 0;
    at = text.indexOf(beginning, at + 1)
  ) {
    if (form.startsWith(text.slice(at))) return at;
  }
  return text.length;
}

function masked(text: string, covered: Uint8Array): string {
  let result = "";
  for (let at = 0; at < text.length; ) {
    const isCovered = covered[at] === 1;
    const next = covered.indexOf(isCovered ? 0 : 1, at);
    const end = next < 0 ? text.length : next;
    result += isCovered ? "***" : text.slice(at, end);
    at = end;
  }
  return result;
}

const htmlEscapes: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
};

function formsOf(secret: string): string[] {
  const plain = secret.toWellFormed();
  const encoded = encodeURIComponent(plain);
  return [
    plain,
    encoded,
    JSON.stringify(plain).slice(1, -1),
    // As PHP writes JSON.
    plain.replaceAll("/", "\\/"),
    plain.replaceAll("&", "&amp;"),
    plain.replace(/[&<>"]/g, (it) => htmlEscapes[it] ?? it),
    // As a field of a form.
    encoded.replaceAll("%20", "+"),
  ];
}

/**
 * A query, and the values in it, of many the longest; a parameter without a
 * value is one.
 */
function parametersOf(query: string): string[] {
  const values = query
    .split("&")
    .map((parameter) => parameter.slice(parameter.indexOf("=") + 1))
    .filter((value) => value.length >= minParameterLength)
    .sort((a, b) => b.length - a.length)
    .slice(0, maxParameters);
  return [
    query,
    ...values.flatMap((value) => [
      ...decodings(value),
      ...decodings(value.replaceAll("+", " ")),
    ]),
  ];
}

function decodings(text: string): string[] {
  try {
    return [text, decodeURIComponent(text)];
  } catch {
    return [text];
  }
}

/** Also without what fills it up, which not everybody writes. */
function base64Of(credentials: Credentials): string[] {
  const base64 = basicAuthorization(credentials).slice("Basic ".length);
  return [base64, base64.replace(/=+$/, "")];
}
