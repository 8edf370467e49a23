/**
 * Looks for tags in the HTML of mails, with a parser that follows the HTML
 * standard: comments, CDATA sections and what stands in `style` or `title` end
 * where they end for a browser, which also depends on the elements around them.
 */

import { setImmediate } from "node:timers/promises";
import type { HtmlCheck } from "@carillon/core";
import { type DefaultTreeAdapterMap, html as names, Parser } from "parse5";

/** More than browsers nest; it bounds what one tag costs the parser. */
const maxDepth = 512;

/** Characters that are parsed in one turn of the event loop. */
const charactersPerTurn = 16_384;

export const findProblem: HtmlCheck["findProblem"] = async (
  html,
  tags,
  kind,
) => {
  const banned = new Set(tags.map((tag) => tag.toLowerCase()));
  if (banned.size === 0) return undefined;
  const text = kind === "source" ? withoutLiquid(html) : html;
  for (const reading of readingsOf(text)) {
    const search = new TagSearch(banned, reading);
    for (let at = 0; at < text.length && !search.found; ) {
      const next = at + charactersPerTurn;
      search.tokenizer.write(text.slice(at, next), next >= text.length);
      at = next;
      if (at < text.length) await setImmediate();
    }
    if (search.found) return search.found;
  }
  return undefined;
};

/** What programs that show mails do not agree on. */
interface Reading {
  /** Then `noscript` has text, and no elements. */
  readonly runsScripts: boolean;
  /**
   * `select` keeps out most elements, or none, by the age of the browser; and
   * there are frames, or a mail is shown within a page, where there are none.
   */
  readonly isLenient: boolean;
}

/** Those that make a difference for a text. */
function readingsOf(text: string): readonly Reading[] {
  const scripts = /<noscript/i.test(text) ? [false, true] : [false];
  const lenient = /<(?:select|frameset)/i.test(text) ? [false, true] : [false];
  return scripts.flatMap((runsScripts) =>
    lenient.map((isLenient) => ({ runsScripts, isLenient })),
  );
}

type StartTag = Parameters<Parser<DefaultTreeAdapterMap>["onStartTag"]>[0];

/** A parser that stops at what it looks for. */
class TagSearch extends Parser<DefaultTreeAdapterMap> {
  found: { readonly problem: string; readonly at: number } | undefined;
  readonly #banned: ReadonlySet<string>;
  readonly #isLenient: boolean;

  constructor(
    banned: ReadonlySet<string>,
    { runsScripts, isLenient }: Reading,
  ) {
    super({ scriptingEnabled: runsScripts, sourceCodeLocationInfo: true });
    this.#banned = banned;
    this.#isLenient = isLenient;
  }

  override onStartTag(token: StartTag): void {
    if (this.found) return;
    // Where no element is made of it, another program may make one.
    const { tagName } = token;
    const tag = this.#bannedNameOf(tagName);
    if (tag !== undefined) {
      this.#find(token, `The tag ${tag} is banned`);
      return;
    }
    this.#asUnknown(token);
    super.onStartTag(token);
    if (this.openElements.stackTop < maxDepth) return;
    this.#find(token, `Elements are nested more than ${maxDepth} deep`);
  }

  override onEndTag(token: StartTag): void {
    if (this.found) return;
    this.#asUnknown(token);
    super.onEndTag(token);
  }

  /** In HTML, `image` is another name of `img`. */
  #bannedNameOf(tagName: string): string | undefined {
    if (this.#banned.has(tagName)) return tagName;
    return tagName === "image" && this.#banned.has("img") ? "img" : undefined;
  }

  #asUnknown(token: StartTag): void {
    const { tagName } = token;
    if (!this.#isLenient || !/^(?:select|frameset)$/.test(tagName)) return;
    token.tagName = `x-${tagName}`;
    token.tagID = names.TAG_ID.UNKNOWN;
  }

  #find({ location }: StartTag, problem: string): void {
    this.found = { problem, at: location?.startOffset ?? 0 };
    this.stopped = true;
    this.tokenizer.pause();
  }
}

/** Of the same length, so that places stay what they are. */
function withoutLiquid(source: string): string {
  const parts: string[] = [];
  const opening = /\{[{%]/g;
  let at = 0;
  for (;;) {
    opening.lastIndex = at;
    const { index = -1, 0: braces = "" } = opening.exec(source) ?? {};
    const closing = braces === "{%" ? "%}" : "}}";
    const end = index < 0 ? -1 : source.indexOf(closing, index + 2);
    // What is not closed is none, and all behind it is looked at.
    if (end < 0) return parts.join("") + source.slice(at);
    const liquid = source.slice(index, end + 2);
    parts.push(source.slice(at, index), liquid.replace(/[^\n]/g, " "));
    at = end + 2;
  }
}
