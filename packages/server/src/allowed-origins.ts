/** Origins of web pages, as the configuration names them (RFC 6454 §6). */

/** What is wrong with a list of them, as a clause; `undefined`: nothing. */
export function problemWithOrigins(value: unknown): string | undefined {
  if (!Array.isArray(value)) return undefined;
  for (const origin of value) {
    if (typeof origin !== "string") continue;
    const problem = problemWithOrigin(origin);
    if (problem !== undefined) {
      return `expected origins such as https://app.example.com, or *, got "${origin}": ${problem}`;
    }
  }
  return undefined;
}

function problemWithOrigin(text: string): string | undefined {
  if (text === "*") return undefined;
  if (text.includes("*")) return "a * stands alone, for all origins";
  if (!/^https?:\/\//i.test(text)) {
    return "it does not begin with http:// or https://";
  }
  if (!URL.canParse(text)) return "it is no URL";
  const { origin, username, password } = new URL(text);
  if (`${username}${password}` !== "") return "it has a user name";
  // A path, a query, capitals, the scheme's own port: browsers send none.
  return text === origin ? undefined : `browsers send ${origin}`;
}
