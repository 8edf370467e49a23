import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, glob, mkdtemp, readFile, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { text } from "node:stream/consumers";
import { type TestContext, test } from "node:test";
import { fileURLToPath } from "node:url";
import {
  deliveryStates,
  isSettled,
} from "../packages/core/src/messages/delivery-state.ts";
import { loadConfig } from "../packages/server/src/config.ts";
import { renderReference } from "../scripts/write-reference.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { followCommands, mark, runBash } from "./harness/page.ts";

const root = fileURLToPath(new URL("..", import.meta.url));

test("reference pages are what the code says", async () => {
  for (const [path, content] of await renderReference()) {
    assert.equal(
      await readFile(join(root, path), "utf8"),
      content,
      `${path} is not up to date: run node --conditions=source scripts/write-reference.ts`,
    );
  }
});

test("the example file is a configuration, and says the defaults", () => {
  const file = join(root, "docs/reference/carillon.example.jsonc");
  const { data: _, ...fromFile } = loadConfig({ file });
  const { data: __, ...defaults } = loadConfig();
  assert.deepEqual(fromFile, defaults);
});

test("links between pages lead somewhere", async () => {
  for await (const page of glob(["*.md", "deploy/*.md", "docs/**/*.md"], {
    cwd: root,
  })) {
    const content = await readFile(join(root, page), "utf8");
    for (const [, target = ""] of content.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)) {
      if (/^[a-z]+:/.test(target)) continue;
      await assert.doesNotReject(
        access(join(root, dirname(page), target)),
        `${page} links to ${target}`,
      );
    }
  }
});

test("each promise of the engine names tests that are there", async () => {
  const page = await readFile(join(root, "docs/internals/delivery.md"), "utf8");
  const promises = [...page.matchAll(/^\| \*\*.*$/gm)].map(([row]) => row);
  assert.ok(promises.length >= 8);
  for (const row of promises) {
    const tests = [...row.matchAll(/`([\w/.-]+\.ts)`: "([^"]+)"/g)];
    assert.ok(tests.length > 0, `no test is named: ${row}`);
    for (const [, file = "", title = ""] of tests) {
      const source = await readFile(join(root, file), "utf8");
      assert.ok(source.includes(title), `${file} has no test "${title}"`);
    }
  }
});

/** Followed with servers of their own, by these tests. */
const pagesApart: Readonly<Record<string, string>> = {
  "docs/guides/operate.md": "test/docs.test.ts",
  "docs/guides/write-a-backend.md": "test/write-a-backend.test.ts",
  "docs/guides/write-a-channel.md": "test/write-a-channel.test.ts",
  "docs/guides/write-a-provider.md": "test/write-a-provider.test.ts",
};

test("the README and its pages do what they say, in their order on one server", {
  timeout: 600_000,
}, async (t) => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [, readOn = ""] = readme.split("\n## Read on\n");
  const linked = [...readOn.matchAll(/\]\((docs\/[^)#]+\.md)[^)]*\)/g)].map(
    ([, path = ""]) => path,
  );
  const all = await Array.fromAsync(glob("docs/**/*.md", { cwd: root }));
  const withCommands = new Set<string>();
  for (const path of all) {
    const page = await readFile(join(root, path), "utf8");
    if (/^```bash$/m.test(page)) withCommands.add(path);
  }
  for (const path of withCommands) {
    assert.ok(linked.includes(path), `the README does not lead to ${path}`);
  }
  await using reader = await startReader([
    "--sandbox",
    // Of the guide on inbound SMS.
    "--sms-inbound=*=inbox",
    "--sms-inbound=*/JOIN=members",
  ]);
  await t.test("README.md", (t) => followReadme(t, readme, reader));
  for (const path of new Set(linked)) {
    if (!withCommands.has(path) || path in pagesApart) continue;
    await t.test(path, { timeout: 90_000 }, (t) => followPage(t, path, reader));
  }
});

test("pages with servers of their own have tests that follow them", async () => {
  for (const [page, file] of Object.entries(pagesApart)) {
    const source = await readFile(join(root, file), "utf8");
    assert.match(source, new RegExp(`follow\\w+\\(t, "${page}"`));
  }
});

test("the guide on operating does what it says", {
  timeout: 120_000,
}, async (t) => {
  await using reader = await startReader([]);
  await followPage(t, "docs/guides/operate.md", reader);
});

test("the rules for alarms use metrics and states that there are", async (t) => {
  const rules = await readFile(
    join(root, "deploy/prometheus-rules.yaml"),
    "utf8",
  );
  const folder = await mkdtemp(join(tmpdir(), "carillon-docs-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using server = await CarillonProcess.start({ data: folder });
  const metrics = await (await fetch(`${server.url}/metrics`)).text();
  const used = new Set(rules.match(/\bcarillon_\w+/g));
  assert.ok(used.size >= 4);
  for (const name of used) {
    assert.match(metrics, new RegExp(`^# TYPE ${name} `, "m"), name);
  }
  const known: readonly string[] = deliveryStates.filter(isSettled);
  const counted = [...rules.matchAll(/carillon_delivery_outcomes_total(.*)/g)];
  assert.ok(counted.length >= 2);
  for (const [line, selector = ""] of counted) {
    // A failure that is tried again is no outcome to compare with.
    const [, states] = /^\{state=~"([^"]+)"\}/.exec(selector) ?? [];
    assert.ok(states !== undefined, line);
    for (const state of states.split("|")) {
      assert.ok(known.includes(state), state);
    }
  }
});

/** Somebody who follows pages, with a folder and a server. */
interface Reader extends AsyncDisposable {
  readonly folder: string;
  readonly url: string;
}

async function startReader(args: readonly string[]): Promise<Reader> {
  await using opened = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "carillon-docs-"));
  opened.defer(() => rm(folder, { recursive: true, force: true }));
  // As for a reader who has installed the packages.
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  const data = join(folder, "carillon-data");
  const { url } = opened.use(await CarillonProcess.start({ data, args }));
  const owned = opened.move();
  return {
    folder,
    url,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

/**
 * Runs a page's commands, and compares what they print. A plain server is there
 * too if the page starts one, at the address and with the folder that it says.
 */
async function followPage(
  t: TestContext,
  path: string,
  { folder, url }: Reader,
): Promise<void> {
  let page = await readFile(join(root, path), "utf8");
  page = page.replaceAll("http://127.0.0.1:7070", url);
  await using servers = new AsyncDisposableStack();
  const plain = /^npm start -- --port (\d+) --data (\S+)$/m.exec(page);
  if (plain) {
    const data = join(folder, plain[2] ?? "");
    const { url } = servers.use(await CarillonProcess.start({ data }));
    page = page.replaceAll(`http://127.0.0.1:${plain[1]}`, url);
  }
  await followCommands(t, page, { folder });
}

async function followReadme(
  t: TestContext,
  readme: string,
  { folder }: Reader,
): Promise<void> {
  const [, use = ""] = /^## Use it$([\s\S]*?)^## /m.exec(readme) ?? [];
  const lines = [...use.matchAll(/^\$ (npx carillon .*)$/gm)].map(
    ([, line = ""]) => line,
  );
  assert.ok(lines.length >= 3, "the README has lost its lines");
  const script = lines.map((line) => `${line}\necho "${mark}"\n`).join("");
  const { code, stdout, stderr } = await runBash(t, script, { folder });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const outputs = stdout.split(`${mark}\n`);
  const [delivery] = jsonLines(outputs.at(-3));
  assert.equal(delivery?.state, "delivered");
  assert.equal(delivery?.endpoint, "me@example.com");
  const [mail] = jsonLines(outputs.at(-2));
  assert.match(String(mail?.text), /^The disk is full\n/);
}

function jsonLines(text = ""): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("the demo delivers, and shows what the README shows", {
  timeout: 120_000,
}, async (t) => {
  const child = spawn(
    process.execPath,
    ["--conditions=source", "scripts/demo.ts", "--exit"],
    { cwd: root, stdio: ["ignore", "pipe", "pipe"] },
  );
  t.after(() => child.kill());
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, "close"),
  ]);
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [, shown = ""] = /^```text\n([\s\S]*?)^```$/m.exec(readme) ?? [];
  const shape = (output: string) =>
    output.replace(/\d+/g, "0").replace(/ +/g, " ").trim();
  assert.equal(shape(stdout), shape(shown));
});
