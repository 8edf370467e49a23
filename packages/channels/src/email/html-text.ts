/** The text part of a mail that was given none: made from its HTML. */

import { setImmediate as nextTurn } from "node:timers/promises";
import { type Message, maxMessageBytes } from "@carillon/core";
import { PlainText } from "./plain-text.ts";

/**
 * Tags inside each other, more than any real mail has: the parser looks through all
 * open tags at each tag.
 */
const maxDepth = 256;

/** Characters that are parsed in one turn of the event loop. */
const sliceLength = 16_384;

/** Of the text, in bytes of UTF-8: what the text of a mail may have at most. */
const maxBytes = maxMessageBytes - 1024;

/** For HTML with nothing to read. */
const notConverted = "This mail can be read in a program that shows HTML.";

/** Behind what there is of a text that was cut off. */
const cutOff = "The rest can be read in a program that shows HTML.";

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
 * address stands behind its text. Of HTML that is deeper or longer than any mail's
 * the beginning. The parser is loaded by the first call; others have their turns
 * of the event loop in between.
 */
export async function textOfHtml(html: string): Promise<string> {
  const { Parser } = await import("htmlparser2");
  const writer = new HtmlWriter();
  const parser = new Parser(writer);
  let at = 0;
  for (; at < html.length && !writer.isOver; at += sliceLength) {
    if (at > 0) await nextTurn();
    parser.write(html.slice(at, at + sliceLength));
  }
  if (!writer.isOver) parser.end();
  const text = writer.end();
  if (text === "") return notConverted;
  return writer.isOver ? `${text}\n\n${cutOff}` : text;
}

/** Writes what a parser of HTML finds. */
class HtmlWriter {
  readonly #text = new PlainText(maxBytes);
  readonly #lists: List[] = [];
  #depth = 0;
  /** Of the outermost tag whose content is left out; 0: there is none. */
  #skippedFrom = 0;
  #preformatted = 0;
  #link: Link | undefined;

  /** Nothing more of it is wanted. */
  get isOver(): boolean {
    return this.#text.isFull || this.#depth > maxDepth;
  }

  onopentag(name: string, attributes: Readonly<Record<string, string>>): void {
    if (this.isOver) return;
    this.#depth++;
    if (this.#skippedFrom > 0) return;
    if (skipped.has(name)) {
      this.#skippedFrom = this.#depth;
      return;
    }
    if (name === "br") this.#text.addBreak();
    if (cells.has(name)) this.#text.endWord();
    this.#startBlock(name);
    if (name === "a") this.#link = linkOf(attributes.href);
    else if (name === "pre") this.#preformatted++;
    else if (name === "blockquote") this.#text.indent("> ");
    else if (name === "li") this.#startItem();
    else if (name === "ul") this.#lists.push({ next: undefined });
    else if (name === "ol") this.#lists.push({ next: numberOf(attributes) });
    else if (name === "hr") this.#text.addText(rule);
  }

  ontext(text: string): void {
    if (this.isOver || this.#skippedFrom > 0) return;
    if (this.#preformatted > 0) this.#text.addPreformatted(text);
    else this.#text.addText(text);
    const link = this.#link;
    // As much as it takes to tell whether it is the address.
    if (link && link.text.length <= link.href.length) link.text += text;
  }

  onclosetag(name: string): void {
    if (this.isOver) return;
    const depth = this.#depth--;
    if (this.#skippedFrom > 0) {
      if (depth === this.#skippedFrom) this.#skippedFrom = 0;
      return;
    }
    if (name === "a") this.#endLink();
    if (cells.has(name)) this.#text.endWord();
    this.#startBlock(name);
    if (name === "pre") this.#preformatted--;
    else if (name === "blockquote" || name === "li") this.#text.outdent();
    else if (name === "ul" || name === "ol") this.#lists.pop();
  }

  end(): string {
    return this.#text.end();
  }

  #startBlock(name: string): void {
    // A list in a list belongs to the item above it.
    const isInner = (name === "ul" || name === "ol") && this.#text.isIndented;
    if (paragraphs.has(name)) this.#text.startBlock(!isInner);
    else if (blocks.has(name)) this.#text.startBlock(false);
  }

  #startItem(): void {
    const list = this.#lists.at(-1);
    const marker = list?.next === undefined ? " * " : ` ${list.next}. `;
    if (list?.next !== undefined) list.next++;
    this.#text.indent(" ".repeat(marker.length), marker);
  }

  #endLink(): void {
    const link = this.#link;
    this.#link = undefined;
    if (link === undefined) return;
    const { href } = link;
    const text = link.text.trim();
    if (href === text || href === `mailto:${text}`) return;
    this.#text.endWord();
    this.#text.addText(`<${href}>`);
  }
}

interface List {
  /** The next item's number; absent: items have none. */
  next: number | undefined;
}

interface Link {
  readonly href: string;
  text: string;
}

/** `undefined` for what leads nowhere from a text. */
function linkOf(href = ""): Link | undefined {
  const address = href.replace(/\s+/g, "");
  if (address === "" || /^(?:#|javascript:)/i.test(address)) return undefined;
  return { href: address, text: "" };
}

/** What a list begins with; of numbers that are longer than any list 1. */
function numberOf({ start = "" }: Readonly<Record<string, string>>): number {
  return /^\d{1,6}$/.test(start) ? Number(start) : 1;
}

const rule = "-".repeat(40);

const skipped: ReadonlySet<string> = new Set([
  "head",
  "script",
  "style",
  "template",
  "title",
]);

const cells: ReadonlySet<string> = new Set(["td", "th"]);

/** With a blank line before and behind. */
const paragraphs: ReadonlySet<string> = new Set([
  "blockquote",
  "dl",
  "h1",
  "h2",
  "h3",
  "h4",
  "h5",
  "h6",
  "ol",
  "p",
  "pre",
  "table",
  "ul",
]);

/** On lines of their own. */
const blocks: ReadonlySet<string> = new Set([
  "address",
  "article",
  "aside",
  "body",
  "center",
  "dd",
  "div",
  "dt",
  "fieldset",
  "figcaption",
  "figure",
  "footer",
  "form",
  "header",
  "hr",
  "li",
  "main",
  "nav",
  "section",
  "tr",
]);
