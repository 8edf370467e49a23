/** How far the connection to the mail server is secured. */

/** All there are, the weakest first. */
export const smtpTlsModes = [
  "off",
  "opportunistic",
  "required",
  "implicit",
] as const;

/**
 * `off`: never, also where the server offers it. `opportunistic`: where it offers
 * STARTTLS, and then with a certificate that can be verified. `required`: by
 * STARTTLS, else nothing is sent. `implicit`: TLS from the first byte.
 */
export type SmtpTlsMode = (typeof smtpTlsModes)[number];

export interface SmtpTls {
  /** Absent: as the URL says. */
  readonly mode?: SmtpTlsMode | undefined;
  /** Certificates (PEM) that the server's is verified by, in place of the system's. */
  readonly ca?: string | undefined;
  /** The name that the certificate has. Default: the host of the URL. */
  readonly servername?: string | undefined;
}

/** Options of the URL that say the same. */
const urlOptions = ["secure", "requireTLS", "ignoreTLS"] as const;

/** What of the URL contradicts the mode, as a clause without the URL. */
export function problemWithSmtpTls(
  smtpUrl: string,
  mode: SmtpTlsMode,
): string | undefined {
  const url = URL.parse(smtpUrl);
  if (url === null) return undefined;
  const option = urlOptions.find((name) => url.searchParams.has(name));
  if (option !== undefined) {
    return `expected to be said in one place: take ?${option}= out of smtpUrl, or leave it unset`;
  }
  return url.protocol === "smtps:" && mode !== "implicit"
    ? "expected implicit, or to be unset, where smtpUrl is smtps://"
    : undefined;
}

/** The URL with the mode in it, as nodemailer takes it. */
export function withTlsMode(smtpUrl: string, mode?: SmtpTlsMode): string {
  if (mode === undefined) return smtpUrl;
  const url = new URL(smtpUrl);
  if (mode === "implicit") url.protocol = "smtps:";
  if (mode === "required") url.searchParams.set("requireTLS", "true");
  if (mode === "off") url.searchParams.set("ignoreTLS", "true");
  return url.href;
}
