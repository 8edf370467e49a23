import assert from "node:assert/strict";
import { test } from "node:test";
import { stripVTControlCharacters } from "node:util";
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
  const { error } = JSON.parse(lines[0] ?? "");
  assert.equal(error.type, "Error");
  assert.equal(error.message, "store");
  assert.match(error.stack, /logger\.test\.ts/);
  assert.equal(error.cause.code, "EIO");
  assert.match(error.cause.stack, /logger\.test\.ts/);
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

test("writes errors and their causes in one short line on a terminal", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "debug",
    stream: { isTTY: true, write: (line) => lines.push(line) },
  });
  const cause = Object.assign(new Error("disk"), { code: "EIO" });
  logger.error("failed", { error: new TypeError("store", { cause }) });
  const [line = ""] = lines;
  assert.match(line, /error=TypeError: store.* \(cause: Error EIO: disk\)/);
  assert.equal(line.trim().split("\n").length, 1);
});

test("says how many lines were dropped, and counts them", (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const lines: string[] = [];
  let failure: Error | undefined = Object.assign(new Error("full"), {
    code: "ENOSPC",
  });
  const logger = createLogger({
    level: "info",
    stream: {
      write(line, done) {
        if (!failure) lines.push(line);
        done?.(failure);
      },
    },
    now: () => 0,
  });
  logger.info("one");
  logger.child({ topic: "t" }).info("two");
  failure = undefined;
  t.mock.timers.tick(1000);
  logger.info("three");
  assert.equal(logger.droppedLines(), 2);
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [
      {
        level: "warn",
        time: "1970-01-01T00:00:00.000Z",
        dropped: 2,
        reason: "ENOSPC",
        event: "log_dropped",
      },
      { level: "info", time: "1970-01-01T00:00:00.000Z", event: "three" },
    ],
  );
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

test("breaks lines for people between fields, where the terminal ends", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "debug",
    stream: {
      isTTY: true,
      columns: 60,
      write: (line) => lines.push(stripVTControlCharacters(line)),
    },
    now: () => 0,
  });
  logger.info("request", {
    requestId: "0".repeat(32),
    method: "POST",
    route: "/v2/:project_id/topics",
    path: "/v2/0f3c/topics",
    status: 201,
    code: undefined,
    durationMs: 3.2,
    userId: "u",
    address: "127.0.0.1",
  });
  const clock = new Date(0).toTimeString().slice(0, 8);
  assert.deepEqual(lines, [
    `${clock} info  request POST /v2/0f3c/topics 201 3.2ms
         requestId=${"0".repeat(32)} userId=u
         address=127.0.0.1
`,
  ]);
});

test("keeps of errors what is known to be harmless, and masks their texts", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "error",
    stream: { write: (line) => lines.push(line) },
  });
  const error = Object.assign(
    new Error(
      "550 <ann@example.com> +491701234567 https://u:p4ss@h.example/hook?key=s3cret",
    ),
    {
      code: "EENVELOPE",
      rejected: ["ann@example.com"],
      options: { auth: "a" },
    },
  );
  logger.error("failed", { error });
  const { stack, ...shown } = JSON.parse(lines[0] ?? "").error;
  assert.deepEqual(shown, {
    type: "Error",
    code: "EENVELOPE",
    message: "550 <a***@example.com> +49***567 https://h.example/***",
  });
  assert.match(stack, /logger\.test\.ts/);
  assert.doesNotMatch(stack, /ann@|491701234567|s3cret|p4ss/);
});

test("whatever is logged as an error makes a line", () => {
  const lines: string[] = [];
  const logger = createLogger({
    level: "error",
    stream: { write: (line) => lines.push(line) },
  });
  const loop = new Error("loop");
  loop.cause = loop;
  for (const error of ["text", undefined, null, 7, loop, Object.create(null)]) {
    logger.error("failed", { error });
  }
  assert.equal(lines.length, 6);
  for (const line of lines) assert.equal(JSON.parse(line).event, "failed");
});

test("says whether debug lines are written", () => {
  const stream = { write: () => {} };
  const at = (level: "debug" | "info") => createLogger({ level, stream });
  assert.equal(at("debug").showsDebug?.(), true);
  assert.equal(at("info").showsDebug?.(), false);
  assert.equal(at("info").child({ a: 1 }).showsDebug?.(), false);
});
