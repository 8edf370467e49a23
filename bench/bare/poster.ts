/** POSTs with undici, at most so many at once. */

import { Agent } from "undici";

export interface Post {
  readonly origin: string;
  readonly path: string;
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** As many attempts as Carillon has under way at once. */
export const concurrency = 128;

const agent = new Agent({ connections: concurrency });

/** @throws Error when the answer is not 200 */
export async function post(request: Post): Promise<void> {
  const { statusCode, body } = await agent.request({
    method: "POST",
    origin: request.origin,
    path: request.path,
    headers: [...request.headers],
    body: request.body,
  });
  await body.dump();
  if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
}

/** Runs what it is given in order, {@link concurrency} at a time. */
export class Lane {
  readonly #waiting: (() => Promise<void>)[] = [];
  #running = 0;

  run(task: () => Promise<void>): void {
    if (this.#running === concurrency) {
      this.#waiting.push(task);
      return;
    }
    this.#running++;
    void this.#work(task);
  }

  async #work(first: () => Promise<void>): Promise<void> {
    let task: (() => Promise<void>) | undefined = first;
    while (task !== undefined) {
      await task();
      task = this.#waiting.shift();
    }
    this.#running--;
  }
}
