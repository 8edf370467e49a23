/** Programs of the folder `examples/`, to be run and read. */

import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const examples = fileURLToPath(
  new URL("../../../../examples/", import.meta.url),
);

/** A running program; its output comes line by line. */
export class Program implements AsyncDisposable {
  readonly #child;
  readonly #lines;
  readonly #errors: string[] = [];
  readonly #exit: Promise<unknown[]>;

  constructor(path: string, args: string[], env: Record<string, string>) {
    this.#child = spawn(
      process.execPath,
      ["--conditions=source", examples + path, ...args],
      {
        env: { ...process.env, ...env },
        stdio: ["ignore", "pipe", "pipe"],
      },
    );
    this.#lines = createInterface({ input: this.#child.stdout })[
      Symbol.asyncIterator
    ]();
    createInterface({ input: this.#child.stderr }).on("line", (line) =>
      this.#errors.push(line),
    );
    this.#exit = once(this.#child, "close");
  }

  async line(): Promise<string> {
    const { value } = await this.#lines.next();
    if (typeof value === "string") return value;
    throw new Error(`The program ended:\n${this.#errors.join("\n")}`);
  }

  async exit(): Promise<{ code: unknown; errors: string }> {
    const [code] = await this.#exit;
    return { code, errors: this.#errors.join("\n") };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill();
    await this.#exit;
  }
}
