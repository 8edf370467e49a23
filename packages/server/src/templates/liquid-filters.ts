/**
 * The filters that templates of stored messages may use: liquidjs's own, less
 * those that could do harm or make no sense here, each within the budget of its
 * rendering.
 */

import { type Clock, systemClock } from "@carillon/core";
import {
  filters as allFilters,
  type FilterImplOptions,
  type Liquid,
} from "liquidjs";
import { rangeFilter, rangeOf } from "./bounded-ranges.ts";
import { budgetOf } from "./budgeted-context.ts";

type Handler = Extract<FilterImplOptions, (...args: never) => unknown>;

/** What a filter is called with. */
type FilterCall = ThisParameterType<Handler>;

/**
 * By name, why liquidjs's filter is left out. Filters that take an expression as
 * text would parse it each time; lists that hold lists grow without end.
 */
export const omittedFilters = {
  where_exp: "expression",
  reject_exp: "expression",
  group_by_exp: "expression",
  has_exp: "expression",
  find_exp: "expression",
  find_index_exp: "expression",
  push: "nesting",
  unshift: "nesting",
  sample: "chance",
  inspect: "debugging",
} as const;

/** Those that look for their first argument in the text. */
const searching = new Set([
  "split",
  "replace",
  "replace_first",
  "replace_last",
  "remove",
  "remove_first",
  "remove_last",
]);

/** Those that read a property of each member, by an expression. */
const selecting = new Set([
  "where",
  "reject",
  "group_by",
  "has",
  "find",
  "find_index",
  "map",
  "sort",
  "sort_natural",
  "sum",
]);
/** What reading one costs above {@link RenderBudget.useValue}. */
const unitsPerSelection = 150;

/** A property's name, or a path to it. */
const propertyPath = /^[^.()[\]"'\s]+(\.[^.()[\]"'\s]+)*$/;

const maxFormatLength = 200;
/** What is longer is no date. */
const maxDateLength = 100;

/** What makes text for HTML of its own: it is not escaped once more. */
const htmlFilters = ["escape", "escape_once", "xml_escape"] as const;

/** Registers the filters in place of liquidjs's. */
export function registerFilters(
  liquid: Liquid,
  {
    escaping,
    clock = systemClock,
  }: {
    readonly escaping: "html" | "none";
    readonly clock?: Pick<Clock, "now">;
  },
): void {
  for (const name of Object.keys(liquid.filters)) {
    if (name in omittedFilters) liquid.unregisterFilter(name);
  }
  for (const [name, filter] of Object.entries(allFilters)) {
    if (name in omittedFilters || typeof filter !== "function") continue;
    const bounded = withinBudget(
      name,
      name === "slugify" ? withDjangoSlugs(filter) : filter,
    );
    liquid.registerFilter(
      name,
      name === "date" || name.startsWith("date_to")
        ? checkingDates(bounded, clock)
        : bounded,
    );
  }
  liquid.registerFilter(rangeFilter, withinBudget(rangeFilter, rangeOf));
  liquid.registerFilter("required", required);
  liquid.registerFilter("raw", { raw: true, handler: toText });
  if (escaping === "none") return;
  for (const name of htmlFilters) {
    const handler = liquid.filters[name];
    if (typeof handler !== "function") continue;
    liquid.registerFilter(name, { raw: true, handler });
  }
  liquid.registerFilter("newline_to_br", {
    raw: true,
    handler: withinBudget("newline_to_br", (value) =>
      escapeHtml(textOf(value)).replace(/\r?\n/g, "<br />\n"),
    ),
  });
}

/**
 * A value as it is printed: texts and numbers as they are, nothing for what is
 * missing, lists one member behind the other, objects as JSON.
 */
export function toText(this: FilterCall, value: unknown): string {
  budgetOf(this.context).useValue(value);
  return textOf(value);
}

/** The same for HTML, but for what is known to be HTML. */
export function toHtml(this: FilterCall, value: unknown): string {
  const text = toText.call(this, value);
  if (budgetOf(this.context).safeTexts.has(text)) return text;
  return escapeHtml(text);
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&#34;",
  "'": "&#39;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? "");
}

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined || value === null) return "";
  if (Array.isArray(value)) return value.map(textOf).join("");
  // Objects of contexts are bounded in size, see core's template-context.ts.
  return typeof value === "object" ? JSON.stringify(value) : String(value);
}

function withinBudget(name: string, filter: Handler): Handler {
  return function* (value, ...args): Generator<unknown, unknown, unknown> {
    const budget = budgetOf(this.context);
    budget.check();
    budget.useValue(value);
    for (const arg of args) budget.useValue(arg);
    if (searching.has(name)) {
      budget.useSearch(textOf(value).length, textOf(args[0]).length);
    }
    if (selecting.has(name)) {
      budget.use(unitsPerSelection * (Array.isArray(value) ? value.length : 1));
      checkProperty(args[0]);
    }
    // Generators of liquidjs answer by way of what drives them.
    const result = yield filter.call(this, value, ...args);
    budget.useValue(result);
    return result;
  };
}

/** With `"django"` slugs as Django makes them: liquidjs's "latin" knows few letters. */
function withDjangoSlugs(slugify: Handler): Handler {
  return function (value, mode, ...args) {
    if (mode === "django") return toDjangoSlug(textOf(value));
    return slugify.call(this, value, mode, ...args);
  };
}

function toDjangoSlug(text: string): string {
  const words = text
    .normalize("NFKD")
    .replace(/[^\x20-\x7e\s]/g, "")
    .toLowerCase()
    .replace(/[^\w\s-]/g, "")
    .replace(/[-\s]+/g, "-");
  // Not by an expression, which would take the square of the length.
  let start = 0;
  let end = words.length;
  while (start < end && "-_".includes(words.charAt(start))) start++;
  while (end > start && "-_".includes(words.charAt(end - 1))) end--;
  return words.slice(start, end);
}

/** Whatever else liquidjs would take for an expression, each time anew. */
function checkProperty(property: unknown): void {
  if (property === undefined || property === null) return;
  if (typeof property === "string" && propertyPath.test(property)) return;
  throw new Error("The name of a property is expected.");
}

/** A format of any length could take the square of it. */
function checkingDates(filter: Handler, clock: Pick<Clock, "now">): Handler {
  return function (value, ...args) {
    const [format] = args;
    if (typeof format === "string" && format.length > maxFormatLength) {
      throw new Error(
        `A format of dates has at most ${maxFormatLength} characters.`,
      );
    }
    if (typeof value === "string" && value.length > maxDateLength) return value;
    const isNow = value === "now" || value === "today";
    const at = isNow ? Math.floor(clock.now() / 1000) : value;
    return filter.call(this, at, ...args);
  };
}

/** `{{ name | required }}`: what is missing or empty is a problem. */
function required(this: FilterCall, value: unknown): unknown {
  if (value !== undefined && value !== null && value !== "") return value;
  const { input, begin } = this.token;
  const opened = Math.max(
    input.lastIndexOf("{{", begin),
    input.lastIndexOf("{%", begin),
  );
  const [expression = ""] = input.slice(opened + 2, begin).split("|");
  const name = expression
    .replace(/^-?\s*(assign\s+[\w-]+\s*=|echo\s)?/, "")
    .trim()
    .slice(0, 100);
  throw new Error(`The variable ${name} is required.`);
}
