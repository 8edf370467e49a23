/**
 * Templates of Django in Liquid, as far as one has what the other has. Pure; what
 * it cannot translate it leaves out and lists.
 */

import {
  splitWords,
  toCondition,
  toFilteredValue,
  toValue,
} from "./django-expressions.ts";
import { type Report, toStrftime } from "./django-filters.ts";
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
  /** Of `blocktrans` tags that are open: whether they count. */
  readonly #openCounts: boolean[] = [];
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
        this.#blockTranslated(rest);
        return;
      case "plural":
        if (this.#openCounts.at(-1)) this.#write("{% else %}");
        else this.#unknown(name);
        return;
      case "endblocktrans":
      case "endblocktranslate":
        if (this.#openCounts.pop()) this.#write("{% endif %}");
        return;
      case "now":
        this.#now(rest);
        return;
      case "firstof":
        this.#firstOf(rest);
        return;
      case "cycle":
        this.#cycle(rest);
        return;
      case "get_or_raise":
        this.#write(
          `{{ ${toValue(splitWords(rest)[0] ?? "", this.#report)} | required }}`,
        );
        return;
      case "autoescape":
        if (rest === "off") this.#unknown("autoescape off");
        return;
      case "load":
      case "endwith":
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
    const [, names, list, reversed = ""] =
      /^(\w+(?:\s*,\s*\w+)*)\s+in\s+(.+?)(\s+reversed)?$/s.exec(text) ?? [];
    if (names === undefined || list === undefined) {
      this.#report(`the tag for with ${text}`);
      return;
    }
    const variables = names.split(/\s*,\s*/);
    const [, owner = list, part] =
      /^([\w.]+)\.(items|keys|values)$/.exec(list) ?? [];
    let source = toFilteredValue(owner, this.#report);
    if (source.includes(" | ")) {
      const name = `value_${++this.#names}`;
      this.#write(`{% assign ${name} = ${source} %}`);
      source = name;
    }
    // Liquid goes over the pairs of an object.
    const isPart = part === "keys" || part === "values";
    if (variables.length < 2 && !isPart) {
      this.#write(`{% for ${names} in ${source}${reversed} %}`);
      return;
    }
    const pair = `pair_${++this.#names}`;
    this.#write(`{% for ${pair} in ${source}${reversed} %}`);
    for (const [n, name] of variables.entries()) {
      const place =
        variables.length > 1 ? `[${n}]` : part === "keys" ? "[0]" : "[1]";
      this.#write(`{% assign ${name} = ${pair}${place} %}`);
    }
    if (isPart && variables.length > 1)
      this.#report(`the tag for with ${text}`);
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
      this.#assign(variable, toFilteredValue(given, this.#report));
    }
  }

  #assign(variable: string, value: string): void {
    this.#write(`{% assign ${variable} = ${value} %}`);
  }

  /** With `count` it is one text for 1, another for all else, as in English. */
  #blockTranslated(text: string): void {
    const [, counter] = /\bcount\s+(\w+)\s*=/.exec(text) ?? [];
    this.#openCounts.push(counter !== undefined);
    if (/\basvar\b/.test(text))
      this.#report("blocktrans with asvar: use capture");
    if (/\bcount\b/.test(text) && counter === undefined) {
      this.#report("blocktrans with count: use if");
    }
    this.#with(text.replace(/\basvar\s+\w+/, ""));
    if (counter !== undefined) this.#write(`{% if ${counter} == 1 %}`);
  }

  /** `"Y"`, or `"Y" as year`. */
  #now(text: string): void {
    const [, given = text, name] = /^(.+?)\s+as\s+(\w+)$/s.exec(text) ?? [];
    const format = toStrftime(given, this.#report);
    if (format === undefined) return;
    const value = `"now" | date: ${format}`;
    if (name === undefined) this.#write(`{{ ${value} }}`);
    else this.#assign(name, value);
  }

  #cycle(text: string): void {
    const words = splitWords(text);
    if (words.includes("as") || words.length < 2) {
      this.#report("the tag cycle with a name: repeat its values");
      return;
    }
    if (words.some((word) => /^[^"']*\|/.test(word))) {
      this.#report("the tag cycle with filters");
      return;
    }
    const values = words.map((word) => toValue(word, this.#report));
    this.#write(`{% cycle ${values.join(", ")} %}`);
  }

  /** `"text"`, also with `noop`, `context "…"` or `as name` behind it. */
  #translated(text: string): void {
    const [word = "", ...options] = splitWords(text);
    const at = options.indexOf("as");
    const name = at < 0 ? undefined : options[at + 1];
    const [, , quoted] = /^(["'])(.*)\1$/s.exec(word) ?? [];
    if (name !== undefined) {
      this.#assign(name, toFilteredValue(word, this.#report));
    } else if (quoted !== undefined) {
      this.#write(quoted.replace(/\\(.)/gs, "$1"));
    } else this.#write(`{{ ${toFilteredValue(word, this.#report)} }}`);
  }

  /** `a b "text"`, or with `as name` behind it. */
  #firstOf(text: string): void {
    const words = [...splitWords(text)];
    const name = words.at(-2) === "as" ? words.splice(-2)[1] : undefined;
    const [first = '""', ...others] = words;
    const defaults = others.map((word) => {
      if (/^[^"']*\|/.test(word)) this.#report("the tag firstof with filters");
      return ` | default: ${toValue(word, this.#report)}`;
    });
    const value = `${toFilteredValue(first, this.#report)}${defaults.join("")}`;
    if (name === undefined) this.#write(`{{ ${value} }}`);
    else this.#assign(name, value);
  }
}
