/** Large pieces of a stream as small ones, with turns of the event loop between. */

import { Transform, type TransformCallback } from "node:stream";

const sliceBytes = 65_536;

/**
 * nodemailer looks at each byte of what it sends, in as long a run as the piece
 * is: a file of 7 MB would hold up everything else.
 */
export class SlicingStream extends Transform {
  override _transform(
    piece: Buffer,
    _encoding: BufferEncoding,
    done: TransformCallback,
  ): void {
    let at = 0;
    const next = () => {
      if (this.destroyed) return;
      const end = at + sliceBytes;
      this.push(piece.subarray(at, end));
      at = end;
      if (at < piece.length) setImmediate(next);
      else done();
    };
    next();
  }
}
