/** Runs the commands of a page of documentation, as its reader does. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { delimiter, dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Where a page's commands are run. */
export interface PageOptions {
  /** The reader's folder. */
  readonly folder: string;
  /** The clone whose program they run. Default: this one. */
  readonly root?: string;
}

/**
 * Runs the bash blocks of a page, or of a part of it, in one shell. What one
 * prints is compared with the block behind it if that is one of text.
 */
export async function followCommands(
  t: TestContext,
  page: string,
  options: PageOptions,
): Promise<void> {
  const { script, expected } = toScript(page);
  const { code, stdout, stderr } = await runBash(t, script, options);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const outputs = stdout.split(`${mark}\n`);
  assert.equal(expected.length, outputs.length);
  for (const [at, output] of expected.entries()) {
    if (output === undefined) continue;
    assert.equal(masked(outputs[at] ?? ""), masked(output));
  }
}

/** Runs a script in which `npx carillon` is this program. */
export async function runBash(
  t: TestContext,
  script: string,
  { folder, root = repository }: PageOptions,
): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const child = spawn(
    "bash",
    ["-euo", "pipefail", "-c", prelude(root) + script],
    {
      cwd: folder,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        // Programs of a page import the sources, too.
        NODE_OPTIONS:
          "--conditions=source --disable-warning=ExperimentalWarning",
        // A runner started by another one would report to that one.
        NODE_TEST_CONTEXT: undefined,
        PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`,
      },
    },
  );
  t.after(() => child.kill());
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  return { code: code as number | null, stdout, stderr };
}

/** Between the output of one block and that of the next. */
export const mark = "=== end of a snippet ===";

/**
 * Runs the sources, so that a test needs no build, and ends with the script
 * what it left running.
 */
function prelude(root: string): string {
  return `npx() {
  shift
  node --conditions=source "${join(root, "packages/cli/src/main.ts")}" "$@"
}
trap 'kill $(jobs -p) 2> /dev/null || true' EXIT
`;
}

function toScript(page: string): {
  script: string;
  expected: (string | undefined)[];
} {
  const blocks = [...page.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)];
  const script: string[] = [];
  const expected: (string | undefined)[] = [];
  for (const [at, [, language, content = ""]] of blocks.entries()) {
    if (language !== "bash") continue;
    script.push(content);
    const next = blocks[at + 1];
    expected.push(next?.[1] === "text" ? next[2] : undefined);
  }
  assert.ok(script.length > 0, "the page has lost its snippets");
  return { script: script.join(`echo "${mark}"\n`), expected };
}

/** Ids differ from run to run. */
function masked(output: string): string {
  return output.replace(/[0-9a-f]{32}/g, "…").trim();
}
