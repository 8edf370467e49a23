/**
 * Amazon's end of Signature Version 4: whether a request bears the signature of
 * an account. Written apart from what the gateway signs with.
 */

import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { CarrierRequest } from "./fake-carrier.ts";

/** The account, and what it may call. */
export interface AwsAccount {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
  readonly service: string;
}

/** What is wrong with a request: Amazon's code, and its words. */
export interface AwsRefusal {
  readonly status: number;
  readonly code: string;
  readonly message: string;
}

const allowedSkewMs = 15 * 60_000;

/** `undefined`: the request is the account's. */
export function checkAwsSignature(
  { method, path, query, headers, body }: CarrierRequest,
  account: AwsAccount,
): AwsRefusal | undefined {
  const { authorization } = headers;
  if (authorization === undefined) {
    return refusal("MissingAuthenticationToken", "Request is missing a token");
  }
  const parts =
    /^AWS4-HMAC-SHA256 Credential=([^,\s]+), ?SignedHeaders=([^,\s]+), ?Signature=([0-9a-f]{64})$/.exec(
      authorization,
    );
  const time = headers["x-amz-date"] ?? "";
  if (parts === null || !/^\d{8}T\d{6}Z$/.test(time)) {
    return refusal("IncompleteSignature", "The signature lacks something", 400);
  }
  const [, credential = "", names = "", signature = ""] = parts;
  const [keyId, date, ...rest] = credential.split("/");
  const { region, service, accessKeyId, secretAccessKey } = account;
  if (keyId !== accessKeyId) {
    return refusal("InvalidClientTokenId", "The security token is invalid");
  }
  if (headers["x-amz-security-token"] !== account.sessionToken) {
    return refusal("InvalidClientTokenId", "The security token is invalid");
  }
  const wanted = `${region}/${service}/aws4_request`;
  if (date !== time.slice(0, 8) || rest.join("/") !== wanted) {
    return refusal("SignatureDoesNotMatch", `Credential should be ${wanted}`);
  }
  const at = Date.parse(
    time.replace(/(....)(..)(..T..)(..)(..Z)/, "$1-$2-$3:$4:$5"),
  );
  if (Math.abs(Date.now() - at) > allowedSkewMs) {
    return refusal("SignatureDoesNotMatch", `Signature expired: ${time}`);
  }
  const signed = names.split(";");
  const needed = Object.keys(headers).filter(
    (name) => name === "host" || name.startsWith("x-amz-"),
  );
  const isSorted = [...signed].sort().join(";") === names;
  if (!isSorted || !needed.every((name) => signed.includes(name))) {
    return refusal("SignatureDoesNotMatch", "Headers are not signed");
  }

  let canonical = `${method}\n`;
  canonical += `${path.split("/").map(encode).join("/")}\n`;
  const pairs = Array.from(query, (pair) => pair.map(encode).join("="));
  canonical += `${pairs.sort().join("&")}\n`;
  for (const name of signed) {
    const value = (headers[name] ?? "").trim().replace(/\s+/g, " ");
    canonical += `${name}:${value}\n`;
  }
  canonical += `\n${names}\n${hash(body)}`;

  let key: Buffer | string = `AWS4${secretAccessKey}`;
  for (const part of [date, region, service, "aws4_request"]) {
    key = createHmac("sha256", key).update(part).digest();
  }
  const made = createHmac("sha256", key)
    .update(
      `AWS4-HMAC-SHA256\n${time}\n${date}/${wanted}\n${hash(Buffer.from(canonical))}`,
    )
    .digest();
  if (timingSafeEqual(made, Buffer.from(signature, "hex"))) return undefined;
  return refusal(
    "SignatureDoesNotMatch",
    `The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this request should have been\n'${canonical}'`,
  );
}

function refusal(code: string, message: string, status = 403): AwsRefusal {
  return { status, code, message };
}

function hash(octets: Buffer): string {
  return createHash("sha256").update(octets).digest("hex");
}

/** Each octet but letters, digits and `-._~`. */
function encode(text: string): string {
  let escaped = "";
  for (const octet of Buffer.from(text)) {
    const character = String.fromCharCode(octet);
    escaped += /[A-Za-z0-9._~-]/.test(character)
      ? character
      : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return escaped;
}
