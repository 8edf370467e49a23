/** Expressions of Django's templates in Liquid: values, filters, conditions. */

import { djangoFilters } from "./django-filters.ts";

/** Takes what there is no counterpart for. */
export type Report = (what: string) => void;

/** A value with its filters, cut at blanks that are not quoted. */
export function splitWords(text: string): readonly string[] {
  return (
    text.match(/(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[^\s"']|["'])+/gs) ?? []
  );
}

/** `a.b|default:"c"` → `a.b | default: "c"` */
export function toFilteredValue(text: string, report: Report): string {
  const [value = "", ...filters] = splitAt(text.trim(), "|");
  const written = filters.flatMap((filter) => toFilter(filter.trim(), report));
  return [toValue(value.trim()), ...written].join(" | ");
}

/** A text in quotes stands for itself, or to be translated. */
export function toValue(text: string): string {
  const [, translated] = /^_\((.*)\)$/s.exec(text) ?? [];
  if (translated !== undefined) return translated;
  if (/^["']/.test(text)) return text;
  if (text === "None") return "nil";
  if (text === "True" || text === "False") return text.toLowerCase();
  return text.replace(
    /\bforloop\.(counter0?|revcounter0?)\b/g,
    (_, name: string) => `forloop.${loopNames[name] ?? name}`,
  );
}

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
      : toValue(word);
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
      const right = toValue(words[n + (isNot ? 3 : 2)] ?? "");
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
  const argument = rest.length > 0 ? toValue(rest.join(":").trim()) : undefined;
  if (name === "slice" && /-|:.*:/.test(argument ?? "")) {
    report("the filter slice from the end, or with steps");
    return [];
  }
  return [known.write(argument)];
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
