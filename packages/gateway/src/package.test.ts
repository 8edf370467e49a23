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
import { Gateway, LoopbackProvider, OutgoingMessage, Provider } from "@carillon/gateway";
import { toNodeListener } from "@carillon/gateway/node-http";
const gateway = new Gateway<[string]>();
const loopback: LoopbackProvider = gateway.addProvider("lo", new LoopbackProvider());
gateway.router = (message, kind) => message.body + kind.length;
toNodeListener(gateway.receiverHandler({ prefix: "x" }));
// @ts-expect-error a text needs a body
new OutgoingMessage("1");
// @ts-expect-error the router gets text
gateway.router = (_message, kind: number) => String(kind);
const bodies: string[] = [];
gateway.onReceive.add((message) => bodies.push(message.body));
loopback.subscribe("1", (message) => bodies.push(message.body));
gateway.send(new OutgoingMessage("1", "x"));
gateway.send(new OutgoingMessage("1", "x").options({ expires: 5 }).route("a"));
const unrouted = new OutgoingMessage("1", "x");
gateway.send(unrouted);
const anyMessage: OutgoingMessage = unrouted.route("a");
// @ts-expect-error the route takes a text
gateway.send(new OutgoingMessage("1", "x").route(5, {}));
// @ts-expect-error the route takes one value
gateway.explain(new OutgoingMessage("1", "x").route("a", "b"));
// @ts-expect-error whatever its route is
gateway.send(anyMessage);
// @ts-expect-error the option is spelled statusReport
new OutgoingMessage("1", "x").options({ statusreport: true });
new OutgoingMessage("1", "x").options({ statusReport: true }, { flash: 1 });
class Own extends Provider {
  override async send(message: OutgoingMessage): Promise<OutgoingMessage> {
    return message.providerOptions.flash ? message : message.clone();
  }
}
gateway.addProvider("own", new Own());
new Gateway().send(anyMessage);
const literal = new Gateway<["news" | "alarm", number?]>();
literal.send(new OutgoingMessage("1", "x").route("alarm"));
literal.send(new OutgoingMessage("1", "x").route("alarm", 5));
`;

const CORE_ALONE = `
import { Gateway } from "@carillon/gateway";
await using gateway = new Gateway();
for await (const message of gateway.onReceive.iterate()) message.body.length;
`;

describe("the published package", () => {
  let project = "";

  before(async () => {
    project = await mkdtemp(join(tmpdir(), "carillon-gateway-"));
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

  async function check(
    file: string,
    source: string,
    options: object,
  ): Promise<string> {
    await writeFile(join(project, file), source);
    const compilerOptions = {
      module: "nodenext",
      target: "es2024",
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      ...options,
    };
    await writeFile(
      join(project, "tsconfig.json"),
      JSON.stringify({ compilerOptions, files: [file] }),
    );
    return run(process.execPath, [tsc, "-p", "."], project);
  }

  test("brings its types", async () => {
    const options = {
      lib: ["es2024"],
      types: ["node"],
      typeRoots: [join(root, "node_modules", "@types")],
    };
    assert.equal(await check("main.ts", TYPED, options), "");
  });

  test("has types that need nothing of Node's", async () => {
    const options = { lib: ["es2024", "dom", "dom.iterable"], types: [] };
    assert.equal(await check("core.ts", CORE_ALONE, options), "");
  });

  test("says where it comes from and on what terms", async () => {
    const folder = join(project, "node_modules/@carillon/gateway");
    const read = (name: string) => readFile(join(folder, name), "utf8");
    const { repository, license } = JSON.parse(await read("package.json"));
    assert.equal(license, "Apache-2.0");
    assert.match(repository.url, /^git\+https:\/\/.*\.git$/);
    assert.equal(repository.directory, "packages/gateway");
    assert.match(await read("LICENSE"), /Apache License\s+Version 2\.0/);
    const readme = await read("README.md");
    for (const adapter of [
      'app.use("/24fb0d6963f", toExpressMiddleware(',
      "app.register(toFastifyPlugin(",
      "createServer(toNodeListener(",
      "gateway.handler(",
    ]) {
      assert.ok(readme.includes(adapter), adapter);
    }
    // Links must lead somewhere from outside the repository.
    assert.doesNotMatch(readme, /\]\((?!https:)/);
  });

  test("the core loads where there is no Node", async () => {
    const dist = join(project, "node_modules/@carillon/gateway/dist");
    const seen = new Set<string>();
    let size = 0;
    const visit = async (path: string): Promise<void> => {
      if (seen.has(path)) return;
      seen.add(path);
      const code = await readFile(path, "utf8");
      size += code.length;
      for (const [, from = ""] of code.matchAll(/from "([^"]+)"/g)) {
        assert.match(from, /^\.\.?\//, `${path} imports ${from}`);
        await visit(join(dirname(path), from));
      }
    };
    await visit(join(dist, "index.js"));
    assert.ok(size > 100_000, `${size}`);
  });
});
