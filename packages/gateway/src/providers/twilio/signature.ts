/**
 * Twilio's signature of what it calls us with: HMAC with SHA-1 over the URL as
 * Twilio has it and the fields of the form, sorted by name. Source: "Webhooks
 * Security".
 */

import { equalsConstantTime } from "../../constant-time.ts";
import { toHex } from "../../hex.ts";
import { importHmacKey } from "../../hmac.ts";

/** A request as Twilio made it. */
export interface TwilioRequest {
  /** With scheme, host and query. */
  readonly url: string;
  /** Of a form; absent where the body is none. */
  readonly fields?: URLSearchParams | undefined;
  readonly body: Uint8Array<ArrayBuffer>;
}

/** Whether the signature is the account's, with or without the default port. */
export async function isSigned(
  request: TwilioRequest,
  signature: string,
  authToken: string,
): Promise<boolean> {
  if (!URL.canParse(request.url)) return false;
  const bodyHash = new URL(request.url).searchParams.get("bodySHA256");
  if (bodyHash !== null) {
    const hash = await crypto.subtle.digest("SHA-256", request.body);
    const hex = toHex(new Uint8Array(hash));
    if (!equalsConstantTime(bodyHash.toLowerCase(), hex)) return false;
  } else if (request.fields === undefined && request.body.length > 0) {
    // Nothing would cover the body.
    return false;
  }
  const fields = bodyHash === null ? signedText(request.fields) : "";
  let isOne = false;
  for (const url of urlsOf(request.url)) {
    const made = await sign(url + fields, authToken);
    isOne = equalsConstantTime(signature, made) || isOne;
  }
  return isOne;
}

/** Names and values without separators; a name's values sorted, each once. */
function signedText(fields: URLSearchParams | undefined): string {
  let text = "";
  for (const name of [...new Set(fields?.keys())].sort()) {
    const values = [...new Set(fields?.getAll(name))].sort();
    for (const value of values) text += name + value;
  }
  return text;
}

/** As it is, and with the default port left out or put in: proxies differ. */
function urlsOf(url: string): readonly string[] {
  const match = /^(https?):\/\/([^/?#]*?)(:\d+)?([/?#].*|)$/is.exec(url);
  if (match === null) return [url];
  const [, scheme = "", host = "", port, rest = ""] = match;
  const own = scheme.toLowerCase() === "https" ? ":443" : ":80";
  if (port === undefined) return [url, `${scheme}://${host}${own}${rest}`];
  return port === own ? [url, `${scheme}://${host}${rest}`] : [url];
}

/** Base64 of the HMAC. */
export async function sign(text: string, authToken: string): Promise<string> {
  const key = await importHmacKey(authToken, "SHA-1");
  return btoa(String.fromCharCode(...(await key.sign(text))));
}
