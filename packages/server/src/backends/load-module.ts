/**
 * Modules of the operator's that the configuration names: backends and routers.
 * They are loaded at once, so that what is wrong with them is found with the
 * other mistakes, before anything is made. A module is loaded once in the life
 * of the process.
 */

import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { isAbsolute, join, resolve } from "node:path";
import { types } from "node:util";
import { redact } from "@carillon/gateway";

/** What a module exports, or a clause that says what is wrong with it. */
export type LoadedModule =
  | { readonly value: unknown }
  | { readonly problem: string };

/**
 * Where a module is: a path of a file, else the name of a package as it is found
 * from that folder.
 *
 * @param base folder that relative paths start from
 */
export function resolveModule(name: string, base: string): string {
  if (isAbsolute(name) || /^\.{1,2}[\\/]/.test(name))
    return resolve(base, name);
  try {
    return createRequire(join(resolve(base), "carillon.json")).resolve(name);
  } catch {
    // Loading it says that it is not there.
    return name;
  }
}

/**
 * The default export, of a CommonJS module what it exports.
 *
 * @param secrets what its errors are not to show
 */
export function loadModule(
  path: string,
  secrets: readonly string[] = [],
): LoadedModule {
  if (!isAbsolute(path)) return { problem: `there is no package ${path}` };
  if (!existsSync(path)) return { problem: `${path} is not there` };
  let loaded: unknown;
  try {
    loaded = createRequire(import.meta.url)(path);
  } catch (error) {
    return { problem: `${path} ${whyNotLoaded(error, secrets)}` };
  }
  const isModule = types.isModuleNamespaceObject(loaded);
  const exported: { readonly default?: unknown } = Object(loaded);
  if (exported.default !== undefined) return { value: exported.default };
  return isModule
    ? { problem: `${path} has no default export` }
    : { value: loaded };
}

function whyNotLoaded(error: unknown, secrets: readonly string[]): string {
  const code = error instanceof Error && "code" in error ? error.code : "";
  if (code === "ERR_REQUIRE_ASYNC_MODULE") {
    return "awaits something at its top level: what takes time is done by start";
  }
  return error instanceof Error
    ? `cannot be loaded (${error.name}: ${redact(oneLine(error.message), secrets)})`
    : "cannot be loaded";
}

function oneLine(text: string): string {
  const [line = ""] = text.split("\n", 1);
  return line;
}
