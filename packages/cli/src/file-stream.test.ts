import assert from "node:assert/strict";
import { test } from "node:test";
import { createFileStream } from "./file-stream.ts";

test("writes on after a write that ended early", () => {
  let written = "";
  const stream = createFileStream(2, (_fd, bytes) => {
    written += Buffer.from(bytes.subarray(0, 3)).toString();
    return Math.min(3, bytes.length);
  });
  let failure: unknown = "not called";
  stream.write("a line\n", (error) => {
    failure = error;
  });
  assert.equal(written, "a line\n");
  assert.equal(failure, undefined);
});

test("fails when the rest finds no room", () => {
  const full = Object.assign(new Error("full"), { code: "ENOSPC" });
  const lengths = [3];
  const stream = createFileStream(2, () => {
    const length = lengths.shift();
    if (length === undefined) throw full;
    return length;
  });
  let failure: unknown;
  stream.write("a line\n", (error) => {
    failure = error;
  });
  assert.equal(failure, full);
});
