/**
 * Fetches signing certificates, from listed hosts only: whoever can post to a
 * receiver chooses the URL, and whose certificate it is decides what is true.
 */

import { abandonOnAbort } from "../abort.ts";
import {
  CertificateRefusedError,
  CertificateUnavailableError,
  InvalidOptionsError,
} from "../errors.ts";
import type { RequestOptions } from "../transport.ts";

/** Answers the certificate at the URL as PEM. */
export type FetchCertificate = (
  url: string,
  options: { readonly signal?: AbortSignal | undefined },
) => Promise<string>;

/** Where certificates may come from, and how long they are kept. */
export interface CertificateFetcherOptions {
  /**
   * Where certificates may come from: `host` or `host:port` by https, or an
   * origin such as `http://127.0.0.1:7070` where there is no TLS.
   */
  readonly allowedHosts: readonly string[];
  /** Instead of the runtime's own. */
  readonly fetch?: typeof globalThis.fetch | undefined;
  /** Default 5,000. */
  readonly timeoutMs?: number | undefined;
  /** How long a certificate is kept before it is fetched anew. Default a day. */
  readonly maxAgeMs?: number | undefined;
  /** How many certificates are kept. Default 100. */
  readonly maxCertificates?: number | undefined;
}

/** A certificate is a few kilobytes. */
const maxBytes = 65_536;

/**
 * One for the life of a receiver: it remembers certificates, and requests that
 * come at once wait for one fetch.
 * @throws InvalidOptionsError
 */
export function createCertificateFetcher(
  options: CertificateFetcherOptions,
): FetchCertificate {
  const allowedOrigins = new Set(options.allowedHosts.map(toOrigin));
  const { maxAgeMs = 86_400_000, maxCertificates = 100 } = options;
  const kept = new Map<string, KeptCertificate>();
  return async (url, { signal }) => {
    checkUrl(url, allowedOrigins);
    const known = kept.get(url);
    if (known && known.until > performance.now()) {
      return abandonOnAbort(known.pem, signal);
    }
    const pem = fetchPem(url, options);
    const entry = { pem, until: performance.now() + maxAgeMs };
    kept.delete(url);
    kept.set(url, entry);
    for (const oldest of kept.keys()) {
      if (kept.size <= maxCertificates) break;
      kept.delete(oldest);
    }
    // The next notification fetches it again.
    pem.catch(() => {
      if (kept.get(url) === entry) kept.delete(url);
    });
    return abandonOnAbort(pem, signal);
  };
}

interface KeptCertificate {
  readonly pem: Promise<string>;
  /** On the clock of `performance`. */
  readonly until: number;
}

function toOrigin(host: string): string {
  const url = host.includes("://") ? host : `https://${host}`;
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed?.pathname === "/" && /^https?:$/.test(parsed.protocol)) {
    return parsed.origin;
  }
  throw new InvalidOptionsError(
    `Expected an allowed host such as "smn.example" or "http://127.0.0.1:7070", got "${host}".`,
  );
}

function checkUrl(url: string, allowedOrigins: ReadonlySet<string>): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed && allowedOrigins.has(parsed.origin) && !parsed.username) return;
  throw new CertificateRefusedError(
    `The signing certificate is at ${parsed ? parsed.origin : "no URL"}, which is not among the allowed hosts.`,
  );
}

async function fetchPem(
  url: string,
  options: CertificateFetcherOptions & RequestOptions,
): Promise<string> {
  const { fetch = globalThis.fetch, timeoutMs = 5_000 } = options;
  try {
    const response = await fetch(url, {
      // A redirect could leave the allowed hosts.
      redirect: "error",
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (!response.ok) throw new Error(`the answer is ${response.status}`);
    return await readText(response);
  } catch (cause) {
    throw new CertificateUnavailableError(
      `The signing certificate at ${new URL(url).origin} could not be fetched.`,
      { cause },
    );
  }
}

async function readText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const part = await reader?.read();
    if (part?.value === undefined) return text;
    size += part.value.length;
    if (size > maxBytes) {
      await reader?.cancel();
      throw new Error("the answer is too long for a certificate");
    }
    text += decoder.decode(part.value, { stream: true });
  }
}
