/** Makes a backend of mails of what a module of the operator's exports. */

import { backendErrors, redact } from "@carillon/gateway";
import { type LoadedModule, loadModule } from "../backends/load-module.ts";

/** An entry of type `module`; its path was made absolute where it was read. */
export interface ModuleEntry {
  readonly name: string;
  readonly module: string;
  /** Handed to a function or class. Default: none. */
  readonly settings?: Readonly<Record<string, unknown>>;
}

/**
 * The module's object, or what its function or class makes of the settings; not
 * checked. Making one opens nothing: that is done by the backend's `start`.
 */
export function makeMailBackend({
  name,
  module,
  settings = {},
}: ModuleEntry): LoadedModule {
  const secrets = textsIn(settings);
  const loaded = loadModule(module, secrets);
  if ("problem" in loaded || typeof loaded.value !== "function") return loaded;
  const make = loaded.value;
  const given = [{ ...settings }, { name, errors: backendErrors }];
  const isClass = /^class\b/.test(Function.prototype.toString.call(make));
  try {
    const value: unknown = isClass
      ? Reflect.construct(make, given)
      : Reflect.apply(make, undefined, given);
    if (!(value instanceof Promise)) return { value };
    // Its failure is ours to have seen.
    value.catch(() => {});
    return {
      problem: `${module}: its function must not be async: what takes time is done by the backend's start`,
    };
  } catch (error) {
    const words = error instanceof Error ? error.message : "something else";
    return { problem: `${module}: it threw ${redact(words, secrets)}` };
  }
}

/** Any of them may be secret: what they are for only the module knows. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
