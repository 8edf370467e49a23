/**
 * Endpoints as they may be shown to others than their owner: enough to
 * distinguish them, without what lets somebody use them.
 */

import type { Protocol } from "./protocol.ts";

/** An endpoint as logs have it, which people of other projects read. */
export function maskEndpoint(protocol: Protocol, endpoint: string): string {
  switch (protocol) {
    case "email": {
      const at = endpoint.lastIndexOf("@");
      return `${endpoint.slice(0, Math.min(1, at))}***${endpoint.slice(at)}`;
    }
    case "sms":
      return `${endpoint.slice(0, 3)}***${endpoint.slice(-3)}`;
    case "http":
    case "https":
      // Paths and queries of webhooks often are their passwords.
      return `${URL.parse(endpoint)?.origin ?? protocol}/***`;
    default:
      return protocol satisfies never;
  }
}

/**
 * An endpoint as a project's own records have it: whole, but for the secrets of
 * a URL.
 */
export function maskSecrets(protocol: Protocol, endpoint: string): string {
  return protocol === "http" || protocol === "https"
    ? maskUrl(endpoint)
    : endpoint;
}

/** A URL with `***` for its user info and query, and without a fragment. */
export function maskUrl(text: string): string {
  const [beforeFragment = ""] = text.split("#", 1);
  const query = beforeFragment.indexOf("?");
  const address =
    query < 0 ? beforeFragment : `${beforeFragment.slice(0, query)}?***`;
  return address.replace(/^([a-z][a-z0-9+.-]*:)?\/\/[^/?]*@/i, "$1//***@");
}

/**
 * A text of others' making, such as an error's message, with what it may hold of
 * endpoints masked: mail addresses, phone numbers with their plus, and of URLs
 * all behind the host.
 */
export function maskText(text: string): string {
  return text
    .replace(
      /\b([a-z][a-z0-9+.-]{1,20}:\/\/)(?:[^\s/?#"'<>@]*@)?([^\s/?#"'<>]+)[^\s"'<>)]*/gi,
      (url, scheme: string, host: string) =>
        // Places in our own source.
        /^(file|node):/i.test(url) ? url : `${scheme}${host}/***`,
    )
    .replace(
      /[\w.!#$%&*+=?^{|}~-]+@(?=[\w-]+\.?[\w.-]*)/g,
      (before) => `${before[0]}***@`,
    )
    .replace(/\+\d{6,15}\b/g, (number) => maskEndpoint("sms", number));
}
