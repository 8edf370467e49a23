import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { SlicingStream } from "./slicing-stream.ts";

test("all bytes come in their order, in small pieces, with turns between", async () => {
  const given = [
    Buffer.from("head"),
    Buffer.alloc(200_000, "a"),
    Buffer.alloc(65_536, "b"),
    Buffer.from("end"),
  ];
  let turns = 0;
  let isOver = false;
  const count = () => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const stream = new SlicingStream();
  const pieces: Buffer[] = [];
  // As whoever pipes it gets them.
  stream.on("data", (piece) => pieces.push(piece));
  for (const piece of given) stream.write(piece);
  stream.end();
  await once(stream, "end");
  isOver = true;
  assert.deepEqual(Buffer.concat(pieces), Buffer.concat(given));
  assert.ok(pieces.every(({ length }) => length <= 65_536));
  assert.ok(turns >= 3);
});
