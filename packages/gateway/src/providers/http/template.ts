/**
 * Texts of a page with values put in: `{to}`, `{to|plus}`, `{expires|times:60}`.
 * A text in which a value is absent is absent itself; `{{` and `}}` are braces.
 */

import { withPlus } from "../../sender-plus.ts";
import { escapeXml } from "../../xml.ts";

export type TemplateValue = string | number | boolean;

/** The value of a name; `undefined`: there is none. */
export type LookUp = (name: string) => TemplateValue | undefined;

/** A text of a page, ready to be filled in. */
export interface Template {
  /** Of the values it needs. */
  readonly names: readonly string[];
  /**
   * One value alone keeps its type; with anything beside it, it is text.
   * `undefined`: a value is absent.
   */
  render(lookUp: LookUp): TemplateValue | undefined;
}

interface Expression {
  readonly name: string;
  readonly filters: readonly AppliedFilter[];
}

type AppliedFilter = (
  value: TemplateValue | undefined,
) => TemplateValue | undefined;

/** Throws `SyntaxError` that names the part which is wrong. */
export function parseTemplate(source: string): Template {
  const parts = [...source.matchAll(token)].map(([whole, expression]) =>
    expression === undefined
      ? withoutDoubles(whole)
      : parseExpression(expression),
  );
  const names = parts.flatMap((it) => (typeof it === "string" ? [] : it.name));
  const [only] = parts;
  const single =
    parts.length === 1 && typeof only === "object" ? only : undefined;
  return {
    names,
    render(lookUp) {
      if (single) return evaluate(single, lookUp);
      let text = "";
      for (const part of parts) {
        const value = typeof part === "string" ? part : evaluate(part, lookUp);
        if (value === undefined) return undefined;
        text += value;
      }
      return text;
    },
  };
}

/** Pieces of text, with doubled braces in them, and expressions in braces. */
const token = /\{(?!\{)([^{}]*)\}|(?:[^{}]|\{\{|\}\})+|[{}]/g;

function withoutDoubles(text: string): string {
  if (text === "{" || text === "}") {
    throw new SyntaxError("a brace stands alone: double it, or close it");
  }
  return text.replaceAll("{{", "{").replaceAll("}}", "}");
}

function evaluate(
  { name, filters }: Expression,
  lookUp: LookUp,
): TemplateValue | undefined {
  return filters.reduce((value, apply) => apply(value), lookUp(name));
}

function parseExpression(text: string): Expression {
  const [name = "", ...filters] = text.split("|");
  if (!/^[a-z][\w.]*$/i.test(name)) {
    throw new SyntaxError(`"${name}" is no name of a value`);
  }
  return { name, filters: filters.map(parseFilter) };
}

function parseFilter(text: string): AppliedFilter {
  const colon = text.indexOf(":");
  const name = colon < 0 ? text : text.slice(0, colon);
  const argument = colon < 0 ? undefined : text.slice(colon + 1);
  const make = filters.get(name);
  if (!make) {
    const names = [...filters.keys()].join(", ");
    throw new SyntaxError(`there is no filter "${name}"; there are ${names}`);
  }
  return make(argument);
}

/** A filter that an absent value passes by. */
function filterOf(
  apply: (value: TemplateValue) => TemplateValue | undefined,
): (argument: string | undefined) => AppliedFilter {
  return () => (value) => (value === undefined ? undefined : apply(value));
}

type MakeFilter = (argument: string | undefined) => AppliedFilter;

const filters: ReadonlyMap<string, MakeFilter> = new Map<string, MakeFilter>([
  // A number of 7 to 15 digits with its plus; short codes and names as they are.
  ["plus", filterOf((v) => withPlus(String(v)))],
  ["digits", filterOf((v) => String(v).replace(/\D/g, ""))],
  ["text", filterOf((v) => String(v))],
  ["integer", filterOf(toInteger)],
  ["hexUtf16", filterOf((v) => hexUtf16(String(v)))],
  ["base64", filterOf((v) => base64(String(v)))],
  ["url", filterOf((v) => encodeURIComponent(String(v)))],
  ["xml", filterOf((v) => escapeXml(String(v)))],
  ["times", (by) => times(needed("times", by))],
  // Any value but false and nothing: so much.
  [
    "if",
    (then) => {
      const result = needed("if", then);
      return (v) => (v === undefined || v === false ? undefined : result);
    },
  ],
  [
    "else",
    (other = "") =>
      (v) =>
        v ?? other,
  ],
  [
    "map",
    (pairs) => {
      const entries = needed("map", pairs)
        .split(",")
        .map((pair) => pair.split("="));
      const map = new Map(entries.map(([k = "", v = ""]) => [k, v]));
      return (v) => (v === undefined ? undefined : map.get(String(v)));
    },
  ],
]);

function needed(filter: string, argument: string | undefined): string {
  if (argument !== undefined && argument !== "") return argument;
  throw new SyntaxError(`the filter "${filter}" needs a value after a colon`);
}

function times(argument: string): AppliedFilter {
  const factor = Number(argument);
  if (!(factor > 0)) throw new SyntaxError('"times" needs a number above 0');
  return (v) =>
    v === undefined ? undefined : Math.max(1, Math.round(Number(v) * factor));
}

function toInteger(value: TemplateValue): TemplateValue | undefined {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : undefined;
}

function hexUtf16(text: string): string {
  return Array.from({ length: text.length }, (_, at) =>
    text.charCodeAt(at).toString(16).toUpperCase().padStart(4, "0"),
  ).join("");
}

function base64(text: string): string {
  return btoa(String.fromCharCode(...new TextEncoder().encode(text)));
}
