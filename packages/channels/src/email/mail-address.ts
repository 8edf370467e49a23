/**
 * One mail address in dot-atom form (RFC 5321 §4.1.2): no display name, no
 * list. Its domain may be written in any script (RFC 5890 U-labels); on the
 * wire it has its A-labels. What stands before its @ may have characters beyond
 * ASCII, too (RFC 6531 §3.3); only some mail servers take those.
 */

/** Completes "…; " with what keeps a text from being a mail address. */
export function problemWithMailAddress(text: string): string | undefined {
  const at = text.lastIndexOf("@");
  if (at < 0) return "it has no @";
  if (text.endsWith(">")) {
    return "it has a name beside it; the address alone is expected";
  }
  const local = text.slice(0, at);
  const domain = toAsciiDomain(text.slice(at + 1));
  if (!isAtoms(local)) {
    return "what stands before its @ is not 1 to 64 letters, digits or one of .!#$%&'*+/=?^_`{|}~-";
  }
  if (/^\.|\.\.|\.$/.test(local)) {
    return "what stands before its @ has a dot at an end or two in a row";
  }
  if (domain === undefined) return "what stands behind its @ is no domain";
  return local.length + 1 + domain.length > 254
    ? "it is longer than 254 characters"
    : undefined;
}

/** Whether only servers with the extension SMTPUTF8 take the address. */
export function needsSmtpUtf8(address: string): boolean {
  return /\P{ASCII}/u.test(address.slice(0, address.lastIndexOf("@")));
}

/**
 * The address as mail servers take it: `jane@xn--bcher-kva.example` for
 * `jane@bücher.example`. What is no mail address stays as it is.
 */
export function toAsciiMailAddress(text: string): string {
  const at = text.lastIndexOf("@");
  const domain = toAsciiDomain(text.slice(at + 1));
  return domain === undefined ? text : text.slice(0, at + 1) + domain;
}

/** 64 octets at most (RFC 5321 §4.5.3.1.1), and no blank of any script. */
function isAtoms(local: string): boolean {
  return (
    /^(?:[\w!#$%&'*+/=?^`{|}~.-]|(?!\p{Z})[^\p{ASCII}\p{C}]|\u200c|\u200d)+$/u.test(
      local,
    ) && new TextEncoder().encode(local).length <= 64
  );
}

/** `undefined` when it is no domain of letters, digits and dashes (UTS #46). */
function toAsciiDomain(text: string): string | undefined {
  if (isAsciiDomain(text)) return text;
  // The characters that a URL's parser would take for something else, or drop.
  if (!/^(?:[\p{L}\p{M}\p{N}.\u3002-]|\u200c|\u200d)+$/u.test(text))
    return undefined;
  const domain = URL.parse(`http://${text}/`)?.hostname;
  // Digits of other scripts make an IPv4 address.
  return domain !== undefined && isAsciiDomain(domain) && /[a-z]/.test(domain)
    ? domain
    : undefined;
}

function isAsciiDomain(text: string): boolean {
  return (
    text.length <= 253 &&
    text
      .split(".")
      .every((label) =>
        /^[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$/.test(label),
      )
  );
}
