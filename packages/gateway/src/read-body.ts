/** Reads a stream of octets, but not more than one is prepared to hold. */

/**
 * The octets of a body in one buffer, which grows with it: kept as they came,
 * octets that come one by one would take a hundred times their size.
 */
export class BodyBuffer {
  readonly #maxBytes: number;
  #buffer = new Uint8Array();
  #length = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get length(): number {
    return this.#length;
  }

  /** False when there are more than `maxBytes`; then they are not taken. */
  add(piece: Uint8Array): boolean {
    const end = this.#length + piece.byteLength;
    if (end > this.#maxBytes) return false;
    if (end > this.#buffer.byteLength) {
      const larger = new Uint8Array(this.#length === 0 ? end : 2 * end);
      larger.set(this.octets());
      this.#buffer = larger;
    }
    this.#buffer.set(piece, this.#length);
    this.#length = end;
    return true;
  }

  octets(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }
}

/** Undefined when there are more than `maxBytes`; the rest is not read. */
export async function readAtMost(
  stream: AsyncIterable<Uint8Array>,
  maxBytes: number,
): Promise<Uint8Array | undefined> {
  const body = new BodyBuffer(maxBytes);
  for await (const piece of stream) {
    if (!body.add(piece)) return undefined;
  }
  return body.octets();
}
