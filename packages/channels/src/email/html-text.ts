/** The text part of a mail that was given none: made from its HTML. */

import type { Message } from "@carillon/core";

/** Tags inside each other, more than any real mail has. */
const maxDepth = 256;

/** Tags; beyond that the converter takes too long. */
const maxTags = 30_000;

/** For HTML that would keep the whole service waiting. */
const notConverted = "This mail can be read in a program that shows HTML.";

/** The message with a text part, if it has HTML and no text. */
export function withTextPart(message: Message): Message | Promise<Message> {
  const { content } = message;
  if (content.kind !== "mail" || content.text !== "") return message;
  return textOfHtml(content.html).then((text) => ({
    ...message,
    content: { ...content, text },
  }));
}

/**
 * Paragraphs, lists and links as plain text, in lines of 78 characters; a link's
 * address stands behind its text. The libraries are loaded by the first call.
 */
export async function textOfHtml(html: string): Promise<string> {
  const [{ compile }, { Parser }] = await Promise.all([
    import("html-to-text"),
    import("htmlparser2"),
  ]);
  if (!isSimple(html, Parser)) return notConverted;
  convert ??= compile({
    wordwrap: 78,
    selectors: [
      { selector: "img", format: "skip" },
      {
        selector: "a",
        options: { hideLinkHrefIfSameAsText: true, linkBrackets: ["<", ">"] },
      },
      ...["h1", "h2", "h3", "h4", "h5", "h6"].map((selector) => ({
        selector,
        options: { uppercase: false },
      })),
      { selector: "table", options: { uppercaseHeaderCells: false } },
    ],
  });
  return convert(html) || notConverted;
}

let convert: ((html: string) => string) | undefined;

/**
 * Whether it can be converted in a moment. Parsers and converter look through all
 * open tags at each tag: the time grows with the square of the depth, so the first
 * parser is stopped in time.
 */
function isSimple(
  html: string,
  Parser: typeof import("htmlparser2").Parser,
): boolean {
  let depth = 0;
  let tags = 0;
  let isSimpleSoFar = true;
  const parser = new Parser({
    onopentagname() {
      tags++;
      depth++;
      isSimpleSoFar &&= depth <= maxDepth && tags <= maxTags;
      if (!isSimpleSoFar) parser.pause();
    },
    onclosetag() {
      depth--;
    },
  });
  parser.write(html);
  if (isSimpleSoFar) parser.end();
  return isSimpleSoFar;
}
