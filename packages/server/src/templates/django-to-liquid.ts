/**
 * Templates of Django in Liquid, as far as one has what the other has. Pure; what
 * it cannot translate it leaves out and lists.
 */

import {
  type Report,
  splitWords,
  toCondition,
  toFilteredValue,
  toValue,
} from "./django-expressions.ts";
import { toStrftime } from "./django-filters.ts";
import { djangoTags } from "./django-tags.ts";

/** What has no counterpart, and where it stood. */
export interface TranslationProblem {
  /** From 1. */
  readonly line: number;
  /** "the filter pluralize: use if, or give the word in the context" */
  readonly what: string;
}

export interface Translation {
  readonly source: string;
  readonly problems: readonly TranslationProblem[];
}

export function djangoToLiquid(django: string): Translation {
  const translator = new Translator();
  let at = 0;
  const opening = /\{[{%#]/g;
  for (;;) {
    opening.lastIndex = at;
    const begin = opening.exec(django)?.index ?? -1;
    const kind = django[begin + 1] ?? "";
    const closing = kind === "{" ? "}}" : `${kind}}`;
    const end = begin < 0 ? -1 : django.indexOf(closing, begin + 2);
    if (end < 0) {
      translator.text(django.slice(at));
      return translator.result;
    }
    translator.text(django.slice(at, begin));
    const whole = django.slice(begin, end + 2);
    translator.part(kind, whole.slice(2, -2).trim(), whole);
    at = end + 2;
  }
}

class Translator {
  readonly #parts: string[] = [];
  readonly #problems: TranslationProblem[] = [];
  /** Where parts of `if` tags that are open begin. */
  readonly #openIfs: number[] = [];
  /** The tag that ends what is left as it is. */
  #verbatimEnd: string | undefined;
  #line = 1;
  #names = 0;

  get result(): Translation {
    return { source: this.#parts.join(""), problems: this.#problems };
  }

  text(text: string): void {
    this.#parts.push(text);
    this.#line += text.split("\n").length - 1;
  }

  part(kind: string, inner: string, whole: string): void {
    const [name = ""] = splitWords(inner);
    if (this.#verbatimEnd !== undefined) {
      if (kind === "%" && name === this.#verbatimEnd) {
        this.#verbatimEnd = undefined;
        this.#write(
          name === "endcomment" ? "{% endcomment %}" : "{% endraw %}",
        );
      } else this.#write(whole);
    } else if (kind === "{") {
      this.#write(`{{ ${toFilteredValue(inner, this.#report)} }}`);
    } else if (kind === "#") {
      this.#write(`{% comment %} ${inner} {% endcomment %}`);
    } else {
      this.#tag(name, inner.slice(name.length).trim());
    }
    this.#line += whole.split("\n").length - 1;
  }

  readonly #report: Report = (what) => {
    this.#problems.push({ line: this.#line, what });
  };

  #write(text: string): void {
    this.#parts.push(text);
  }

  #tag(name: string, rest: string): void {
    switch (name) {
      case "if":
        this.#openIfs.push(this.#parts.length);
        this.#write(`{% if ${this.#condition(rest)} %}`);
        return;
      case "elif":
        this.#write(`{% elsif ${this.#condition(rest)} %}`);
        return;
      case "endif":
        this.#openIfs.pop();
        this.#write("{% endif %}");
        return;
      case "else":
      case "endfor":
        this.#write(`{% ${name} %}`);
        return;
      case "empty":
        this.#write("{% else %}");
        return;
      case "for":
        this.#for(rest);
        return;
      case "with":
        this.#with(rest);
        return;
      case "comment":
        this.#verbatimEnd = "endcomment";
        this.#write("{% comment %}");
        return;
      case "verbatim":
        this.#verbatimEnd = `endverbatim`;
        this.#write("{% raw %}");
        return;
      case "trans":
      case "translate":
        this.#translated(rest);
        return;
      case "blocktrans":
      case "blocktranslate":
        if (/\bcount\b/.test(rest)) this.#unknown("plural");
        if (/\bwith\b/.test(rest)) {
          this.#with(rest.replace(/^.*?\bwith\b|\bcount\b.*$/gs, ""));
        }
        return;
      case "now":
        this.#write(`{{ "now" | date: ${toStrftime(rest)} }}`);
        return;
      case "firstof":
        this.#firstOf(rest);
        return;
      case "cycle":
        this.#write(`{% cycle ${splitWords(rest).map(toValue).join(", ")} %}`);
        return;
      case "get_or_raise":
        this.#write(`{{ ${toValue(splitWords(rest)[0] ?? "")} | required }}`);
        return;
      case "autoescape":
        if (rest === "off") this.#unknown("autoescape off");
        return;
      case "load":
      case "endwith":
      case "endblocktrans":
      case "endblocktranslate":
      case "spaceless":
      case "endspaceless":
      case "endautoescape":
        return;
      default:
        this.#unknown(name);
    }
  }

  #unknown(name: string): void {
    const known = djangoTags.find(({ django }) =>
      new RegExp(`^\\{% ${name.replace(/\W/g, "\\$&")}( |$)`).test(django),
    );
    this.#report(`the tag ${name}${known?.note ? `: ${known.note}` : ""}`);
  }

  #condition(text: string): string {
    const hoist = (value: string) => {
      const name = `value_${++this.#names}`;
      const at = this.#openIfs.at(-1) ?? this.#parts.length;
      this.#parts.splice(at, 0, `{% assign ${name} = ${value} %}`);
      const last = this.#openIfs.length - 1;
      if (last >= 0) this.#openIfs[last] = at + 1;
      return name;
    };
    return toCondition(text, hoist, this.#report);
  }

  #for(text: string): void {
    const [, names = "", list = "", reversed = ""] =
      /^(.+?)\s+in\s+(.+?)(\s+reversed)?$/s.exec(text) ?? [];
    const variables = names.split(/\s*,\s*/);
    const [variable = "item"] = variables;
    let source = toFilteredValue(list, this.#report);
    if (source.includes(" | ")) {
      const name = `value_${++this.#names}`;
      this.#write(`{% assign ${name} = ${source} %}`);
      source = name;
    }
    if (variables.length < 2) {
      this.#write(`{% for ${variable} in ${source}${reversed} %}`);
      return;
    }
    const pair = `pair_${++this.#names}`;
    this.#write(
      `{% for ${pair} in ${source.replace(/\.items$/, "")}${reversed} %}`,
    );
    for (const [n, name] of variables.entries()) {
      this.#write(`{% assign ${name} = ${pair}[${n}] %}`);
    }
  }

  /** `a=b c=d`, or `b as a`. */
  #with(text: string): void {
    const [, value, name] = /^(\S+)\s+as\s+(\w+)$/s.exec(text.trim()) ?? [];
    const pairs =
      value !== undefined && name !== undefined
        ? [[name, value]]
        : splitWords(text)
            .filter((word) => word.includes("="))
            .map((word) => {
              const at = word.indexOf("=");
              return [word.slice(0, at), word.slice(at + 1)];
            });
    for (const [variable = "", given = ""] of pairs) {
      const written = toFilteredValue(given, this.#report);
      this.#write(`{% assign ${variable} = ${written} %}`);
    }
  }

  #translated(text: string): void {
    const [word = ""] = splitWords(text);
    const [, , quoted] = /^(["'])(.*)\1$/s.exec(word) ?? [];
    if (quoted !== undefined) this.#write(quoted.replace(/\\(.)/gs, "$1"));
    else this.#write(`{{ ${toFilteredValue(word, this.#report)} }}`);
  }

  #firstOf(text: string): void {
    const [first = '""', ...others] = splitWords(text);
    const defaults = others.map((word) => ` | default: ${toValue(word)}`);
    this.#write(
      `{{ ${toFilteredValue(first, this.#report)}${defaults.join("")} }}`,
    );
  }
}
