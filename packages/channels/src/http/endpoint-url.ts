/**
 * URLs of http and https endpoints. Kept as they were given: what is sent is
 * derived when it is sent.
 */

/** Completes "…; " with what keeps a text from being an endpoint's URL. */
export function problemWithUrl(
  protocol: "http" | "https",
  text: string,
): string | undefined {
  if (!text.startsWith(`${protocol}://`)) {
    return /^\s/.test(text)
      ? "it begins with a blank"
      : `it does not start with ${protocol}://`;
  }
  // The parser would drop or escape these; what is kept is the text itself.
  const blank = text.search(/\s/);
  if (blank >= 0) {
    return /^\s+$/.test(text.slice(blank))
      ? "it ends with a blank"
      : `it has a blank at character ${blank + 1}, which is written as %20`;
  }
  if (text.includes("\\")) return "it has a backslash, which is written as %5C";
  const url = URL.parse(text);
  if (url === null) return problemWithAuthority(protocol, text);
  return problemWithCredentials(url);
}

function problemWithAuthority(protocol: string, text: string): string {
  const [authority = ""] = text.slice(`${protocol}://`.length).split(/[/?#]/);
  const host = authority.slice(authority.lastIndexOf("@") + 1);
  if (host === "" || host.startsWith(":")) return "it has no host";
  const port = /:([^:\]]*)$/.exec(host)?.[1] ?? "";
  const isPort = /^\d*$/.test(port) && Number(port) <= 65_535;
  if (!isPort) {
    return "its port is not a number up to 65535; in a user name or password / # ? are written as %2F %23 %3F";
  }
  return "its host is neither a name nor an address";
}

/** RFC 7617 §2: Basic credentials have no control characters. */
function problemWithCredentials(url: URL): string | undefined {
  if (/%3a/i.test(url.username)) {
    return "its user name has a colon, which Basic authentication cannot send";
  }
  return /%([01][0-9a-f]|7f)/i.test(`${url.username}${url.password}`)
    ? "its user name or password has a control character, which Basic authentication cannot send"
    : undefined;
}
