import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { test } from "node:test";
import { readTar, type TarEntry, TarError, writeTar } from "./tar.ts";

test("what is written is read, and listed by tar itself", async () => {
  const files = new Map([
    ["empty", ""],
    ["a/block", "x".repeat(512)],
    ["last", "y".repeat(513)],
  ]);
  const archive = await pack(files);
  for (const pieceBytes of [1, 511, archive.length]) {
    assert.deepEqual(await unpack(pieces(archive, pieceBytes)), files);
  }
  const listed = spawnSync("tar", ["-tvf", "-"], { input: archive });
  if (listed.error) return;
  assert.equal(listed.status, 0, String(listed.stderr));
  assert.match(String(listed.stdout), /^-rw-------.* 512 .* a\/block$/m);
});

test("sizes above 8 GiB are written as tar reads them", async () => {
  const bytes = 9 * 2 ** 30 + 1;
  const entry: TarEntry = { name: "large", bytes, content: zeros() };
  const written = writeTar(only(entry));
  const { value: header } = await written.next();
  await written.return();
  assert.ok(header);
  const read = readTar(pieces(Buffer.from(header), 512));
  assert.equal((await read.next()).value?.bytes, bytes);
  const listed = spawnSync("tar", ["-tvf", "-"], { input: header });
  if (!listed.error) assert.match(String(listed.stdout), / 9663676417 /);
});

test("what was cut off or altered is refused", async () => {
  const archive = await pack(new Map([["a", "x".repeat(1000)]]));
  for (const length of [0, 1, 511, 512, 1000, 1535, 1536]) {
    await assert.rejects(unpack(pieces(archive.subarray(0, length), 512)), {
      name: "TarError",
    });
  }
  // The name, the size, the checksum and the kind of file.
  for (const at of [0, 124, 148, 156]) {
    const altered = Buffer.from(archive);
    altered[at] = (altered[at] ?? 0) ^ 1;
    await assert.rejects(unpack(pieces(altered, 512)), TarError);
  }
});

test("content of another length than was said is an error", async () => {
  const entry: TarEntry = { name: "a", bytes: 4, content: pieces("abc", 3) };
  await assert.rejects(Array.fromAsync(writeTar(only(entry))), TarError);
});

async function pack(files: ReadonlyMap<string, string>): Promise<Buffer> {
  const entries = (async function* () {
    for (const [name, text] of files) {
      yield { name, bytes: text.length, content: pieces(text, 100) };
    }
  })();
  return Buffer.concat(await Array.fromAsync(writeTar(entries)));
}

async function unpack(
  source: AsyncIterable<Uint8Array>,
): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  for await (const { name, content } of readTar(source)) {
    const text = Buffer.concat(await Array.fromAsync(content)).toString();
    files.set(name, text);
  }
  return files;
}

async function* pieces(
  content: string | Uint8Array,
  bytes: number,
): AsyncGenerator<Uint8Array, void> {
  const all = Buffer.from(content);
  for (let at = 0; at < all.length; at += bytes) {
    yield all.subarray(at, at + bytes);
  }
}

async function* zeros(): AsyncGenerator<Uint8Array, void> {
  for (;;) yield Buffer.alloc(2 ** 20);
}

async function* only(entry: TarEntry): AsyncGenerator<TarEntry, void> {
  yield entry;
}
