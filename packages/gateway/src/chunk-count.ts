/** Chunks of a body that may be of any size. */
export const freeChunks = 64;

/** Bytes that each further chunk has, on the average of the body. */
export const bytesPerChunk = 128;

/**
 * Counts the chunks of a request's body, which may not come in more of them than
 * its bytes are worth: `1\r\nx\r\n` again and again costs a hundred times as much
 * as the same text in one piece.
 */
export class ChunkCount {
  readonly #socket: { readonly bytesRead: number };
  #bytes = 0;
  #chunks = 0;
  #bytesRead = -1;

  /** @param socket the one that the body comes through */
  constructor(socket: { readonly bytesRead: number }) {
    this.#socket = socket;
  }

  /**
   * To be called with each piece as the HTTP parser hands it out. False when the
   * body has too many chunks for its bytes so far.
   */
  add(piece: Uint8Array): boolean {
    this.#bytes += piece.byteLength;
    // The first of each read is not counted: where the network cuts a body to
    // pieces, one comes with each read, whatever its framing.
    const { bytesRead } = this.#socket;
    if (bytesRead === this.#bytesRead) this.#chunks++;
    else this.#bytesRead = bytesRead;
    return this.#chunks <= freeChunks + this.#bytes / bytesPerChunk;
  }
}
