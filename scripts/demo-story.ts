/** Tells what the demo does: with a spinner on a terminal, else line by line. */

import { intro, log, outro, spinner } from "@clack/prompts";

export interface Story {
  begin(title: string): void;
  /** Runs a step; `done` says in the past tense what it did. */
  step<Value>(done: string, run: () => Promise<Value>): Promise<Value>;
  end(): void;
  /** Ends a step that threw. */
  fail(): void;
}

export function createStory(): Story {
  // Some terminals (of CI systems) do not say how wide they are.
  const { isTTY, columns } = process.stdout;
  return isTTY && columns >= 40 ? onTerminal() : inLines();
}

function onTerminal(): Story {
  let current: ReturnType<typeof spinner> | undefined;
  return {
    begin: (title) => intro(title),
    async step(done, run) {
      current = spinner();
      current.start(`${done} …`);
      const begun = performance.now();
      const value = await run();
      current.stop(`${done} (${since(begun)})`);
      current = undefined;
      return value;
    },
    end: () => outro("One message, four receivers:"),
    fail() {
      current?.error("That did not work.");
      if (!current) log.error("That did not work.");
    },
  };
}

function inLines(): Story {
  return {
    begin: (title) => console.log(title),
    async step(done, run) {
      const begun = performance.now();
      const value = await run();
      console.log(`- ${done} (${since(begun)})`);
      return value;
    },
    end() {},
    fail() {},
  };
}

function since(begun: number): string {
  return `${Math.round(performance.now() - begun)} ms`;
}
