/**
 * A script of this folder in a process of its own, called like an object.
 * Receivers and load run so: what they do must not slow down the server under
 * test, nor be slowed down by it.
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** Functions by name; arguments and answers are structured-cloned. */
type Api<A> = { [K in keyof A]: (...args: never[]) => unknown };

interface Call {
  readonly id: number;
  readonly name: string;
  readonly args: readonly unknown[];
}

type Reply = { readonly id: number } & (
  | { readonly value: unknown }
  | { readonly error: string }
);

export class ChildScript<A extends Api<A>> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #open = new Map<number, PromiseWithResolvers<unknown>>();
  #calls = 0;

  /** @param script the `import.meta.url` of a file that calls `serveParent` */
  constructor(script: string) {
    this.#child = fork(fileURLToPath(script), [], {
      execArgv: [
        "--conditions=source",
        "--disable-warning=ExperimentalWarning",
      ],
      serialization: "advanced",
      stdio: ["ignore", "inherit", "inherit", "ipc"],
    });
    this.#child.on("message", (reply: Reply) => this.#settle(reply));
    this.#child.on("exit", (code, signal) => {
      for (const { reject } of this.#open.values()) {
        reject(new Error(`${script} ended (${code ?? signal})`));
      }
      this.#open.clear();
    });
  }

  /** Rejects when the function throws, or the process ends before it answers. */
  call<K extends keyof A & string>(
    name: K,
    ...args: Parameters<A[K]>
  ): Promise<Awaited<ReturnType<A[K]>>> {
    const id = ++this.#calls;
    const answer = Promise.withResolvers<unknown>();
    this.#open.set(id, answer);
    this.#child.send({ id, name, args } satisfies Call, (error) => {
      if (error) this.#settle({ id, error: String(error) });
    });
    // The other end has the same type: serveParent demands all of its functions.
    return answer.promise as Promise<Awaited<ReturnType<A[K]>>>;
  }

  #settle(reply: Reply): void {
    const answer = this.#open.get(reply.id);
    this.#open.delete(reply.id);
    if ("error" in reply) answer?.reject(new Error(reply.error));
    else answer?.resolve(reply.value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null)
      return;
    const gone = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await gone;
  }
}

/** The child's end: answers the parent's calls, and ends with the parent. */
export function serveParent<A extends Api<A>>(api: A): void {
  const functions = new Map(
    Object.entries(api).map(([name, run]) => [
      name,
      // The parent's calls were checked against the same type.
      run as (...args: unknown[]) => unknown,
    ]),
  );
  process.on("message", async ({ id, name, args }: Call) => {
    let reply: Reply;
    try {
      const run = functions.get(name);
      if (!run) throw new Error(`there is no ${name}`);
      reply = { id, value: await run(...args) };
    } catch (error) {
      reply = {
        id,
        error: error instanceof Error ? (error.stack ?? "") : String(error),
      };
    }
    process.send?.(reply);
  });
  process.on("disconnect", () => process.exit());
}
