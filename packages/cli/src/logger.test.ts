import assert from "node:assert/strict";
import { test } from "node:test";
import { createLogger } from "./logger.ts";

test("writes JSON lines where there is no terminal", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "info",
    stream: { write: (line) => lines.push(line) },
    now: () => 0,
  });
  logger.debug("unseen");
  logger.child({ topic: "t" }).warn("slow", { ms: 5 });
  assert.deepEqual(lines, [
    '{"level":"warn","time":"1970-01-01T00:00:00.000Z","topic":"t","ms":5,"event":"slow"}\n',
  ]);
});

test("writes errors with their cause", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "error",
    stream: { write: (line) => lines.push(line) },
  });
  const cause = Object.assign(new Error("disk"), { code: "EIO" });
  logger.error("failed", { error: new Error("store", { cause }) });
  const { error } = JSON.parse(lines[0] ?? "") as {
    error: { message: string; cause: { code: string } };
  };
  assert.equal(error.message, "store");
  assert.equal(error.cause.code, "EIO");
});

test("writes short lines on a terminal", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "debug",
    stream: { isTTY: true, write: (line) => lines.push(line) },
  });
  logger.info("started", { url: "http://127.0.0.1:1", n: 2 });
  assert.match(lines[0] ?? "", /info.*started.*url=http:\/\/127.0.0.1:1 n=2/);
});

test("silent is silent", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "silent",
    stream: { write: (line) => lines.push(line) },
  });
  logger.error("unseen");
  assert.deepEqual(lines, []);
});
