/**
 * Endpoints as they may be shown to others than their owner: enough to
 * distinguish them, without what lets somebody use them.
 */

/** A mail address as logs have it. */
export function maskMailAddress(address: string): string {
  const at = address.lastIndexOf("@");
  return `${address.slice(0, Math.min(1, at))}***${address.slice(at)}`;
}

/** A phone number as logs have it. */
export function maskPhoneNumber(number: string): string {
  return `${number.slice(0, 3)}***${number.slice(-3)}`;
}

/** Of a URL its origin: paths and queries of webhooks often are their passwords. */
export function maskUrlPath(url: string): string {
  const origin = URL.parse(url)?.origin;
  return origin === undefined ? "***" : `${origin}/***`;
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
    .replace(/\+\d{6,15}\b/g, (number) => maskPhoneNumber(number));
}
