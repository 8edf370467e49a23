/**
 * The certificate that SNS signs by, as far as it is needed: the RSA key in it,
 * and from when to when it is good. Who issued it does not matter: SNS is known
 * by the address that it is fetched from. Source: RFC 5280 §4.1, ITU-T X.690.
 */

/** Hashes of the signature's two versions. */
export type SigningHash = "SHA-1" | "SHA-256";

export interface SigningCertificate {
  /** Milliseconds since the epoch. */
  readonly notBefore: number;
  readonly notAfter: number;
  /** Whether its key made the signature, in base64, over the text. */
  verify(text: string, signature: string, hash: SigningHash): Promise<boolean>;
}

/**
 * Reads the first certificate of a PEM file.
 *
 * @throws SyntaxError for anything but a certificate of an RSA key
 */
export async function parseCertificate(
  pem: string,
): Promise<SigningCertificate> {
  const base64 =
    /-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+)-----END CERTIFICATE-----/.exec(
      pem,
    )?.[1];
  const octets = fromBase64(base64 ?? "");
  if (octets === undefined) throw new SyntaxError("it is no PEM file");
  const [body] = childrenOf(childrenOf(octets)[0]?.content);
  const fields = childrenOf(body?.content);
  // The version is left out of version 1.
  if (fields[0]?.tag === tags.version) fields.shift();
  const [, , , validity, , publicKey] = fields;
  const [notBefore, notAfter] = childrenOf(validity?.content);
  if (publicKey === undefined) throw new SyntaxError("it has no key");
  const keys = {
    "SHA-1": await importKey(publicKey.whole, "SHA-1"),
    "SHA-256": await importKey(publicKey.whole, "SHA-256"),
  };
  return {
    notBefore: timeOf(notBefore),
    notAfter: timeOf(notAfter),
    async verify(text, signature, hash) {
      const given = fromBase64(signature);
      if (given === undefined) return false;
      const signed = new TextEncoder().encode(text);
      return crypto.subtle.verify(rsa, keys[hash], given, signed);
    },
  };
}

const rsa = "RSASSA-PKCS1-v1_5";

async function importKey(key: Uint8Array<ArrayBuffer>, hash: SigningHash) {
  const algorithm = { name: rsa, hash };
  try {
    return await crypto.subtle.importKey("spki", key, algorithm, false, [
      "verify",
    ]);
  } catch (cause) {
    throw new SyntaxError("its key is no RSA key", { cause });
  }
}

const tags = { version: 0xa0, utcTime: 0x17, generalizedTime: 0x18 } as const;

interface Element {
  readonly tag: number;
  /** Tag and length included. */
  readonly whole: Uint8Array<ArrayBuffer>;
  readonly content: Uint8Array<ArrayBuffer>;
}

/** The elements that DER holds one after another. */
function childrenOf(octets = new Uint8Array()): Element[] {
  const elements: Element[] = [];
  for (let at = 0; at < octets.length; ) {
    const first = octets[at + 1] ?? 0;
    // Longer lengths than 0x7f say of how many octets they are.
    const more = first > 0x7f ? first & 0x7f : 0;
    const start = at + 2 + more;
    let length = more > 0 ? 0 : first;
    for (const octet of octets.subarray(at + 2, start)) {
      length = length * 256 + octet;
    }
    const end = start + length;
    if (end > octets.length) throw new SyntaxError("it ends early");
    elements.push({
      tag: octets[at] ?? 0,
      whole: octets.slice(at, end),
      content: octets.slice(start, end),
    });
    at = end;
  }
  return elements;
}

function timeOf(element: Element | undefined): number {
  const digits = new TextDecoder().decode(element?.content);
  // RFC 5280 §4.1.2.5.1: two digits of a year are from 1950 to 2049.
  const century = digits < "5" ? "20" : "19";
  const isShort = element?.tag === tags.utcTime;
  const time = (isShort ? century + digits : digits).replace(
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/,
    "$1-$2-$3T$4:$5:$6Z",
  );
  const at = Date.parse(time);
  if (time.length === 20 && Number.isFinite(at)) return at;
  throw new SyntaxError("its dates cannot be read");
}

function fromBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  try {
    const octets = atob(text);
    if (octets === "") return undefined;
    return Uint8Array.from(octets, (it) => it.charCodeAt(0));
  } catch {
    return undefined;
  }
}
