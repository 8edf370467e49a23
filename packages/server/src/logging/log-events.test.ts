/** The table of events against the lines that the sources write. */

import assert from "node:assert/strict";
import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { logEvents } from "./log-events.ts";

const packages = fileURLToPath(new URL("../../..", import.meta.url));

/** Written by hand, without a logger: a line about lines that were lost. */
const withoutLogger = [["log_dropped", "warn"]] as const;

async function writtenEvents(): Promise<ReadonlyMap<string, Set<string>>> {
  const found = new Map<string, Set<string>>();
  const add = (name: string, level: string) =>
    found.set(name, (found.get(name) ?? new Set()).add(level));
  for (const [name, level] of withoutLogger) add(name, level);
  // The gateway stands alone: its loggers take sentences.
  const files = glob(
    "{core,channels,cli,dispatch,server,storage}/src/**/*.ts",
    {
      cwd: packages,
      exclude: ["**/*.test.ts"],
    },
  );
  for await (const file of files) {
    const source = await readFile(join(packages, file), "utf8");
    const calls = source.matchAll(
      /\b(?:logger|log)(?:\(\))?\s*\??\.(debug|info|warn|error)\(\s*(\S+)/g,
    );
    for (const [, level = "", argument = ""] of calls) {
      const [, name] = /^"([a-z_]+)"/.exec(argument) ?? [];
      assert.ok(name, `${file}: ${level}(${argument}: no name of an event`);
      add(name, level);
    }
  }
  return found;
}

test("each event that is written stands in the table with its levels, and no other does", async () => {
  const written = [...(await writtenEvents())]
    .map(([name, levels]) => `${name}: ${[...levels].sort()}`)
    .sort();
  const listed = Object.entries(logEvents)
    .map(([name, { levels }]) => `${name}: ${[...levels].sort()}`)
    .sort();
  assert.deepEqual(written, listed);
});
