/**
 * Archives in the format of `tar` (POSIX.1-1988, "ustar"), as far as backups
 * need it: plain files, one after the other. Any `tar` unpacks them.
 * https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html#tag_20_94_13_06
 */

/** One file of an archive. */
export interface TarEntry {
  /** At most 100 ASCII characters. */
  readonly name: string;
  readonly bytes: number;
  /** Exactly so many bytes; a reader takes all of them, or none. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** The bytes are no archive, or one that was cut off or altered. */
export class TarError extends Error {
  override readonly name = "TarError";
}

const blockBytes = 512;
/** What eleven octal digits hold; larger sizes are written in base 256. */
const maxOctal = 8 ** 11 - 1;

/** The bytes of an archive, in pieces. @throws TarError */
export async function* writeTar(
  entries: AsyncIterable<TarEntry>,
): AsyncGenerator<Uint8Array, void> {
  for await (const { name, bytes, content } of entries) {
    yield formatHeader(name, bytes);
    let written = 0;
    for await (const piece of content) {
      written += piece.length;
      yield piece;
    }
    if (written !== bytes) {
      throw new TarError(`${name} has ${written} bytes instead of ${bytes}`);
    }
    yield Buffer.alloc(paddingOf(bytes));
  }
  yield Buffer.alloc(2 * blockBytes);
}

/**
 * The files of an archive. Each one's content is read before the next is asked
 * for, or skipped. Reads its source to the end.
 *
 * @throws TarError
 */
export async function* readTar(
  source: AsyncIterable<Uint8Array>,
): AsyncGenerator<TarEntry, void> {
  const reader = new ByteReader(source);
  for (;;) {
    const header = await reader.take(blockBytes);
    if (header.every((byte) => byte === 0)) break;
    const { name, bytes } = parseHeader(header);
    const content = reader.pieces(bytes);
    yield { name, bytes, content };
    // What was left of it.
    for await (const _ of content);
    await reader.take(paddingOf(bytes));
  }
  await reader.skipAll();
}

function paddingOf(bytes: number): number {
  return (blockBytes - (bytes % blockBytes)) % blockBytes;
}

/** Offset and length of each field that is used. */
const fields = {
  name: [0, 100],
  mode: [100, 8],
  size: [124, 12],
  modifiedAt: [136, 12],
  checksum: [148, 8],
  type: [156, 1],
  magic: [257, 8],
} as const;

const plainFile = "0";

function formatHeader(name: string, bytes: number): Buffer {
  const header = Buffer.alloc(blockBytes);
  const put = (field: keyof typeof fields, text: string) =>
    header.write(text, fields[field][0], fields[field][1], "latin1");
  put("name", name);
  put("mode", "0000600\0");
  put("modifiedAt", "00000000000\0");
  put("type", plainFile);
  put("magic", "ustar\x0000");
  if (bytes <= maxOctal) {
    put("size", `${bytes.toString(8).padStart(11, "0")}\0`);
  } else {
    const [at, length] = fields.size;
    header[at] = 0x80;
    header.writeBigUInt64BE(BigInt(bytes), at + length - 8);
  }
  const sum = checksumOf(header).toString(8).padStart(6, "0");
  put("checksum", `${sum}\0 `);
  return header;
}

function parseHeader(header: Buffer): { name: string; bytes: number } {
  const get = (field: keyof typeof fields) => {
    const [at, length] = fields[field];
    const text = header.toString("latin1", at, at + length);
    return text.split("\0", 1)[0] ?? "";
  };
  const isArchive =
    get("magic").startsWith("ustar") &&
    Number.parseInt(get("checksum"), 8) === checksumOf(header);
  if (!isArchive) throw new TarError("there is no header of a file");
  const name = get("name");
  if (get("type") !== plainFile) throw new TarError(`${name} is no plain file`);
  const [at, length] = fields.size;
  const bytes =
    header[at] === 0x80
      ? Number(header.readBigUInt64BE(at + length - 8))
      : Number.parseInt(get("size"), 8);
  if (!Number.isSafeInteger(bytes)) throw new TarError(`${name} has no size`);
  return { name, bytes };
}

/** With blanks in the checksum's own place. */
function checksumOf(header: Buffer): number {
  const [at, length] = fields.checksum;
  return header.reduce(
    (sum, byte, n) => sum + (n >= at && n < at + length ? 0x20 : byte),
    0,
  );
}

/** Cuts a stream of pieces into what is asked for. */
class ByteReader {
  readonly #source: AsyncIterator<Uint8Array>;
  #rest: Uint8Array = new Uint8Array();

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#source = source[Symbol.asyncIterator]();
  }

  /** Few bytes, in one piece. */
  async take(bytes: number): Promise<Buffer> {
    const pieces: Uint8Array[] = [];
    for await (const piece of this.pieces(bytes)) pieces.push(piece);
    return Buffer.concat(pieces);
  }

  /** Many bytes, as they come. */
  async *pieces(bytes: number): AsyncGenerator<Uint8Array, void> {
    let left = bytes;
    while (left > 0) {
      if (this.#rest.length === 0) {
        const next = await this.#source.next();
        if (next.done) throw new TarError("it ends too early");
        this.#rest = next.value;
      }
      const piece = this.#rest.subarray(0, left);
      this.#rest = this.#rest.subarray(piece.length);
      left -= piece.length;
      yield piece;
    }
  }

  async skipAll(): Promise<void> {
    while (!(await this.#source.next()).done);
  }
}
