/** Expressions of Django's templates in Liquid: values, filters, conditions. */

import { djangoFilters, type Report } from "./django-filters.ts";

/** A value with its filters, cut at blanks that are not quoted. */
export function splitWords(text: string): readonly string[] {
  return (
    text.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"']|["'])+/gs) ?? []
  );
}

/** `a.b|default:"c"` → `a.b | default: "c"` */
export function toFilteredValue(text: string, report: Report): string {
  const [value = "", ...filters] = splitAt(text.trim(), "|");
  const names = filters.map((filter) => filter.trim());
  const written = withSafeLast(names, report).flatMap((filter) =>
    toFilter(filter, report),
  );
  return [toValue(value.trim(), report), ...written].join(" | ");
}

/**
 * In Django a value that is safe stays so; in Liquid the last filter says it. What
 * makes HTML of it escapes it there, so that nothing says the same.
 */
function withSafeLast(
  filters: readonly string[],
  report: Report,
): readonly string[] {
  const at = filters.indexOf("safe");
  if (at < 0 || at === filters.length - 1) return filters;
  const maker = filters.slice(at + 1).find((it) => htmlMakers.has(it));
  if (maker !== undefined) {
    report(`the filter safe before ${maker}: give the HTML as it is to be`);
    return filters;
  }
  return [...filters.filter((it) => it !== "safe"), "safe"];
}

const htmlMakers = new Set([
  "linebreaks",
  "linebreaksbr",
  "escape",
  "force_escape",
]);

/** A text in quotes stands for itself, or to be translated. */
export function toValue(text: string, report: Report): string {
  const [, translated] = /^_\((.*)\)$/s.exec(text) ?? [];
  if (translated !== undefined) return translated;
  if (/^["']/.test(text)) return text;
  const unknown = text
    .split(".")
    .slice(1)
    .find((name) => methods.test(name));
  if (unknown !== undefined || text.startsWith("block.")) {
    report(`${text}: give its value in the context`);
  }
  if (text === "None") return "nil";
  if (text === "True" || text === "False") return text.toLowerCase();
  return text.replace(
    /\bforloop\.(counter0?|revcounter0?)\b/g,
    (_, name: string) => `forloop.${loopNames[name] ?? name}`,
  );
}

/** What Python's values do, and data does not have. */
const methods =
  /^(?:items|keys|values|all|count|exists|upper|lower|title|capitalize|strip|split|isoformat|parentloop|get_\w+)$/;

/**
 * A condition of `if`.
 *
 * @param hoist keeps a filtered value under a name, which it answers: Liquid has
 * no filters within conditions
 */
export function toCondition(
  text: string,
  hoist: (value: string) => string,
  report: Report,
): string {
  const operand = (word: string) =>
    splitAt(word, "|").length > 1
      ? hoist(toFilteredValue(word, report))
      : toValue(word, report);
  const words = splitWords(text);
  const parts: string[] = [];
  let hasAnd = false;
  for (let n = 0; n < words.length; n++) {
    const word = words[n] ?? "";
    if (word === "and" || word === "or") {
      if (word === "or" && hasAnd) {
        report("or behind and: Liquid evaluates from the right");
      }
      hasAnd ||= word === "and";
      parts.push(word);
      continue;
    }
    const isNegated = word === "not";
    const left = operand(isNegated ? (words[++n] ?? "") : word);
    const [next = "", after = ""] = words.slice(n + 1, n + 3);
    if (next === "in") {
      parts.push(`${operand(after)} contains ${left}`);
      if (isNegated) report("not … in: put else in its place");
      n += 2;
    } else if (next === "not" && after === "in") {
      parts.push(`${operand(words[n + 3] ?? "")} contains ${left}`);
      report("not in: put else in its place");
      n += 3;
    } else if (next === "is") {
      const isNot = after === "not";
      const right = operand(words[n + (isNot ? 3 : 2)] ?? "");
      parts.push(`${left} ${isNot ? "!=" : "=="} ${right}`);
      n += isNot ? 3 : 2;
    } else if (comparisons.has(next)) {
      if (isNegated) report("not before a comparison: turn it round");
      parts.push(`${left} ${next} ${operand(after)}`);
      n += 2;
    } else {
      parts.push(`${left} ${isNegated ? "==" : "!="} blank`);
    }
  }
  return parts.join(" ");
}

const comparisons = new Set(["==", "!=", "<", ">", "<=", ">="]);

const loopNames: Readonly<Record<string, string>> = {
  counter: "index",
  counter0: "index0",
  revcounter: "rindex",
  revcounter0: "rindex0",
};

function toFilter(text: string, report: Report): string[] {
  const [name = "", ...rest] = splitAt(text, ":");
  const known = Object.hasOwn(djangoFilters, name)
    ? djangoFilters[name]
    : undefined;
  if (known?.write === undefined) {
    report(`the filter ${name}${known?.note ? `: ${known.note}` : ""}`);
    return [];
  }
  const argument =
    rest.length > 0 ? toValue(rest.join(":").trim(), report) : undefined;
  const written = known.write(argument, report);
  if (written !== undefined) return [written];
  report(`the filter ${text}`);
  return [];
}

/** Cuts where the mark stands outside of quotes. */
function splitAt(text: string, mark: string): string[] {
  const parts = [""];
  let quote = "";
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (quote === "" && character === mark) {
      parts.push("");
      continue;
    }
    parts[parts.length - 1] += character;
    if (quote !== "" && character === "\\") {
      parts[parts.length - 1] += text.charAt(++at);
    } else if (character === quote) quote = "";
    else if (quote === "" && (character === '"' || character === "'")) {
      quote = character;
    }
  }
  return parts;
}
