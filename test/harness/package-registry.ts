/**
 * A registry of npm packages on this machine: ours as they were packed, and what
 * the workspace has installed. So npm resolves and installs as it does for
 * strangers, without the internet.
 */

import { spawn } from "node:child_process";
import { createReadStream, existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, dirname, join } from "node:path";
import { pipeline } from "node:stream/promises";
import { type PackedPackage, root, run } from "./npm.ts";

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly [field: string]: unknown;
}

/** What there is of one version: a tarball, or the folder it was unpacked to. */
interface Release {
  readonly manifest: Manifest;
  readonly tarball?: string;
  readonly folder?: string;
}

export class PackageRegistry implements AsyncDisposable {
  readonly url: string;
  readonly #close: () => Promise<void>;

  private constructor(url: string, close: () => Promise<void>) {
    this.url = url;
    this.#close = close;
  }

  /** Listens on a free port of 127.0.0.1. */
  static async start(
    packed: readonly PackedPackage[],
  ): Promise<PackageRegistry> {
    const releases = [
      ...(await Promise.all(packed.map(readPacked))),
      ...(await readInstalled()),
    ];
    const server = createServer((request, response) => {
      const [, name = "", version] =
        /^\/([^?]+?)(?:\/-\/([^/]+)\.tgz)?$/.exec(
          decodeURIComponent(request.url ?? ""),
        ) ?? [];
      const found = releases.filter(({ manifest }) => manifest.name === name);
      const release = found.find(
        ({ manifest }) => manifest.version === version,
      );
      if (release) {
        sendTarball(release, response).catch(() => response.destroy());
      } else if (version === undefined && found.length > 0) {
        const origin = `http://${request.headers.host}`;
        response.setHeader("content-type", "application/json");
        response.end(JSON.stringify(describe(name, found, origin)));
      } else {
        response.writeHead(404).end("{}");
      }
    });
    const listening = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", listening.resolve);
    await listening.promise;
    const { port } = server.address() as AddressInfo;
    return new PackageRegistry(`http://127.0.0.1:${port}/`, async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close();
  }
}

/** A document of the registry's API, with what installing needs. */
function describe(name: string, found: readonly Release[], origin: string) {
  const versions = found.map(({ manifest }) => {
    const tarball = `${origin}/${name}/-/${manifest.version}.tgz`;
    return [manifest.version, { ...manifest, dist: { tarball } }] as const;
  });
  return {
    name,
    "dist-tags": { latest: versions[0]?.[0] },
    versions: Object.fromEntries(versions),
  };
}

async function readPacked({ path }: PackedPackage): Promise<Release> {
  const text = await run("tar", ["-xzOf", path, "package/package.json"], {
    cwd: root,
    env: process.env,
  });
  return { manifest: JSON.parse(text), tarball: path };
}

/** What the lock file has and is installed: not all is, on every platform. */
async function readInstalled(): Promise<Release[]> {
  const lock = JSON.parse(
    await readFile(join(root, "package-lock.json"), "utf8"),
  ) as { readonly packages: Record<string, { readonly link?: boolean }> };
  const folders = Object.entries(lock.packages)
    .filter(([place, { link }]) => place.includes("node_modules/") && !link)
    .map(([place]) => join(root, place))
    .filter((folder) => existsSync(join(folder, "package.json")));
  return await Promise.all(
    folders.map(async (folder) => {
      const text = await readFile(join(folder, "package.json"), "utf8");
      // As registries do not, npm would otherwise run what only authors run.
      const { scripts: _, ...manifest } = JSON.parse(text);
      return { manifest, folder };
    }),
  );
}

async function sendTarball(
  { tarball, folder = "" }: Release,
  response: ServerResponse,
): Promise<void> {
  if (tarball !== undefined) {
    await pipeline(createReadStream(tarball), response);
    return;
  }
  const name = basename(folder);
  const tar = spawn(
    "tar",
    [
      "-czf",
      "-",
      `--exclude=${name}/node_modules`,
      "-C",
      dirname(folder),
      name,
    ],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  await pipeline(tar.stdout, response);
}
