/** Runs a script of this folder as a process of its own. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface OtherProcess extends AsyncDisposable {
  readonly pid: number;
  /** What it wrote to stdout so far. */
  readonly lines: readonly string[];
  /** Resolves once it wrote as many lines; rejects when it ends before. */
  waitForLines(count: number): Promise<void>;
  /** Sends it a line on stdin. */
  send(line: string): void;
  /** kill -9, and waits until it is gone. */
  kill(): Promise<void>;
  /** Resolves with its exit code. */
  ended(): Promise<number | null>;
}

/** `wrapper`: a command that starts the process, such as `prlimit`. */
export function startProcess(
  script: string,
  args: readonly string[],
  wrapper: readonly string[] = [],
): OtherProcess {
  const command = [
    ...wrapper,
    process.execPath,
    "--conditions=source",
    fileURLToPath(new URL(script, import.meta.url)),
    ...args,
  ];
  const [program = process.execPath, ...rest] = command;
  const child: ChildProcess = spawn(program, rest, {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const lines: string[] = [];
  const closed = once(child, "close");
  let check = () => {};
  if (child.stdout) {
    createInterface(child.stdout).on("line", (line) => {
      lines.push(line);
      check();
    });
  }
  const kill = async () => {
    child.kill("SIGKILL");
    await closed;
  };
  return {
    pid: child.pid ?? 0,
    lines,
    async waitForLines(count) {
      const enough = new Promise<void>((resolve) => {
        check = () => lines.length >= count && resolve();
        check();
      });
      const tooEarly = closed.then(() => {
        throw new Error(`${script} ended after ${lines.length} lines.`);
      });
      await Promise.race([enough, tooEarly]);
    },
    send: (line) => child.stdin?.write(`${line}\n`),
    kill,
    async ended() {
      await closed;
      return child.exitCode;
    },
    [Symbol.asyncDispose]: kill,
  };
}
