/**
 * The `Authorization` header of a signed request, in its three dialects:
 *
 * - `plain`: `SDK-HMAC-SHA256 Access={key}, SignedHeaders=…, Signature=…`
 * - `scoped`: `SDK-HMAC-SHA256 Credential={key}/{date}/{region}/{service}/sdk_request, …`
 *   (region and service are normally empty)
 * - `derived`: `V11-HMAC-SHA256 Credential={key}/{date}/{region}/{service}, …`
 */

export interface SignatureHeader {
  readonly dialect: "plain" | "scoped" | "derived";
  readonly accessKey: string;
  /** What follows the key in `Credential`; empty in the plain dialect. */
  readonly scope: string;
  /** Lower case, in the order of the header. */
  readonly signedHeaders: readonly string[];
  /** Lower-case hexadecimal. */
  readonly signature: string;
}

const plainAlgorithm = "SDK-HMAC-SHA256";
const derivedAlgorithm = "V11-HMAC-SHA256";

/** Whether a request with this header is signed, well or not. */
export function isSignatureHeader(header: string): boolean {
  return (
    header.startsWith(`${plainAlgorithm} `) ||
    header.startsWith(`${derivedAlgorithm} `)
  );
}

/** `undefined` when the header is none of the dialects. */
export function parseSignatureHeader(
  header: string,
): SignatureHeader | undefined {
  const match = /^(SDK-HMAC-SHA256|V11-HMAC-SHA256) +(.+)$/.exec(header);
  if (!match) return undefined;
  const [, algorithm, list = ""] = match;
  const fields = parseFields(list);
  const signature = fields.get("Signature")?.toLowerCase();
  const signedHeaders = fields.get("SignedHeaders")?.toLowerCase().split(";");
  if (!signature || !/^[0-9a-f]{64}$/.test(signature)) return undefined;
  if (!signedHeaders?.every((name) => /^[!-:<-~]+$/.test(name))) {
    return undefined;
  }
  const access = fields.get("Access");
  if (algorithm === plainAlgorithm && access) {
    return {
      dialect: "plain",
      accessKey: access,
      scope: "",
      signedHeaders,
      signature,
    };
  }
  const [accessKey, ...scope] = fields.get("Credential")?.split("/") ?? [];
  if (!accessKey) return undefined;
  const dialect = algorithm === derivedAlgorithm ? "derived" : "scoped";
  if (dialect === "derived" ? scope.length !== 3 : !isSdkScope(scope)) {
    return undefined;
  }
  return {
    dialect,
    accessKey,
    scope: scope.join("/"),
    signedHeaders,
    signature,
  };
}

function isSdkScope(scope: readonly string[]): boolean {
  return scope.length === 4 && scope[3] === "sdk_request";
}

function parseFields(list: string): Map<string, string> {
  const fields = new Map<string, string>();
  for (const part of list.split(",")) {
    const cut = part.indexOf("=");
    if (cut > 0)
      fields.set(part.slice(0, cut).trim(), part.slice(cut + 1).trim());
  }
  return fields;
}
