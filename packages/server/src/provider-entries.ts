/**
 * Entries of `sms.providers` and `email.backends` as they are written: names and JSON from the
 * environment, settings that stand in files of their own. What is in them is
 * checked by `sms-settings.ts` and
 * `mail-backends/mail-backend-settings.ts`. Nothing here shows a value, but the path of a file.
 */

import { resolve } from "node:path";
import { resolveModule } from "./backends/load-module.ts";
import { moduleTypeName } from "./backends/module-type.ts";
import { readAtMost } from "./bounded-file.ts";

/** In place of what a file should have said: whatever it is, it is no mistake. */
export const unreadFile: unique symbol = Symbol("unread file");

/** What was read of a value, and clauses on what could not be. */
export interface ReadEntries {
  /** `undefined`: none of it could be. */
  readonly value: unknown;
  readonly problems: readonly string[];
}

/**
 * Reads a value of a variable, a flag or the file. A text is a list of names, or
 * JSON as it stands in the file; `{"file": path}` in place of a setting's text is
 * the content of that file without its last line break, and in place of a `page`
 * the JSON in it. The path of a module is made absolute.
 *
 * @param base folder that relative paths start from
 */
export function readProviderEntries(given: unknown, base: string): ReadEntries {
  const problems: string[] = [];
  const value = toEntries(given, problems);
  if (problems.length > 0) return { value: undefined, problems };
  if (!Array.isArray(value)) return { value, problems };
  const entries = value.map((entry: unknown, at) =>
    isObject(entry)
      ? readFiles(withPath(entry, base), base, (problem) =>
          problems.push(`entry ${at + 1}${nameOf(entry)}: ${problem}`),
        )
      : entry,
  );
  return { value: entries, problems };
}

function toEntries(given: unknown, problems: string[]): unknown {
  const parts = typeof given === "string" ? [given] : given;
  if (!Array.isArray(parts)) return given;
  return parts.flatMap((part: unknown) => {
    if (typeof part !== "string") return [part];
    if (!/^\s*[[{]/.test(part)) {
      return part.split(",").flatMap((item) => item.trim() || []);
    }
    try {
      const parsed: unknown = JSON.parse(part);
      return Array.isArray(parsed) ? parsed : [parsed];
    } catch (error) {
      problems.push(
        `expected a list of names or JSON, which this is not from${placeOf(error)} on`,
      );
      return [];
    }
  });
}

/** Of a carrier's page, as all of it is JSON. */
const pageSetting = "page";

/** The parser's own words may have a part of the text in them. */
function placeOf(error: unknown): string {
  const text = error instanceof Error ? error.message : "";
  const [, position] = /at position (\d+)/.exec(text) ?? [];
  return position === undefined ? " its end" : ` character ${position}`;
}

type Settings = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Settings {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** For a sentence: the name, if it can be one. */
function nameOf({ name }: Settings): string {
  return typeof name === "string" && /^[a-z0-9_-]{1,32}$/.test(name)
    ? ` (${name})`
    : "";
}

/** Relative to where it was written, whoever loads the module. */
function withPath(entry: Settings, base: string): Settings {
  const { type, module } = entry;
  return type === moduleTypeName && typeof module === "string"
    ? { ...entry, module: resolveModule(module, base) }
    : entry;
}

function readFiles(
  settings: Settings,
  base: string,
  complain: (problem: string) => void,
  prefix = "",
): Settings {
  const read = Object.entries(settings).map(([key, value]) => {
    const place = `${prefix}${key}`;
    if (!isObject(value)) return [key, value];
    const { file } = value;
    const isFile = typeof file === "string" && Object.keys(value).length === 1;
    // What is within a page are the carrier's names, `file` maybe one of them.
    if (!isFile && place === pageSetting) return [key, value];
    if (!isFile) return [key, readFiles(value, base, complain, `${place}.`)];
    const path = resolve(base, file);
    const complainOf = (it: string) =>
      complain(`the file of ${place}, ${path}, ${it}`);
    const { text, problem } = readSecret(path);
    if (problem) complainOf(problem);
    if (text === undefined) return [key, unreadFile];
    return [key, place === pageSetting ? readPage(text, complainOf) : text];
  });
  return Object.fromEntries(read);
}

function readPage(text: string, complain: (problem: string) => void): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    complain(`is no JSON from${placeOf(error)} on`);
    return unreadFile;
  }
}

const maxSecretBytes = 65_536;

function readSecret(path: string): { text?: string; problem?: string } {
  let bytes: Buffer | undefined;
  try {
    bytes = readAtMost(path, maxSecretBytes);
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : "";
    return {
      problem:
        code === "ENOENT"
          ? "is not there"
          : code === "EACCES"
            ? "may not be read"
            : `cannot be read (${code})`,
    };
  }
  if (bytes === undefined) {
    return { problem: `is larger than ${maxSecretBytes} bytes` };
  }
  const text = bytes.toString("utf8").replace(/\r?\n$/, "");
  return text === "" ? { problem: "is empty" } : { text };
}
