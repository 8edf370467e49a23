/**
 * Certificates by their addresses, each fetched once while it is good. Who
 * calls us names the address, so all of it is bounded: what is kept and for how
 * long, and how many are fetched at once.
 */

import { ReceiverError } from "../../receiver.ts";
import type { SigningCertificate } from "./signing-certificate.ts";

export interface CertificateCachePorts {
  fetch(url: string): Promise<SigningCertificate>;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** Two a region would do: the present one and the next. */
const maxKept = 16;
const maxAgeMs = 24 * 3_600_000;

const maxFailuresKept = 64;
const failureAgeMs = 5000;

const maxPending = 8;

interface Kept<Value> {
  readonly value: Value;
  readonly at: number;
}

export class CertificateCache {
  readonly #ports: CertificateCachePorts;
  readonly #pending = new Map<string, Promise<SigningCertificate>>();
  // Apart, so that addresses without a certificate push none out.
  readonly #kept = new Map<string, Kept<SigningCertificate>>();
  readonly #failures = new Map<string, Kept<unknown>>();

  constructor(ports: CertificateCachePorts) {
    this.#ports = ports;
  }

  /**
   * Rejects as `fetch` does, for five seconds without another call of it.
   *
   * @throws ReceiverError 503 while too many are being fetched
   */
  async get(url: string): Promise<SigningCertificate> {
    const kept = this.#find(this.#kept, url, maxAgeMs);
    if (kept) return kept.value;
    const failure = this.#find(this.#failures, url, failureAgeMs);
    if (failure) throw failure.value;
    const pending = this.#pending.get(url);
    if (pending) return pending;
    if (this.#pending.size >= maxPending) {
      throw new ReceiverError(503, "Too many certificates are being fetched");
    }
    const fetching = this.#fetch(url).finally(() => this.#pending.delete(url));
    this.#pending.set(url, fetching);
    return fetching;
  }

  async #fetch(url: string): Promise<SigningCertificate> {
    try {
      const value = await this.#ports.fetch(url);
      this.#keep(this.#kept, url, value, maxKept);
      return value;
    } catch (error) {
      this.#keep(this.#failures, url, error, maxFailuresKept);
      throw error;
    }
  }

  #find<Value>(
    from: Map<string, Kept<Value>>,
    url: string,
    ageMs: number,
  ): Kept<Value> | undefined {
    const kept = from.get(url);
    const age = this.#ports.now() - (kept?.at ?? 0);
    // Negative where the clock was set back.
    if (age >= 0 && age < ageMs) return kept;
    from.delete(url);
    return undefined;
  }

  #keep<Value>(
    to: Map<string, Kept<Value>>,
    url: string,
    value: Value,
    limit: number,
  ): void {
    to.set(url, { value, at: this.#ports.now() });
    const [oldest] = to.keys();
    if (to.size > limit && oldest !== undefined) to.delete(oldest);
  }
}
