/** Child processes of the benchmarks: sink, load generator, Carillon itself. */

import { type ChildProcess, fork, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { LoadRequest, LoadResult } from "./load.ts";

const execArgv = [
  "--conditions=source",
  "--disable-warning=ExperimentalWarning",
];

export interface Child extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
}

/** Starts a script of this folder that sends `{ port }` once it listens. */
export async function startChild(
  script: string,
  args: readonly string[] = [],
): Promise<Child> {
  const child = fork(
    fileURLToPath(new URL(script, import.meta.url)),
    [...args],
    {
      execArgv,
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    },
  );
  const [{ port }] = (await once(child, "message")) as [{ port: number }];
  return ofProcess(child, port);
}

/** Runs a load and answers what it measured. */
export async function runLoad(request: LoadRequest): Promise<LoadResult> {
  return JSON.parse(await output("load.ts", [JSON.stringify(request)]));
}

/** Runs a script of this folder to its end and answers what it printed. */
export async function output(
  script: string,
  args: readonly string[],
): Promise<string> {
  const child = spawn(
    process.execPath,
    [...execArgv, fileURLToPath(new URL(script, import.meta.url)), ...args],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let text = "";
  child.stdout.on("data", (chunk: Buffer) => {
    text += chunk.toString();
  });
  const [code] = await once(child, "close");
  if (code !== 0) throw new Error(`${script} ended with ${code}`);
  return text;
}

export const benchCredentials = {
  projectId: "0123456789abcdef0123456789abcdef",
  accessKey: "AKCARILLONBENCH00001",
  secretKey: "SKCarillonBench0000000000000000000000001",
} as const;

export const authorization = `Basic ${Buffer.from(
  `${benchCredentials.accessKey}:${benchCredentials.secretKey}`,
).toString("base64")}`;

export interface CarillonChild extends Child {
  /** Milliseconds from spawn to the ready line. */
  readonly startedInMs: number;
}

/** Starts the built `carillon serve`, as an operator would. */
export async function startCarillon(
  data: string,
  args: readonly string[] = [],
): Promise<CarillonChild> {
  const begun = performance.now();
  const child = spawn(
    fileURLToPath(new URL("../packages/cli/bin/carillon.js", import.meta.url)),
    ["serve", "--port", "0", "--data", data, ...args],
    {
      stdio: ["ignore", "pipe", "inherit"],
      env: {
        ...process.env,
        CARILLON_PROJECT_ID: benchCredentials.projectId,
        CARILLON_ACCESS_KEY: benchCredentials.accessKey,
        CARILLON_SECRET_KEY: benchCredentials.secretKey,
        CARILLON_ADMIN_PASSWORD: "bench",
        CARILLON_ALLOW_TARGETS: "127.0.0.0/8",
      },
    },
  );
  for await (const line of createInterface({ input: child.stdout })) {
    const { event, url } = JSON.parse(line) as { event: string; url: string };
    if (event !== "ready") continue;
    child.stdout.resume();
    const startedInMs = performance.now() - begun;
    return { ...ofProcess(child, Number(new URL(url).port)), startedInMs };
  }
  throw new Error("carillon serve ended before it was ready");
}

function ofProcess(child: ChildProcess, port: number): Child {
  return {
    port,
    pid: child.pid ?? 0,
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null) return;
      const gone = once(child, "exit");
      child.kill("SIGTERM");
      await gone;
    },
  };
}
