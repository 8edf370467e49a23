/**
 * Signs requests between peers of this package with a shared secret: HMAC with
 * SHA-256 over the method, the path, the time, a nonce and the body, so that a
 * request can neither be altered, nor sent elsewhere, nor sent again.
 */

import { fromHex, toHex } from "../../hex.ts";
import { importHmacKey } from "../../hmac.ts";
import { ForbiddenRequestError } from "../../receiver.ts";

export const SIGNATURE_HEADER = "carillon-forward-signature";

const TOLERANCE_MS = 300_000;

/** What a signature covers besides its own time and nonce. */
export interface SignedRequest {
  readonly method: string;
  /** Its path counts, its host and query do not. */
  readonly url: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
}

/** The value of the signature header, with a nonce of its own at each call. */
export async function sign(
  secret: string,
  request: SignedRequest,
  nowMs: number,
  nonce: string = newNonce(),
): Promise<string> {
  const time = String(Math.floor(nowMs));
  const key = await importHmacKey(secret, "SHA-256");
  const mac = await key.sign(signedData(request, time, nonce));
  return `t=${time},n=${nonce},v1=${toHex(mac)}`;
}

/**
 * Checks signatures, and accepts each once. Nonces are kept in memory until
 * their signatures are too old: a restart forgets those of the last minutes.
 */
export class SignatureVerifier {
  readonly #secret: string;
  // In about the order of time, with the moment each may be forgotten.
  readonly #seen = new Map<string, number>();

  constructor(secret: string) {
    this.#secret = secret;
  }

  /**
   * Throws `ForbiddenRequestError` for a missing or wrong signature, for one
   * more than five minutes away from now, and for one that was accepted before.
   */
  async verify(
    request: SignedRequest,
    header: string | undefined,
    nowMs: number,
  ): Promise<void> {
    const match = FORM.exec(header ?? "");
    const [, time = "", nonce = "", hex = ""] = match ?? [];
    if (match === null || Math.abs(nowMs - Number(time)) > TOLERANCE_MS) {
      throw new ForbiddenRequestError(REFUSAL);
    }
    const key = await importHmacKey(this.#secret, "SHA-256");
    const data = signedData(request, time, nonce);
    if (!(await key.verify(fromHex(hex), data))) {
      throw new ForbiddenRequestError(REFUSAL);
    }
    // Only now, for nobody else may fill the memory.
    this.#forgetOld(nowMs);
    if (this.#seen.has(nonce)) throw new ForbiddenRequestError(REFUSAL);
    this.#seen.set(nonce, Number(time) + TOLERANCE_MS);
  }

  #forgetOld(nowMs: number): void {
    for (const [nonce, until] of this.#seen) {
      if (until >= nowMs) return;
      this.#seen.delete(nonce);
    }
  }
}

const FORM = /^t=(\d{1,15}),n=([0-9a-f]{32}),v1=([0-9a-f]{64})$/;

const REFUSAL = "The signature is missing, wrong, old or used before";

// No line but the last, the body, can hold a line feed.
function signedData(
  { method, url, body }: SignedRequest,
  time: string,
  nonce: string,
): Uint8Array<ArrayBuffer> {
  const encoder = new TextEncoder();
  const { pathname } = new URL(url, "http://localhost");
  const head = encoder.encode(
    `${[method, pathname, time, nonce].join("\n")}\n`,
  );
  const rest = typeof body === "string" ? encoder.encode(body) : body;
  const data = new Uint8Array(head.length + rest.length);
  data.set(head);
  data.set(rest, head.length);
  return data;
}

function newNonce(): string {
  return toHex(crypto.getRandomValues(new Uint8Array(16)));
}
