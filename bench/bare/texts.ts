/**
 * The carrier's rival: as many texts as fast as undici hands them over on so
 * many connections, nothing kept. Answers {@link TextsQuestion} with the
 * seconds it took.
 */

import { Agent } from "undici";
import { serveQuestions } from "../program.ts";

export interface TextsQuestion {
  /** The carrier's. */
  readonly port: number;
  readonly texts: number;
  readonly connections: number;
}

serveQuestions(0, async ({ port, texts, connections }: TextsQuestion) => {
  const begun = performance.now();
  await using agent = new AgentUntilClosed(connections);
  let next = 0;
  const lane = async () => {
    while (next < texts) await agent.post(port, next++);
  };
  await Promise.all(Array.from({ length: connections }, lane));
  return { seconds: (performance.now() - begun) / 1000 };
});

class AgentUntilClosed implements AsyncDisposable {
  readonly #agent: Agent;

  constructor(connections: number) {
    this.#agent = new Agent({ connections });
  }

  async post(port: number, n: number): Promise<void> {
    const { statusCode, body } = await this.#agent.request({
      method: "POST",
      origin: `http://127.0.0.1:${port}`,
      path: "/texts",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({
        to: `4915${n}`,
        text: "Volume data-1 is 93 % full",
      }),
    });
    await body.json();
    if (statusCode !== 200) throw new Error(`answered ${statusCode}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#agent.close();
  }
}
