/** What stands in deploy/ against the program that it deploys. */

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { access, glob, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { test } from "node:test";
import { type Config, listConfigKeys, loadConfig } from "@carillon/server";
import { type Dockerfile, DockerfileParser } from "dockerfile-ast";
import { validate } from "dockerfile-utils";
import { parse } from "yaml";
import { serveCommand } from "../packages/cli/src/commands/serve.ts";
import { CarillonProcess } from "./harness/carillon-process.ts";
import { findFreePort } from "./harness/free-port.ts";
import { root } from "./harness/npm.ts";
import { findSystemProgram } from "./harness/system-program.ts";
import { createFolder } from "./harness/temporary-folder.ts";

const deploy = join(root, "deploy");
const systemdAnalyze = findSystemProgram("systemd-analyze", "systemd");
const dataFolder = "/var/lib/carillon";

type Variables = Readonly<Record<string, string>>;

test("every variable that is named is one of the program's", async () => {
  const known = new Set([
    "CARILLON_CONFIG",
    ...listConfigKeys().map(({ variable }) => variable),
  ]);
  let found = 0;
  for await (const file of glob("*", { cwd: deploy })) {
    const content = await readFile(join(deploy, file), "utf8");
    for (const [name] of content.matchAll(/CARILLON_\w+/g)) {
      found++;
      assert.ok(known.has(name), `${file}: ${name}`);
    }
  }
  assert.ok(found > 10);
});

test("the image is built without fault from files that are there", async () => {
  const content = await readFile(join(deploy, "Dockerfile"), "utf8");
  assert.deepEqual(validate(content), []);
  const ignored = await readFile(
    join(deploy, "Dockerfile.dockerignore"),
    "utf8",
  );
  assert.match(ignored, /^\*$/m);
  const sources = DockerfileParser.parse(content)
    .getCOPYs()
    .filter((copy) => copy.getFromFlag() === null)
    .flatMap((copy) => copy.getArguments().slice(0, -1).map(String));
  assert.ok(sources.includes("packages"));
  for (const source of sources) {
    await assert.doesNotReject(access(join(root, source)), source);
    assert.ok(ignored.split("\n").includes(`!${source}`), source);
  }
});

test("the image serves the sandbox, and not as root", async () => {
  const image = await readDockerfile();
  const env = environmentOf(image);
  const command = [...wordsOf(image, "ENTRYPOINT"), ...wordsOf(image, "CMD")];
  assert.deepEqual(command, ["carillon", "serve", "--sandbox"]);
  const config = configOf(command.slice(1), env);
  assert.equal(config.sandbox, true);
  assert.equal(config.host, "0.0.0.0");
  assert.equal(config.data, dataFolder);
  const last = (keyword: string) =>
    image
      .getInstructions()
      .findLast((one) => one.getKeyword() === keyword)
      ?.getArgumentsContent();
  assert.equal(last("VOLUME"), config.data);
  assert.equal(last("EXPOSE"), String(config.port));
  assert.ok(!["root", "0", undefined].includes(last("USER") ?? undefined));
});

test("the image's health check follows the server's health", async () => {
  const [instruction] = (await readDockerfile()).getHEALTHCHECKs();
  const [, json = ""] =
    /CMD (\[.*\])$/s.exec(instruction?.getArgumentsContent() ?? "") ?? [];
  const [program, ...words]: string[] = JSON.parse(json);
  assert.equal(program, "node");
  const check = async (port: string) => {
    const env = { ...process.env, CARILLON_PORT: port };
    const child = spawn(process.execPath, words, { env });
    const [exitCode] = await once(child, "exit");
    return exitCode;
  };
  await using data = await createFolder();
  await using server = await CarillonProcess.start({ data: data.path });
  assert.equal(await check(new URL(server.url).port), 0);
  assert.equal(await check(String(await findFreePort())), 1);
});

test("the composed server is configured for the proxy in front of it", async () => {
  const content = await readFile(join(deploy, "compose.yaml"), "utf8");
  const { services, networks, volumes } = parse(
    substitute(content, { DOMAIN: "notify.example.com" }),
  );
  const { carillon, proxy } = services;
  const image = await readDockerfile();
  const config = configOf(carillon.command, {
    ...environmentOf(image),
    ...carillon.environment,
  });
  assert.equal(config.publicUrl, "https://notify.example.com");
  assert.equal(config.sandbox, false);
  const { subnet } = networks.carillon.ipam.config[0];
  assert.deepEqual(config.trustedProxies, [subnet]);
  assert.deepEqual(carillon.volumes, [`data:${config.data}`]);
  assert.equal(proxy.environment.DOMAIN, "notify.example.com");
  assert.equal(proxy.environment.UPSTREAM, `carillon:${config.port}`);
  // The proxy alone is reached from outside.
  assert.equal(carillon.ports, undefined);
  const caddyfile = await readFile(join(deploy, "Caddyfile"), "utf8");
  for (const name of Object.keys(proxy.environment)) {
    assert.ok(caddyfile.includes(`{$${name}`), name);
  }
  for (const { networks: joined, volumes: mounts, build } of [
    carillon,
    proxy,
  ]) {
    for (const name of joined) assert.ok(name in networks, name);
    for (const mount of mounts) {
      const [source = ""] = mount.split(":");
      if (source.startsWith(".")) await access(join(deploy, source));
      else assert.ok(source in volumes, mount);
    }
    if (build) await access(join(deploy, build.context, build.dockerfile));
  }
  // What was accepted is finished before it is killed, within 10 s.
  assert.equal(carillon.stop_grace_period, "15s");
});

test("the unit runs a server with the data folder that it is given", async () => {
  const unit = await readUnit();
  const [command = ""] = valuesOf(unit, "ExecStart");
  const [program, ...words] = command.split(" ");
  assert.match(program ?? "", /^\/.*\/carillon$/);
  const env = Object.fromEntries(
    valuesOf(unit, "Environment").map((line) => line.split("=", 2)),
  );
  assert.equal(configOf(words, env).data, dataFolder);
  assert.deepEqual(valuesOf(unit, "StateDirectory"), ["carillon"]);
});

test("systemd takes the unit, and finds little to harden", {
  skip: systemdAnalyze.missing,
}, async () => {
  await using folder = await createFolder();
  const path = join(folder.path, "carillon.service");
  const unit = (await readUnit()).replace(
    /^ExecStart=\S+/m,
    `ExecStart=${process.execPath}`,
  );
  await writeFile(path, unit);
  const analyze = async (...words: string[]) => {
    const child = spawn(systemdAnalyze.path, [...words, path], {
      stdio: ["ignore", "ignore", "pipe"],
    });
    // Some of what it finds makes no difference to its exit code.
    assert.equal(await text(child.stderr), "");
    assert.equal(child.exitCode ?? (await once(child, "exit"))[0], 0);
  };
  await analyze("verify");
  // Of 100; a unit without any hardening has 96.
  await analyze("security", "--offline=true", "--threshold=20");
});

async function readDockerfile(): Promise<Dockerfile> {
  return DockerfileParser.parse(
    await readFile(join(deploy, "Dockerfile"), "utf8"),
  );
}

/** All variables that the image sets. */
function environmentOf(image: Dockerfile): Variables {
  const properties = image.getENVs().flatMap((env) => env.getProperties());
  return Object.fromEntries(
    properties.map((one) => [one.getName(), one.getValue() ?? ""]),
  );
}

/** The words of the last such instruction, in its form as a list. */
function wordsOf(image: Dockerfile, keyword: string): string[] {
  const last = image
    .getInstructions()
    .findLast((one) => one.getKeyword() === keyword);
  return JSON.parse(last?.getArgumentsContent() ?? "");
}

/**
 * What a command line, without the program, and an environment come to.
 *
 * @throws Error when it is not `serve`, ConfigError for what is wrong
 */
function configOf(words: readonly string[], env: Variables): Config {
  const [name, ...options] = words;
  assert.equal(name, "serve");
  const command = serveCommand();
  const { operands, unknown } = command.parseOptions(options);
  assert.deepEqual([...operands, ...unknown], []);
  return loadConfig({ flags: command.opts(), env });
}

/** `${NAME}`, `${NAME:-instead}` and `${NAME:?what is missing}`. */
function substitute(text: string, variables: Variables): string {
  return text.replace(
    /\$\{(\w+)(?::([-?])([^}]*))?\}/g,
    (_, name, kind, words) => {
      const value = variables[name];
      if (value !== undefined) return value;
      assert.equal(kind, "-", `${name} is not set: ${words}`);
      return words;
    },
  );
}

async function readUnit(): Promise<string> {
  return await readFile(join(deploy, "carillon.service"), "utf8");
}

function valuesOf(unit: string, key: string): string[] {
  return [...unit.matchAll(/^(\w+)=(.*)$/gm)]
    .filter(([, name]) => name === key)
    .map(([, , value = ""]) => value);
}
