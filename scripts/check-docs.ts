/**
 * Checks that what packages export is documented where it is declared: of the
 * names in each index file, nine in ten have a doc comment that begins with a
 * sentence. Prints each name without one; exits 1 when they are too many.
 */

import { readFileSync } from "node:fs";
import { dirname, join, posix } from "node:path";
import { fileURLToPath } from "node:url";

const packages = [
  "core",
  "storage",
  "channels",
  "dispatch",
  "gateway",
  "client",
];

/** The share of an index file's names that needs a doc comment. */
export const neededShare = 0.9;

/** What an index file exports. */
export interface DocReport {
  readonly names: number;
  /** `file: name` of each that has no doc comment. */
  readonly missing: readonly string[];
}

/**
 * Follows the exports of an index file to their declarations.
 *
 * @param read answers a file's text, by a path with forward slashes
 * @throws Error when a name's declaration is not found
 */
export function findUndocumented(
  path: string,
  read: (path: string) => string,
): DocReport {
  const missing: string[] = [];
  let names = 0;
  for (const { name, from } of exportsOf(read(path))) {
    names++;
    const declaration = findDeclaration(
      name,
      posix.join(posix.dirname(path), from),
      read,
    );
    if (!declaration.isDocumented) {
      missing.push(`${declaration.path}: ${declaration.name}`);
    }
  }
  return { names, missing };
}

export function isEnough({ names, missing }: DocReport): boolean {
  return names - missing.length >= names * neededShare;
}

interface Export {
  /** As it is called in the file it comes from. */
  readonly name: string;
  readonly exportedAs: string;
  readonly from: string;
}

interface Declaration {
  readonly path: string;
  readonly name: string;
  readonly isDocumented: boolean;
}

function exportsOf(text: string): Export[] {
  const statements = /^export\s+(?:type\s+)?\{([^}]*)\}\s+from\s+"([^"]+)"/gm;
  return [...text.matchAll(statements)].flatMap(([, list = "", from = ""]) =>
    list
      .split(",")
      .map((item) => item.trim().replace(/^type\s+/, ""))
      .filter((item) => item !== "")
      .map((item) => {
        const [name = item, exportedAs = name] = item.split(/\s+as\s+/);
        return { name, exportedAs, from };
      }),
  );
}

function findDeclaration(
  name: string,
  path: string,
  read: (path: string) => string,
): Declaration {
  const text = read(path);
  const declaration = new RegExp(
    `(?<doc>/\\*\\*(?:(?!\\*/)[\\s\\S])*\\*/\\n(?://.*\\n)*)?^export (?:declare |abstract |async )*(?:function\\*?|class|interface|type|const|let) ${name}\\b`,
    "m",
  ).exec(text);
  if (declaration) {
    return { path, name, isDocumented: hasSentence(declaration.groups?.doc) };
  }
  const passedOn = exportsOf(text).find((it) => it.exportedAs === name);
  if (passedOn === undefined) {
    throw new Error(`${path} exports no ${name}.`);
  }
  const next = posix.join(posix.dirname(path), passedOn.from);
  return findDeclaration(passedOn.name, next, read);
}

/** Whether a comment says anything before its tags. */
function hasSentence(doc = ""): boolean {
  return /^\/\*\*[\s*]*[^\s*@/]/.test(doc);
}

if (import.meta.main) {
  const root = join(dirname(fileURLToPath(import.meta.url)), "..");
  const read = (path: string) => readFileSync(join(root, path), "utf8");
  for (const name of packages) {
    const report = findUndocumented(`packages/${name}/src/index.ts`, read);
    const { names, missing } = report;
    const share = `${names - missing.length} of ${names}`;
    if (isEnough(report)) {
      console.log(`${name}: ${share} exported names are documented.`);
      continue;
    }
    for (const place of missing) console.error(`${place} has no doc comment`);
    console.error(`${name}: only ${share} exported names are documented.`);
    process.exitCode = 1;
  }
}
