import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import { LogOutput } from "./log-output.ts";
import type { OutputStream } from "./output.ts";

/** A stream whose every write waits for the test to settle it. */
class HeldStream implements OutputStream {
  readonly taken: string[] = [];
  readonly #waiting: { text: string; done: (error?: Error) => void }[] = [];
  writes = 0;

  get writableLength(): number {
    return this.#waiting.reduce((sum, { text }) => sum + text.length, 0);
  }

  write(text: string, done: (error?: Error) => void = () => {}): void {
    this.writes++;
    this.#waiting.push({ text, done });
  }

  settle(code?: string): void {
    for (const { text, done } of this.#waiting.splice(0)) {
      if (code === undefined) this.taken.push(text);
      done(code ? Object.assign(new Error(code), { code }) : undefined);
    }
  }
}

function setUp(t: TestContext, maxBuffered?: number) {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  const stream = new HeldStream();
  const output = new LogOutput({
    stream,
    formatNotice: (dropped, reason) => `${dropped} dropped: ${reason}\n`,
    ...(maxBuffered !== undefined && { maxBuffered }),
  });
  return { stream, output, tick: () => t.mock.timers.tick(1000) };
}

test("counts each line that could not be written", (t) => {
  const { stream, output } = setUp(t);
  output.write("a\n");
  output.write("b\n");
  stream.settle("ENOSPC");
  output.write("c\n");
  assert.equal(output.dropped, 3);
  assert.deepEqual(stream.taken, []);
});

test("tries a failed stream once a second, whatever is logged", (t) => {
  const { stream, output, tick } = setUp(t);
  output.write("a\n");
  stream.settle("ENOSPC");
  for (let second = 0; second < 3; second++) {
    for (let n = 0; n < 100; n++) output.write("b\n");
    tick();
    stream.settle("ENOSPC");
  }
  assert.equal(stream.writes, 4);
  assert.equal(output.dropped, 301);
});

test("says what it dropped once it can, then goes on", (t) => {
  const { stream, output, tick } = setUp(t);
  output.write("a\n");
  stream.settle("ENOSPC");
  output.write("b\n");
  tick();
  stream.settle("EIO");
  output.write("c\n");
  tick();
  stream.settle();
  output.write("d\n");
  stream.settle();
  assert.deepEqual(stream.taken, ["\n3 dropped: EIO\n", "d\n"]);
  tick();
  stream.settle();
  assert.equal(stream.taken.length, 2, "says it once");
  assert.equal(output.dropped, 3);
});

test("what is dropped while the notice is on its way is reported later", (t) => {
  const { stream, output, tick } = setUp(t);
  output.write("a\n");
  stream.settle("ENOSPC");
  tick();
  output.write("b\n");
  stream.settle();
  tick();
  stream.settle();
  assert.deepEqual(stream.taken, [
    "\n1 dropped: ENOSPC\n",
    "1 dropped: ENOSPC\n",
  ]);
});

test("holds no more than its bound for a slow reader", (t) => {
  const { stream, output, tick } = setUp(t, 10);
  for (let n = 0; n < 50; n++) output.write("1234\n");
  assert.equal(stream.writableLength, 10);
  assert.equal(output.dropped, 48);
  tick();
  assert.equal(stream.writableLength, 10, "the notice waits for room, too");
  stream.settle();
  output.write("5678\n");
  stream.settle();
  assert.deepEqual(stream.taken, ["1234\n", "1234\n", "5678\n"]);
});

test("a notice that a slow reader holds up is not repeated", (t) => {
  const { stream, output, tick } = setUp(t, 40);
  for (let n = 0; n < 10; n++) output.write("12345678\n");
  stream.settle();
  tick();
  for (let n = 0; n < 10; n++) output.write("1234567890\n");
  tick();
  stream.settle();
  tick();
  stream.settle();
  const notices = stream.taken.filter((line) => line.includes("dropped"));
  const reported = notices.reduce(
    (sum, line) => sum + Number.parseInt(line, 10),
    0,
  );
  assert.equal(reported, output.dropped);
});

test("a notice follows when a slow reader has caught up", (t) => {
  const { stream, output, tick } = setUp(t, 30);
  for (let n = 0; n < 10; n++) output.write("1234567890\n");
  stream.settle();
  tick();
  stream.settle();
  assert.equal(stream.taken.at(-1), "8 dropped: slow reader\n");
});

test("an error event of the stream ends nothing", () => {
  const listeners: ((error: Error) => void)[] = [];
  new LogOutput({
    stream: {
      write() {},
      on: (_event, listener) => listeners.push(listener),
    },
    formatNotice: () => "",
  });
  assert.equal(listeners.length, 1);
  for (const listener of listeners) listener(new Error("EPIPE"));
});
