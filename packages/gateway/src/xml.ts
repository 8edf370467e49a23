/**
 * XML as carriers speak it, in a single pass. Documents with a type declaration
 * are refused, so that no entity is ever defined; only the five that XML itself
 * has, and numbers of characters, stand for something. A library would cost
 * every start more than all else that the gateway loads. Source: XML 1.0.
 */

import { charsetOf, decodeText } from "./charset.ts";

/** An element, with what is directly in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** What stands between its tags, elements left out. */
  readonly text: string;
}

/** Larger documents are refused: no carrier says so much. */
const maxOctets = 256 * 1024;

/**
 * The root of a document, by the charset of `contentType`, else by that of its
 * own first line.
 *
 * @throws SyntaxError for what is no well-formed document; without its text
 */
export function parseXml(octets: Uint8Array, contentType?: string): XmlElement {
  if (octets.byteLength > maxOctets) throw new SyntaxError("it is too large");
  const text = decodeText(octets, charsetOf(contentType) ?? declared(octets));
  return new XmlReader(text).read();
}

/** All elements of a name below one, in any depth; capitals do not matter. */
export function findElements(root: XmlElement, name: string): XmlElement[] {
  const wanted = name.toLowerCase();
  return root.children.flatMap((child) => [
    ...(child.name.toLowerCase() === wanted ? [child] : []),
    ...findElements(child, name),
  ]);
}

/** The text of the first element of a name below one, blanks cut off. */
export function textOf(root: XmlElement, name: string): string | undefined {
  return findElements(root, name)[0]?.text.trim();
}

/**
 * Text as it stands between tags or quotes. XML cannot hold a form feed, which
 * becomes a line feed.
 */
export function escapeXml(text: string): string {
  return text
    .replaceAll("\f", "\n")
    .replace(/[\ufffe\uffff]/g, "\ufffd")
    .replace(/[&<>"'\t\n\r]/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** An element whose end has not come yet. */
interface OpenElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: XmlElement[];
  text: string;
}

/** Deeper ones are no carrier's. */
const maxDepth = 100;

const nameChars = "[\\p{L}_:][\\p{L}\\p{N}_:.-]*";
const attribute = `\\s+(${nameChars})\\s*=\\s*("[^<"]*"|'[^<']*')`;
const startTag = new RegExp(
  `<(${nameChars})((?:${attribute.replaceAll("(", "(?:")})*)\\s*(/?)>`,
  "uy",
);
const attributes = new RegExp(attribute, "gu");
const endTag = new RegExp(`</(${nameChars})\\s*>`, "uy");

/** Reads a text from its beginning to its end, once. */
class XmlReader {
  readonly #text: string;
  #at = 0;
  readonly #open: OpenElement[] = [];
  #root: XmlElement | undefined;

  constructor(text: string) {
    this.#text = text.replace(/^\ufeff/, "");
  }

  read(): XmlElement {
    while (this.#at < this.#text.length) this.#readNext();
    if (this.#root === undefined || this.#open.length > 0) {
      throw new SyntaxError("it ends early");
    }
    return this.#root;
  }

  #readNext(): void {
    const text = this.#text;
    if (!text.startsWith("<", this.#at)) {
      const end = text.indexOf("<", this.#at);
      this.#addText(unescapeXml(this.#take(end < 0 ? text.length : end)));
    } else if (text.startsWith("<!--", this.#at)) {
      this.#takeUntil("-->");
    } else if (text.startsWith("<![CDATA[", this.#at)) {
      const raw = this.#takeUntil("]]>");
      this.#addText(raw.slice("<![CDATA[".length, -"]]>".length));
    } else if (text.startsWith("<?", this.#at)) {
      this.#takeUntil("?>");
    } else if (text.startsWith("<!", this.#at)) {
      throw new SyntaxError("it declares a document type");
    } else if (text.startsWith("</", this.#at)) {
      this.#close(this.#match(endTag)[1]);
    } else {
      this.#start(this.#match(startTag));
    }
  }

  #start([, name = "", list = "", slash]: RegExpExecArray): void {
    if (this.#root !== undefined && this.#open.length === 0) {
      throw new SyntaxError("it has more than one root");
    }
    if (this.#open.length === maxDepth) throw new SyntaxError("it is too deep");
    const found = new Map<string, string>();
    for (const [, key = "", quoted = ""] of list.matchAll(attributes)) {
      if (found.has(key)) throw new SyntaxError("an attribute stands twice");
      found.set(key, unescapeXml(quoted.slice(1, -1)));
    }
    const element = { name, attributes: found, children: [], text: "" };
    this.#open.at(-1)?.children.push(element);
    this.#root ??= element;
    if (slash === "") this.#open.push(element);
  }

  #close(name: string | undefined): void {
    if (this.#open.pop()?.name !== name)
      throw new SyntaxError("its tags cross");
  }

  #addText(text: string): void {
    const element = this.#open.at(-1);
    if (element) element.text += text;
    else if (text.trim() !== "") throw new SyntaxError("it is no document");
  }

  #match(pattern: RegExp): RegExpExecArray {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match === null) throw new SyntaxError("a tag is not well-formed");
    this.#at = pattern.lastIndex;
    return match;
  }

  #takeUntil(end: string): string {
    const found = this.#text.indexOf(end, this.#at);
    if (found < 0) throw new SyntaxError("it ends early");
    return this.#take(found + end.length);
  }

  #take(end: number): string {
    const taken = this.#text.slice(this.#at, end);
    this.#at = end;
    return taken;
  }
}

const entities: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", '"'],
  ["apos", "'"],
]);

/** Others are left as they stand. */
function unescapeXml(text: string): string {
  return text.replace(
    /&(?:#x([0-9a-f]{1,6})|#(\d{1,7})|([a-z]{2,4}));/gi,
    (whole, hex?: string, decimal?: string, name = "") => {
      if (name !== "") return entities.get(name) ?? whole;
      const code = Number.parseInt(hex ?? decimal ?? "", hex ? 16 : 10);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** The charset of its first line, which is ASCII whatever follows. */
function declared(octets: Uint8Array): string | undefined {
  const start = new TextDecoder("latin1").decode(octets.subarray(0, 200));
  return /^<\?xml[^>]*?\bencoding\s*=\s*["']([\w.:-]+)["']/.exec(start)?.[1];
}
