/** A backend in a module of the operator's, as a type of providers. */

import {
  ConfigurationError,
  defineProviderType,
  type Provider,
  type SettingProblem,
  toProvider,
} from "@carillon/gateway";
import { loadModule } from "./load-module.ts";

/** An entry of `sms.providers`; the path was made absolute where it was read. */
interface ModuleSettings {
  readonly name: string;
  readonly module: string;
  /** Handed to the module's default export. Default: none. */
  readonly settings?: Readonly<Record<string, unknown>>;
  /** False: the backend's `publishMessages` is not called. */
  readonly batch?: boolean;
}

/** The type's name. */
export const moduleTypeName = "module";

/** What is wrong is asked for several times, and making a backend may be slow. */
const known = new WeakMap<object, readonly SettingProblem[]>();

export const moduleType = defineProviderType<ModuleSettings>({
  type: moduleTypeName,
  schema: {
    module: {
      schema: { type: "string", minLength: 1 },
      expected: "the path of a module, or the name of a package,",
    },
    settings: {
      schema: { type: "object" },
      expected: "an object",
      isOptional: true,
    },
    batch: {
      schema: { type: "boolean" },
      expected: "true or false",
      isOptional: true,
    },
  },
  problems(entry) {
    const found = known.get(entry) ?? findProblems(entry);
    known.set(entry, found);
    return found;
  },
  create: (entry) => makeProvider(entry),
});

/** Whatever the entry is, the others of it are checked by the schema. */
function findProblems({
  name,
  module,
  settings = {},
}: Readonly<Record<string, unknown>>): readonly SettingProblem[] {
  const isObject = typeof settings === "object" && settings !== null;
  if (typeof module !== "string" || !isObject) return [];
  const secrets = textsIn(settings);
  const loaded = loadModule(module, secrets);
  if ("problem" in loaded) {
    return [{ setting: "module", problem: loaded.problem }];
  }
  try {
    const given = { ...settings };
    toProvider(loaded.value, { name: String(name), settings: given, secrets });
    return [];
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    // While a setting could not be read, this is not the mistake.
    return [{ setting: "settings", problem: `${module}: ${error.message}` }];
  }
}

/** @throws ConfigurationError */
function makeProvider({
  name,
  module,
  settings = {},
  batch,
}: ModuleSettings): Provider {
  const secrets = textsIn(settings);
  const loaded = loadModule(module, secrets);
  if ("problem" in loaded) throw new ConfigurationError(loaded.problem);
  return toProvider(loaded.value, { name, settings, batch, secrets });
}

/** Any of them may be secret: what they are for only the module knows. */
function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
