/** A real `carillon serve` process, to be used, killed and started again. */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync } from "node:fs";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

export interface CarillonProcessOptions {
  readonly data: string;
  /** The clone whose program it is. Default: this one. */
  readonly root?: string;
  /** 0 picks a free one. */
  readonly port?: number;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** The largest file it may write, in KB: a disk that fills up. */
  readonly fileLimitKb?: number;
  /** A file that its log is appended to, in place of being kept here. */
  readonly logFile?: string;
}

/** Credentials that every started process is preset with. */
export const credentials = {
  projectId: "0123456789abcdef0123456789abcdef",
  projectName: "default",
  accessKey: "AKCARILLONTEST000001",
  secretKey: "SKCarillonTest00000000000000000000000001",
  adminPassword: "test-admin-password",
  region: "local",
} as const;

/** A busy machine takes a quarter of this. */
const readyWithinMs = 60_000;

export const basicAuthorization = `Basic ${Buffer.from(
  `${credentials.accessKey}:${credentials.secretKey}`,
).toString("base64")}`;

export class CarillonProcess implements AsyncDisposable {
  readonly url: string;
  readonly child: ChildProcess;
  /** Milliseconds from spawn to the ready line. */
  readonly startedInMs: number;
  readonly #stderr: string[];

  private constructor(
    url: string,
    child: ChildProcess,
    startedInMs: number,
    stderr: string[],
  ) {
    this.url = url;
    this.child = child;
    this.startedInMs = startedInMs;
    this.#stderr = stderr;
  }

  /**
   * Resolves when the process says that it is ready.
   *
   * @throws Error with its log when it ends before, or does not get there
   */
  static async start(
    options: CarillonProcessOptions,
  ): Promise<CarillonProcess> {
    const begun = performance.now();
    const limit =
      options.fileLimitKb === undefined
        ? ""
        : `ulimit -f ${options.fileLimitKb}; `;
    const log =
      options.logFile === undefined ? "pipe" : openSync(options.logFile, "a");
    const child = spawn(
      "bash",
      [
        "-c",
        `${limit}exec "$0" "$@"`,
        process.execPath,
        "--conditions=source",
        "--disable-warning=ExperimentalWarning",
        "packages/cli/src/main.ts",
        "serve",
        "--port",
        String(options.port ?? 0),
        "--data",
        options.data,
        ...(options.args ?? []),
      ],
      {
        cwd: options.root ?? repository,
        stdio: ["ignore", "pipe", log],
        env: {
          ...process.env,
          CARILLON_PROJECT_ID: credentials.projectId,
          CARILLON_PROJECT_NAME: credentials.projectName,
          CARILLON_ACCESS_KEY: credentials.accessKey,
          CARILLON_SECRET_KEY: credentials.secretKey,
          CARILLON_ADMIN_PASSWORD: credentials.adminPassword,
          CARILLON_ALLOW_TARGETS: "127.0.0.0/8",
          ...options.env,
        },
      },
    );
    if (typeof log === "number") closeSync(log);
    const stderr: string[] = [];
    if (child.stderr) keepLines(child.stderr, stderr);
    const ended = once(child, "exit").then(([code, signal]) => {
      throw new Error(
        `carillon serve ended (${code ?? signal}) before it was ready:\n${stderr.join("\n")}`,
      );
    });
    // Once it is ready its end is no failure any more.
    ended.catch(() => {});
    const slow = setTimeout(() => {
      stderr.push(`not ready within ${readyWithinMs} ms: killed`);
      child.kill("SIGKILL");
    }, readyWithinMs);
    const url = (await readyUrl(child)) ?? (await ended);
    clearTimeout(slow);
    return new CarillonProcess(url, child, performance.now() - begun, stderr);
  }

  get stderr(): string {
    return this.#stderr.join("\n");
  }

  /** `kill -9`; resolves when the process is gone. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Asks it to stop; answers its exit code. */
  async stop(): Promise<number | null> {
    await this.#end("SIGTERM");
    return this.child.exitCode;
  }

  signal(signal: NodeJS.Signals): void {
    this.child.kill(signal);
  }

  /** Nobody reads its log any more: the next line breaks the pipe. */
  closeLog(): void {
    this.child.stderr?.destroy();
  }

  get hasEnded(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.hasEnded) return;
    const gone = once(this.child, "exit");
    this.child.kill(signal);
    await gone;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}

/** The last 200. */
function keepLines(stream: Readable, lines: string[]): void {
  createInterface({ input: stream }).on("line", (line) => {
    lines.push(line);
    if (lines.length > 200) lines.shift();
  });
}

/** `undefined` when its output ended before. */
async function readyUrl(child: ChildProcess): Promise<string | undefined> {
  if (child.stdout === null) throw new Error("stdout is not piped");
  for await (const line of createInterface({ input: child.stdout })) {
    const event: unknown = parseJson(line);
    if (isReady(event)) {
      // Whatever comes later must not fill the pipe.
      child.stdout.resume();
      return event.url;
    }
  }
  return undefined;
}

function isReady(value: unknown): value is { event: "ready"; url: string } {
  return (
    typeof value === "object" &&
    value !== null &&
    "event" in value &&
    value.event === "ready" &&
    "url" in value &&
    typeof value.url === "string"
  );
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
