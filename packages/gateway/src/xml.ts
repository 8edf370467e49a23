/**
 * XML as carriers speak it. Documents with a type declaration are refused
 * unread, so that no entity is ever defined; only the five that XML itself
 * has, and numbers of characters, stand for something.
 */

import { XMLParser, XMLValidator } from "fast-xml-parser";
import { charsetOf, decodeText } from "./charset.ts";

/** An element, with what is directly in it. */
export interface XmlElement {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly XmlElement[];
  /** What stands between its tags, elements left out. */
  readonly text: string;
}

/** Larger documents are refused: reading one of 1 MiB takes a quarter second. */
const maxOctets = 1024 * 1024;

/**
 * The root of a document, by the charset of `contentType`, else by that of its
 * own first line.
 *
 * @throws SyntaxError for what is no well-formed document; without its text
 */
export function parseXml(octets: Uint8Array, contentType?: string): XmlElement {
  if (octets.byteLength > maxOctets) throw new SyntaxError("it is too large");
  const text = decodeText(octets, charsetOf(contentType) ?? declared(octets));
  if (/<!DOCTYPE|<!ENTITY/i.test(text)) {
    throw new SyntaxError("it declares a document type");
  }
  if (XMLValidator.validate(text) !== true) {
    throw new SyntaxError("it is not well-formed");
  }
  let nodes: unknown;
  try {
    nodes = parser.parse(text);
  } catch (cause) {
    throw new SyntaxError("it cannot be read", { cause });
  }
  const [root, another] = elementsIn(nodes).filter(
    ({ name }) => !name.startsWith("?"),
  );
  if (root && !another) return root;
  throw new SyntaxError("it has no single root element");
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

/** No name of an element begins so. */
const cdataName = "#cdata";

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: "",
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  processEntities: false,
  cdataPropName: cdataName,
});

// The parser gives a list of objects: the element's name → its list of nodes,
// ":@" → its attributes; text is "#text", and one in CDATA has a list again.
function elementsIn(nodes: unknown): XmlElement[] {
  return asList(nodes).flatMap((node) => {
    const name = nameOf(node);
    if (name === undefined || name.startsWith("#")) return [];
    const inside = node[name];
    return [
      {
        name,
        attributes: new Map(
          Object.entries(node[":@"] ?? {}).map(([key, value]) => [
            key,
            unescapeXml(String(value)),
          ]),
        ),
        children: elementsIn(inside),
        text: asList(inside).map(textIn).join(""),
      },
    ];
  });
}

type XmlNode = Readonly<Record<string, unknown>>;

function asList(nodes: unknown): readonly XmlNode[] {
  return Array.isArray(nodes) ? nodes : [];
}

function nameOf(node: XmlNode): string | undefined {
  return Object.keys(node).find((key) => key !== ":@");
}

function textIn(node: XmlNode): string {
  const inCdata = asList(node[cdataName])[0]?.["#text"];
  if (inCdata !== undefined) return String(inCdata);
  const text = node["#text"];
  return text === undefined ? "" : unescapeXml(String(text));
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
