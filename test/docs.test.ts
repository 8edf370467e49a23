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

test("the tutorial does what it says", { timeout: 120_000 }, (t) =>
  followPage(t, "docs/tutorial/first-message.md", ["--sandbox"]),
);

test("each state is reached as its page says", { timeout: 180_000 }, (t) =>
  followPage(t, "docs/tutorial/outcomes.md", ["--sandbox"], {
    address: "http://127.0.0.1:7071",
    folder: "plain-data",
  }),
);

test("the guide on SDKs does what it says", { timeout: 120_000 }, (t) =>
  followPage(t, "docs/guides/use-your-sdk.md", ["--sandbox"]),
);

test("the guide on publishing does what it says", { timeout: 120_000 }, (t) =>
  followPage(t, "docs/guides/publish.md", ["--sandbox"]),
);

test(
  "the guide on what became of a message does what it says",
  {
    timeout: 120_000,
  },
  (t) =>
    followPage(t, "docs/guides/what-became-of-a-message.md", ["--sandbox"]),
);

test(
  "the guide on sending again and settling does what it says",
  { timeout: 180_000 },
  (t) => followPage(t, "docs/guides/settle-and-resend.md", ["--sandbox"]),
);

test("the README's lines deliver, and show what arrived", {
  timeout: 120_000,
}, async (t) => {
  const readme = await readFile(join(root, "README.md"), "utf8");
  const [, use = ""] = /^## Use it$([\s\S]*?)^## /m.exec(readme) ?? [];
  const lines = [...use.matchAll(/^\$ (npx carillon .*)$/gm)].map(
    ([, line = ""]) => line,
  );
  assert.ok(lines.length >= 3, "the README has lost its lines");
  const folder = await mkdtemp(join(tmpdir(), "carillon-readme-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using _ = await CarillonProcess.start({
    data: join(folder, "carillon-data"),
    args: ["--sandbox"],
  });
  const script = lines.map((line) => `${line}\necho "${mark}"\n`).join("");
  const { code, stdout, stderr } = await runBash(t, script, { folder });
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  const outputs = stdout.split(`${mark}\n`);
  const [delivery] = jsonLines(outputs.at(-3));
  assert.equal(delivery?.state, "delivered");
  assert.equal(delivery?.endpoint, "me@example.com");
  const [mail] = jsonLines(outputs.at(-2));
  assert.match(String(mail?.text), /^The disk is full\n/);
});

function jsonLines(text = ""): Record<string, unknown>[] {
  return text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

test("the guide on inbound SMS does what it says", { timeout: 120_000 }, (t) =>
  followPage(t, "docs/guides/inbound-sms.md", [
    "--sandbox",
    "--sms-inbound=*=inbox",
    "--sms-inbound=*/JOIN=members",
  ]),
);

test("the guide on operating does what it says", { timeout: 120_000 }, (t) =>
  followPage(t, "docs/guides/operate.md", []),
);

test("the guide on events does what it says", { timeout: 120_000 }, (t) =>
  followPage(t, "docs/guides/events.md", ["--sandbox"]),
);

test("the guide on verifying does what it says", { timeout: 180_000 }, (t) =>
  followPage(t, "docs/guides/verify-webhooks.md", ["--sandbox"]),
);

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

/**
 * Runs a page's commands against a server, and compares what they print. A
 * plain server is there too if the page has one, at the address and with the
 * data folder that it names.
 */
async function followPage(
  t: TestContext,
  path: string,
  serverArgs: readonly string[],
  plain?: { readonly address: string; readonly folder: string },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "carillon-docs-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  // As for a reader who has installed the packages.
  await symlink(join(root, "node_modules"), join(folder, "node_modules"));
  await using server = await CarillonProcess.start({
    data: join(folder, "carillon-data"),
    args: serverArgs,
  });
  let page = await readFile(join(root, path), "utf8");
  page = page.replaceAll("http://127.0.0.1:7070", server.url);
  await using servers = new AsyncDisposableStack();
  if (plain) {
    const data = join(folder, plain.folder);
    const { url } = servers.use(await CarillonProcess.start({ data }));
    page = page.replaceAll(plain.address, url);
  }
  await followCommands(t, page, { folder });
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
