/** npm on the Node.js that runs the tests, and nobody's settings. */

import { execFile } from "node:child_process";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const exec = promisify(execFile);

export const root = fileURLToPath(new URL("../..", import.meta.url));

/**
 * Variables for npm, and for what it installed: its cache, the settings of the
 * user and the home folder are below `folder`.
 *
 * @param folder an empty folder, which outlives the commands
 */
export function npmEnvironment(
  folder: string,
  registryUrl?: string,
): NodeJS.ProcessEnv {
  const inherited = Object.entries(process.env).filter(
    // An outer `npm test` passes its own settings on.
    ([name]) => !/^(npm_|CARILLON_|NODE_TEST_CONTEXT$)/i.test(name),
  );
  return {
    ...Object.fromEntries(inherited),
    PATH: `${dirname(process.execPath)}${delimiter}${process.env.PATH ?? ""}`,
    HOME: folder,
    npm_config_cache: join(folder, ".npm"),
    npm_config_userconfig: join(folder, ".npmrc"),
    npm_config_audit: "false",
    npm_config_fund: "false",
    npm_config_update_notifier: "false",
    ...(registryUrl && { npm_config_registry: registryUrl }),
  };
}

export interface RunOptions {
  readonly cwd: string;
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Answers stdout.
 *
 * @throws Error with all that the command wrote, when it fails
 */
export async function run(
  file: string,
  args: readonly string[],
  options: RunOptions,
): Promise<string> {
  try {
    const { stdout } = await exec(file, [...args], {
      ...options,
      maxBuffer: 64 * 2 ** 20,
    });
    return stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout?: string; stderr?: string };
    throw new Error(`${file} ${args.join(" ")}\n${stdout}\n${stderr}`, {
      cause: error,
    });
  }
}

/** A package as npm packed it. */
export interface PackedPackage {
  readonly name: string;
  readonly version: string;
  /** The tarball's path. */
  readonly path: string;
  /** Paths in the tarball. */
  readonly files: readonly string[];
}

/**
 * Packs packages of the workspace.
 *
 * @param names their folders below `packages/`
 * @param folder where the tarballs go
 */
export async function packPackages(
  names: readonly string[],
  folder: string,
): Promise<PackedPackage[]> {
  const workspaces = names.map((name) => `--workspace=packages/${name}`);
  const output = await run(
    "npm",
    ["pack", ...workspaces, "--json", "--pack-destination", folder],
    { cwd: root, env: npmEnvironment(folder) },
  );
  const packed = JSON.parse(output) as readonly {
    readonly name: string;
    readonly version: string;
    readonly filename: string;
    readonly files: readonly { readonly path: string }[];
  }[];
  return packed.map(({ name, version, filename, files }) => ({
    name,
    version,
    path: join(folder, filename),
    files: files.map(({ path }) => path),
  }));
}
