/**
 * Makes a built package ready to be packed: `dist` has no types of sources that
 * are gone, and the repository's licence lies beside its manifest, as npm packs
 * no links.
 *
 *     node scripts/prepack.ts packages/core
 */

import {
  existsSync,
  globSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const [folder = "."] = process.argv.slice(2);
const packageFolder = resolve(folder);
const root = fileURLToPath(new URL("..", import.meta.url));

for (const path of globSync("dist/**/*.d.ts{,.map}", {
  cwd: packageFolder,
})) {
  const source = path
    .replace(/^dist/, "src")
    .replace(/\.d\.ts(\.map)?$/, ".ts");
  if (!existsSync(join(packageFolder, source))) {
    rmSync(join(packageFolder, path));
  }
}

const licence = readFileSync(join(root, "LICENSE"), "utf8");
const copy = join(packageFolder, "LICENSE");
// Written only when it differs: another npm may be packing it right now.
if (!existsSync(copy) || readFileSync(copy, "utf8") !== licence) {
  writeFileSync(copy, licence);
}
