/**
 * Makes the JavaScript of every package's `dist` from its sources: one file for
 * each that the manifest names, and what several of these share in `shared`. A
 * start would otherwise spend a third of its time on finding some 500 modules.
 * Declarations are the compiler's.
 *
 *     node scripts/bundle.ts
 */

import {
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { rolldown } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));

interface Manifest {
  readonly exports: Targets;
  readonly imports?: Targets;
}

type Targets = Readonly<
  Record<string, string | { readonly source: string; readonly default: string }>
>;

await Promise.all(
  globSync("packages/*", { cwd: root }).map((folder) =>
    bundle(join(root, folder)),
  ),
);

async function bundle(folder: string): Promise<void> {
  const manifest: Manifest = JSON.parse(
    readFileSync(join(folder, "package.json"), "utf8"),
  );
  await using build = await rolldown({
    cwd: folder,
    input: findEntries(manifest, folder),
    // Other packages, ours as well.
    external: /^[^./]/,
    platform: "node",
    transform: { target: "node24" },
  });
  const { output } = await build.generate({
    chunkFileNames: "shared/[name]-[hash].js",
    sourcemap: true,
  });
  const made = new Map(
    output.map((file) => [
      join(folder, "dist", file.fileName),
      file.type === "chunk" ? file.code : file.source,
    ]),
  );
  // Whoever reads meanwhile finds each file whole, and what it imports.
  const isEntry = (path: string) => !path.includes(`${sep}shared${sep}`);
  for (const [path, content] of [...made].sort(
    ([a], [b]) => Number(isEntry(a)) - Number(isEntry(b)),
  )) {
    if (readIfThere(path) === content) continue;
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, content);
    renameSync(`${path}.new`, path);
  }
  for (const found of globSync("dist/**/*.{js,js.map}", { cwd: folder })) {
    const path = join(folder, found);
    if (!made.has(path)) rmSync(path);
  }
}

/** The sources of what the manifest names, by their names in `dist`. */
function findEntries({ exports, imports = {} }: Manifest, folder: string) {
  return Object.fromEntries(
    Object.values({ ...exports, ...imports })
      .filter((target) => typeof target === "object")
      .flatMap((target) => {
        const [, name = ""] = /^\.\/dist\/(.*)\.js$/.exec(target.default) ?? [];
        // A star stands for the name of each file that is there.
        return globSync(target.source, { cwd: folder })
          .filter((path) => !path.endsWith(".test.ts"))
          .map((path) => [
            name.replace("*", basename(path, ".ts")),
            `./${path}`,
          ]);
      }),
  );
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
