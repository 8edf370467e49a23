/**
 * The packages as strangers get them: packed, installed by npm into empty
 * folders outside the repository, and used there.
 */

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, describe, test } from "node:test";
import { connect } from "@carillon/client";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { findFreePort } from "./harness/free-port.ts";
import {
  npmEnvironment,
  type PackedPackage,
  packPackages,
  root,
  run,
} from "./harness/npm.ts";
import { PackageRegistry } from "./harness/package-registry.ts";
import { SandboxReader } from "./harness/sandbox-reader.ts";
import {
  createFolder,
  type TemporaryFolder,
} from "./harness/temporary-folder.ts";

const folders = [
  "channels",
  "cli",
  "client",
  "core",
  "dispatch",
  "gateway",
  "server",
  "storage",
  "testing",
] as const;

interface Manifest {
  readonly name: string;
  readonly engines: { readonly node: string };
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
}

/** Beside the pinned one; optional, as npm has not every version for each platform. */
const oldestRuntime = join(root, "test/node-20/node_modules/node/bin/node");

/** What a build of before left, whose source has been deleted since. */
const staleOutput = join(root, "packages/dispatch/dist/gone");

let temporary: TemporaryFolder;
let packed: readonly PackedPackage[];
let registry: PackageRegistry;

before(async () => {
  temporary = await createFolder();
  await mkdir(staleOutput, { recursive: true });
  await writeFile(join(staleOutput, "gone.d.ts"), "");
  await writeFile(join(staleOutput, "gone.js"), "");
  packed = await packPackages(folders, temporary.path);
  registry = await PackageRegistry.start(packed);
});

after(async () => {
  await registry?.[Symbol.asyncDispose]();
  await temporary?.[Symbol.asyncDispose]();
  await rm(staleOutput, { recursive: true, force: true });
});

/** Whether a path is the one that is named; a star stands for a file's name. */
function isNamed(path: string, named: string): boolean {
  const [before = "", after] = named.split("*");
  if (after === undefined) return path === named;
  return path.startsWith(before) && path.endsWith(after);
}

test("every package is packed", async () => {
  const all = await readdir(join(root, "packages"));
  assert.deepEqual(all.sort(), [...folders]);
  assert.equal(packed.length, folders.length);
});

for (const folder of folders) {
  describe(`the package of ${folder}`, () => {
    test("has what its manifest names, and nothing of tests", async () => {
      const manifest = await readManifest(folder);
      const { files } = packedAs(manifest.name);
      const named = [
        ...pathsIn(manifest.exports),
        ...Object.values(manifest.bin ?? {}),
      ].map((path) => path.replace(/^\.\//, ""));
      const needed = ["LICENSE", "README.md", "package.json", ...named];
      assert.deepEqual(
        needed.filter((path) => !files.some((it) => isNamed(it, path))),
        [],
      );
      const code = files.filter((path) => /^dist\/.*\.js$/.test(path));
      // What several entries share has no types of its own.
      const entries = code.filter((path) => !path.startsWith("dist/shared/"));
      assert.ok(entries.length > 0);
      for (const path of entries) {
        const types = path.replace(/\.js$/, ".d.ts");
        assert.ok(files.includes(types), `types of ${path}`);
      }
      for (const path of files.filter((path) => path.endsWith(".d.ts"))) {
        // Nothing of a source that is gone.
        const source = path.replace(/^dist(.*)\.d\.ts$/, "src$1.ts");
        assert.ok(files.includes(source), `source of ${path}`);
      }
      assert.deepEqual(
        files.filter((path) =>
          /\.(test|fixture)\.|(^|\/)(test|testing|test-\w+)\/|tsbuildinfo/.test(
            path,
          ),
        ),
        [],
      );
    });

    test("has no fault that publint finds", async () => {
      const { name, path } = packedAs((await readManifest(folder)).name);
      const { buffer } = Uint8Array.from(await readFile(path));
      const { messages, pkg } = await publint({ pack: { tarball: buffer } });
      assert.ok(pkg);
      assert.equal(pkg.name, name);
      assert.deepEqual(
        messages.map((message) => formatMessage(message, pkg)),
        [],
      );
    });
  });
}

describe("in an empty folder", () => {
  let project: string;
  let env: NodeJS.ProcessEnv;
  let server: ChildProcess | undefined;
  let url: string;
  let credentials: Credentials;

  before(async () => {
    project = join(temporary.path, "server");
    await mkdir(project);
    env = npmEnvironment(temporary.path, registry.url);
    await run("npm", ["install", "carillon"], { cwd: project, env });
    server = spawn("npx", ["carillon", "serve", "--sandbox", "--port", "0"], {
      cwd: project,
      env,
      // A group of its own, which gets signals as one, as from a terminal.
      detached: true,
      stdio: ["ignore", "pipe", "inherit"],
    });
    url = await readyUrl(server);
    credentials = JSON.parse(
      await readFile(join(project, "carillon-data/credentials.json"), "utf8"),
    );
  });

  after(() => {
    if (server) signal(server, "SIGKILL");
  });

  test("the command line runs a server and publishes through it", async () => {
    const carillon = (...words: string[]) =>
      run("npx", ["carillon", ...words], { cwd: project, env });
    await carillon("topic", "create", "alerts");

    const { smn } = connect(connection());
    const sandbox = new SandboxReader({ url, authorization: authorization() });
    const topic = await smn.findTopic("alerts");
    await smn.createSubscription(topic, {
      protocol: "email",
      endpoint: "ada@example.org",
    });
    const invitation = await sandbox.mail(({ subject }) =>
      /^Confirm/.test(subject),
    );
    await sandbox.press(sandbox.linkIn(invitation.text, "c"));

    await carillon("publish", "alerts", "The disk is full");
    await sandbox.mail(({ text }) => text.includes("The disk is full"));
  });

  test("the client alone runs on the oldest Node.js that it promises", {
    skip:
      !existsSync(oldestRuntime) &&
      "npm had no Node.js of test/node-20 for this machine",
  }, async () => {
    const alone = join(temporary.path, "client");
    await mkdir(alone);
    await run("npm", ["install", "@carillon/client"], { cwd: alone, env });
    await writeFile(join(alone, "main.mjs"), oldRuntimeProgram);
    const { accessKey, secretKey, projectId } = connection();
    const output = await run(
      oldestRuntime,
      [
        "main.mjs",
        url,
        accessKey,
        secretKey,
        projectId,
        `http://127.0.0.1:${await findFreePort()}`,
      ],
      { cwd: alone, env },
    );
    const { engines } = await readManifest("client");
    const [version, ...rest] = output.trim().split("\n");
    assert.equal(version, `v${engines.node.replace(">=", "")}.0.0`);
    assert.deepEqual(rest, ["from-an-old-node", "CONNECTION_FAILED", "Enough"]);
  });

  test("the programs of the READMEs print what they say", async () => {
    await run("npm", ["install", "@carillon/testing"], { cwd: project, env });
    for (const folder of folders) {
      if (folder === "cli") continue;
      const readme = await readFile(
        join(root, `packages/${folder}/README.md`),
        "utf8",
      );
      const [, program = "", expected = ""] =
        /^```ts\n([\s\S]*?)^```\n\n```text\n([\s\S]*?)^```/m.exec(readme) ?? [];
      assert.ok(program, `${folder} shows no program with its output`);
      // A folder for each, as they keep their data in the working directory.
      const cwd = join(project, folder);
      await mkdir(cwd);
      await writeFile(
        join(cwd, "main.mts"),
        folder === "client" ? withCredentials(program) : program,
      );
      const output = await run(process.execPath, ["main.mts"], { cwd, env });
      assert.equal(output, expected, folder);
    }
  });

  test("the server stops when its terminal says so", async () => {
    assert.ok(server);
    const ended = once(server, "exit");
    signal(server, "SIGINT");
    await ended;
    await assert.rejects(fetch(`${url}/healthz`));
  });

  function connection() {
    const { accessKey, secretKey, project } = credentials;
    return { endpoint: url, accessKey, secretKey, projectId: project.id };
  }

  function authorization(): string {
    const { accessKey, secretKey } = credentials;
    return `Basic ${Buffer.from(`${accessKey}:${secretKey}`).toString("base64")}`;
  }

  /** The README's program, for the server that runs. */
  function withCredentials(program: string): string {
    return Object.entries(connection())
      .reduce(
        (text, [name, value]) =>
          text.replace(new RegExp(`${name}: ".*"`), `${name}: "${value}"`),
        program,
      )
      .replaceAll("alerts", "from-the-readme");
  }
});

interface Credentials {
  readonly accessKey: string;
  readonly secretKey: string;
  readonly project: { readonly id: string };
}

/** Arguments: the server, two keys and a project of it, and one that refuses. */
const oldRuntimeProgram = `
import { connect } from "@carillon/client";

const [endpoint, accessKey, secretKey, projectId, refusing] = process.argv.slice(2);
console.log(process.version);
const { smn } = connect({ endpoint, accessKey, secretKey, projectId });
const topic = await smn.createTopic({ name: "from-an-old-node" });
console.log((await smn.getTopic(topic)).name);
const lost = connect({
  endpoint: refusing, accessKey, secretKey, projectId,
  retry: { maxRetries: 2, baseDelayMs: 10 },
});
await lost.smn.getTopic(topic).catch((error) => console.log(error.code));
const patient = connect({
  endpoint: refusing, accessKey, secretKey, projectId,
  retry: { maxRetries: 2, baseDelayMs: 60000, maxDelayMs: 60000 },
});
const enough = new AbortController();
setTimeout(() => enough.abort(new Error("Enough")), 200);
await patient.smn.getTopic(topic, { signal: enough.signal }).catch(({ message }) => console.log(message));
`;

async function readyUrl({ stdout }: ChildProcess): Promise<string> {
  assert.ok(stdout);
  for await (const line of createInterface({ input: stdout })) {
    stdout.resume();
    return JSON.parse(line).url;
  }
  throw new Error("carillon serve ended before it was ready");
}

/** To the process and all that it started. */
function signal({ pid }: ChildProcess, name: NodeJS.Signals): void {
  assert.ok(pid);
  try {
    process.kill(-pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function readManifest(folder: string): Promise<Manifest> {
  const path = join(root, "packages", folder, "package.json");
  return JSON.parse(await readFile(path, "utf8"));
}

function packedAs(name: string): PackedPackage {
  const found = packed.find((one) => one.name === name);
  assert.ok(found, `${name} was not packed`);
  return found;
}

/** All texts in `exports`, whatever their conditions. */
function pathsIn(exports: unknown): string[] {
  return typeof exports === "string"
    ? [exports]
    : Object.values(exports ?? {}).flatMap(pathsIn);
}
