/** Looks for tags in the HTML of mails, as a browser's parser would see them. */

import type { HtmlCheck } from "@carillon/core";
import { Parser } from "htmlparser2";

export const findTag: HtmlCheck["findTag"] = async (html, tags, kind) => {
  const banned = new Set(tags.map((tag) => tag.toLowerCase()));
  if (banned.size === 0) return undefined;
  let found: { readonly tag: string; readonly at: number } | undefined;
  const parser = new Parser({
    onopentagname(name) {
      if (found || !banned.has(name)) return;
      found = { tag: name, at: parser.startIndex };
      parser.pause();
    },
  });
  parser.end(kind === "source" ? withoutLiquid(html) : html);
  return found;
};

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
