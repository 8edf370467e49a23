import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesPerChunk, ChunkCount, freeChunks } from "./chunk-count.ts";

/** How many pieces of a size are taken of so many. */
function taken(size: number, pieces: number, bytesPerRead: number): number {
  const socket = { bytesRead: 0 };
  const count = new ChunkCount(socket);
  const piece = new Uint8Array(size);
  for (let i = 0; i < pieces; i++) {
    socket.bytesRead = Math.ceil(((i + 1) * size) / bytesPerRead);
    if (!count.add(piece)) return i;
  }
  return pieces;
}

test("some small chunks are free, further ones are refused", () => {
  // The first of the read is free, too, and 65 bytes are worth half a chunk.
  assert.equal(taken(1, 1000, 65_536), freeChunks + 1);
  assert.equal(taken(0, 1000, 65_536), freeChunks + 1);
});

test("any number of chunks of the length that each should have is taken", () => {
  assert.equal(taken(bytesPerChunk, 10_000, 10_000_000), 10_000);
  assert.ok(taken(bytesPerChunk / 2, 10_000, 10_000_000) < 3 * freeChunks);
});

test("what comes one piece with each read is no flood", () => {
  assert.equal(taken(1, 10_000, 1), 10_000);
  assert.ok(taken(1, 10_000, 2) < 3 * freeChunks);
});
