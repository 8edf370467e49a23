/**
 * Checks that imports point downwards only, that packages declare what they
 * use, and that files and folders are named after what is in them. Prints each
 * breach with its rule; exits 1 when there is one.
 */

import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { basename, dirname, join, normalize, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";

/** What a package may import of ours; tests may import testing besides. */
const below: Readonly<Record<string, readonly string[]>> = {
  core: [],
  gateway: [],
  channels: ["core", "gateway"],
  storage: ["core"],
  dispatch: ["core"],
  testing: ["core"],
  server: ["core", "gateway", "channels", "storage", "dispatch"],
  client: [],
  console: ["client"],
  cli: ["client", "server"],
};

const emptyNames =
  /^(helpers?|utils?|utilities|common|shared|misc|types|interfaces|classes)$/;

/** A file to check; `path` is relative to the root, with forward slashes. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

/** A package's manifest, as far as it matters here. */
export interface Manifest {
  readonly name: string;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

/** Answers one line per breach: where, what, and the rule. */
export function findBreaches(
  files: readonly SourceFile[],
  /** By folder name; `""` is the root's. */
  manifests: ReadonlyMap<string, Manifest>,
): string[] {
  return files.flatMap((file) => [
    ...checkName(file.path),
    ...checkPackageFile(file, manifests),
  ]);
}

function checkName(path: string): string[] {
  const bad = path
    .split("/")
    .find((part) => emptyNames.test(part.replace(/(\.test)?\.\w+$/, "")));
  return bad === undefined
    ? []
    : [`${path}: "${bad}" says nothing; name it after what is in it`];
}

function checkPackageFile(
  file: SourceFile,
  manifests: ReadonlyMap<string, Manifest>,
): string[] {
  const [, folder = "", rest = ""] =
    /^packages\/([^/]+)\/src\/(.+)$/.exec(file.path) ?? [];
  if (folder === "") return [];
  // What is below src/testing/ is neither built nor packed.
  const isTest = rest.endsWith(".test.ts") || rest.startsWith("testing/");
  const code = withoutComments(file.text);
  const breaches: string[] = [];
  const report = (what: string) => breaches.push(`${file.path}: ${what}`);

  if (rest === "index.ts" && !onlyReExports(code)) {
    report("an index.ts only re-exports");
  }
  if (folder === "core" && !isTest) {
    const words = code.replace(/"(?:\\.|[^"\\\n])*"/g, '""');
    if (/\bprocess\.\w/.test(words)) report("core does not use process");
    if (
      rest !== "ports/clock.ts" &&
      /\bDate\.now\(|\bset(Timeout|Interval|Immediate)\(/.test(words)
    ) {
      report("core takes time from the Clock port");
    }
  }
  for (const specifier of importsOf(code)) {
    const rule = ruleBrokenBy(specifier, file.path, folder, isTest, manifests);
    if (rule) report(`imports "${specifier}"; ${rule}`);
  }
  return breaches;
}

function ruleBrokenBy(
  specifier: string,
  path: string,
  folder: string,
  isTest: boolean,
  manifests: ReadonlyMap<string, Manifest>,
): string | undefined {
  if (specifier.startsWith(".")) {
    const target = toSlashes(normalize(join(dirname(path), specifier)));
    // What only tests need may lie beside src.
    const home = `packages/${folder}/${isTest ? "" : "src/"}`;
    if (!target.startsWith(home)) {
      return `a relative import stays inside ${home}`;
    }
    if (target === `packages/${folder}/src/index.ts` && !isTest) {
      return "inside a package import the file, not the index";
    }
    return undefined;
  }
  if (isBuiltin(specifier)) {
    return folder === "core" && !isTest
      ? "core does no I/O: it imports no module of the runtime"
      : undefined;
  }
  const name = packageOf(specifier);
  const ours = [...manifests].find(([, manifest]) => manifest.name === name);
  // A test may look at its package as those see it who import it.
  if (ours?.[0] === folder && isTest) return undefined;
  if (ours) {
    const allowed = [...(below[folder] ?? []), ...(isTest ? ["testing"] : [])];
    if (allowed.includes(ours[0])) {
      return declares(manifests.get(folder), name, isTest)
        ? undefined
        : `${folder}'s package.json does not declare it`;
    }
    return `${folder} may import only ${allowed.join(", ") || "nothing"} of ours`;
  }
  if (folder === "core" && !isTest) return "core imports no library";
  const declared =
    declares(manifests.get(folder), name, isTest) ||
    (isTest && declares(manifests.get(""), name, true));
  return declared ? undefined : `${folder}'s package.json does not declare it`;
}

function declares(
  manifest: Manifest | undefined,
  name: string,
  isTest: boolean,
): boolean {
  return (
    manifest !== undefined &&
    (name in { ...manifest.dependencies, ...manifest.peerDependencies } ||
      (isTest && name in { ...manifest.devDependencies }))
  );
}

function packageOf(specifier: string): string {
  const parts = specifier.split("/");
  return parts.slice(0, specifier.startsWith("@") ? 2 : 1).join("/");
}

function importsOf(code: string): string[] {
  const statements =
    /^\s*(?:import|export)\b[^"';]*?\bfrom\s*"([^"]+)"|^\s*import\s*"([^"]+)"|\bimport\(\s*"([^"]+)"/gm;
  return [...code.matchAll(statements)].map(
    ([, from, bare, dynamic]) => from ?? bare ?? dynamic ?? "",
  );
}

function onlyReExports(code: string): boolean {
  return (
    code
      .replace(
        /^\s*export\s+(type\s+)?(\{[^}]*\}|\*(\s+as\s+\w+)?)\s+from\s+"[^"]+";?/gm,
        "",
      )
      .trim() === ""
  );
}

function withoutComments(text: string): string {
  return text.replace(
    /"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`|\/\/[^\n]*|\/\*[\s\S]*?\*\//g,
    (part) => (part.startsWith("/") ? " " : part),
  );
}

function toSlashes(path: string): string {
  return path.split(sep).join("/");
}

if (import.meta.main) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  const files = globSync(
    [
      "packages/*/src/**/*",
      "scripts/*",
      "test/**/*",
      "bench/**/*",
      "examples/**/*",
    ],
    { cwd: root, exclude: ["**/node_modules", "**/dist", "bench/results"] },
  )
    .filter((path) => /\.(ts|tsx|mjs|js)$/.test(path))
    .map((path) => ({
      path: toSlashes(path),
      text: readFileSync(join(root, path), "utf8"),
    }));
  const manifests = new Map<string, Manifest>();
  for (const path of [
    "package.json",
    ...globSync("packages/*/package.json", { cwd: root }),
  ]) {
    const folder = dirname(path) === "." ? "" : basename(dirname(path));
    manifests.set(
      folder,
      JSON.parse(readFileSync(join(root, path), "utf8")) as Manifest,
    );
  }
  const breaches = findBreaches(files, manifests);
  for (const breach of breaches) console.error(breach);
  if (breaches.length > 0) {
    console.error(`Breaches of the import rules: ${breaches.length}.`);
    process.exitCode = 1;
  } else {
    console.log(
      `${files.length} files in ${relative(process.cwd(), root) || "."} keep the import rules.`,
    );
  }
}
