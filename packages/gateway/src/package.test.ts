/** Installs the package where nothing else of ours is, and uses it there. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const packageFolder = fileURLToPath(new URL("..", import.meta.url));
const root = join(packageFolder, "..", "..");
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const exec = promisify(execFile);
const env = {
  ...process.env,
  // npm runs on the Node that runs the tests.
  PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`,
};

/** Fails with all that the command said. */
async function run(
  file: string,
  args: readonly string[],
  cwd: string,
): Promise<string> {
  try {
    return (await exec(file, [...args], { cwd, env })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} ${args.join(" ")}\n${stdout}\n${stderr}`, {
      cause: error,
    });
  }
}

const PROGRAM = `
import { Gateway, LoopbackProvider, OutgoingMessage } from "@carillon/gateway";
const gateway = new Gateway();
const loopback = gateway.addProvider("lo", new LoopbackProvider());
loopback.subscribe("1234", (message) => message.reply("pong"));
gateway.onReceive.add((message) => console.log(message.src, message.body));
const sent = await gateway.send(new OutgoingMessage("+1234", "ping"));
console.log(sent.provider, sent.msgid);
for (const name of ["node-http", "express", "fastify"]) {
  const adapter = await import("@carillon/gateway/" + name);
  console.log(Object.keys(adapter).join());
}
`;

const TYPED = `
import { Gateway, LoopbackProvider, OutgoingMessage } from "@carillon/gateway";
import { toNodeListener } from "@carillon/gateway/node-http";
const gateway = new Gateway<[string]>();
const loopback: LoopbackProvider = gateway.addProvider("lo", new LoopbackProvider());
gateway.router = (message, kind) => message.body + kind.length;
toNodeListener(gateway.receiverHandler({ prefix: "x" }));
// @ts-expect-error a text needs a body
new OutgoingMessage("1");
// @ts-expect-error the router gets text
gateway.router = (_message, kind: number) => String(kind);
loopback.takeTraffic();
`;

describe("the published package", () => {
  let project = "";

  before(async () => {
    project = await mkdtemp(join(tmpdir(), "carillon-gateway-"));
    await run(process.execPath, [tsc, "-b", packageFolder], root);
    const pack = ["pack", "--pack-destination", project, "--silent"];
    const tarball = (await run("npm", pack, packageFolder)).trim();
    await writeFile(
      join(project, "package.json"),
      JSON.stringify({ name: "empty", private: true, type: "module" }),
    );
    const install = ["install", "--offline", "--no-audit", "--no-fund"];
    await run("npm", [...install, join(project, tarball)], project);
  });

  after(() => rm(project, { recursive: true, force: true }));

  test("needs nothing but itself", async () => {
    const modules = await readdir(join(project, "node_modules"));
    assert.deepEqual(
      modules.filter((name) => !name.startsWith(".")),
      ["@carillon"],
    );
    const ours = await readdir(join(project, "node_modules", "@carillon"));
    assert.deepEqual(ours, ["gateway"]);
    const folder = join(project, "node_modules/@carillon/gateway");
    const manifest = JSON.parse(
      await readFile(join(folder, "package.json"), "utf8"),
    );
    assert.equal(manifest.dependencies, undefined);
    const files = await readdir(folder, { recursive: true });
    assert.deepEqual(
      files.filter((name) => /\.test\.|testing/.test(name)),
      [],
    );
  });

  test("sends through loopback", async () => {
    await writeFile(join(project, "main.js"), PROGRAM);
    assert.equal(
      await run(process.execPath, ["main.js"], project),
      "1234 pong\nlo 1\ntoNodeListener\ntoExpressMiddleware\ntoFastifyPlugin\n",
    );
  });

  test("brings its types", async () => {
    await writeFile(join(project, "main.ts"), TYPED);
    const compilerOptions = {
      module: "nodenext",
      target: "es2024",
      lib: ["es2024", "esnext.disposable"],
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      types: ["node"],
      typeRoots: [join(root, "node_modules", "@types")],
    };
    await writeFile(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: ["main.ts"] }),
    );
    assert.equal(await run(process.execPath, [tsc, "-p", "."], project), "");
  });

  test("the core loads where there is no Node", async () => {
    const dist = join(project, "node_modules/@carillon/gateway/dist");
    const seen = new Set<string>();
    const visit = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const code = await readFile(path, "utf8");
      for (const [, from = ""] of code.matchAll(/from "([^"]+)"/g)) {
        assert.match(from, /^\.\.?\//, `${path} imports ${from}`);
        await visit(join(dirname(path), from));
      }
    };
    await visit(join(dist, "index.js"));
    assert.ok(seen.size > 40);
  });
});
