/** Child processes of the benchmarks, and how they are ended. */

import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { stallMs } from "./watchdog.ts";

/** How Carillon's workspace runs TypeScript. */
const execArgv = [
  "--conditions=source",
  "--disable-warning=ExperimentalWarning",
];

/** Longest time that a child may take for one question, in milliseconds. */
const answerMs = 300_000;

export interface Child extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** A child that answers questions, one at a time. */
export interface Program extends Child {
  ask<Answer>(question: unknown): Promise<Answer>;
}

/** Starts a script of this folder that sends `{ port }` once it is ready. */
export async function startProgram(
  script: string,
  options: unknown = {},
): Promise<Program> {
  const child = fork(
    fileURLToPath(new URL(script, import.meta.url)),
    [JSON.stringify(options)],
    { execArgv, stdio: ["ignore", "inherit", "inherit", "ipc"] },
  );
  const { port } = await nextMessage<{ port: number }>(script, child);
  return {
    ...toChild(child, port),
    ask(question) {
      const answer = nextMessage<never>(script, child);
      child.send(Object(question));
      return answer;
    },
  };
}

/** Runs a script of this folder to its end and answers what it printed. */
export async function output(
  script: string,
  options: unknown,
): Promise<string> {
  const child = spawn(
    process.execPath,
    [
      ...execArgv,
      fileURLToPath(new URL(script, import.meta.url)),
      JSON.stringify(options),
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  const text: Buffer[] = [];
  child.stdout.on("data", (chunk: Buffer) => text.push(chunk));
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return Buffer.concat(text).toString();
}

/** Ends it as an operator would, and kills it when it does not listen. */
export function toChild(child: ChildProcess, port: number): Child {
  return {
    port,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), stallMs);
      await gone;
      clearTimeout(timer);
    },
  };
}

/** The type is what the script says that it answers: both are ours. */
function nextMessage<Message>(
  script: string,
  child: ChildProcess,
): Promise<Message> {
  return new Promise((resolve, reject) => {
    const onExit = () => {
      clearTimeout(timer);
      reject(new Error(`${script} ended without an answer`));
    };
    const timer = setTimeout(() => {
      reject(new Error(`${script} did not answer in ${answerMs / 1000} s`));
    }, answerMs);
    child.once("exit", onExit);
    child.once("message", (message) => {
      clearTimeout(timer);
      child.off("exit", onExit);
      resolve(message as Message);
    });
  });
}
