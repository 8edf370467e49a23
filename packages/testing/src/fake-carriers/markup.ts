/** Just enough XML for carriers of our own: no comments, no CDATA. */

/** An element with its attributes, and what stands between its tags. */
export interface Markup {
  readonly attributes: Readonly<Record<string, string>>;
  /** As it is written. */
  readonly inside: string;
}

/** All elements of a name, which hold no others of that name. */
export function elementsOf(document: string, name: string): Markup[] {
  const pattern = new RegExp(
    `<${name}(\\s[^>]*?)?(?:/>|>([\\s\\S]*?)</${name}>)`,
    "g",
  );
  return Array.from(document.matchAll(pattern), ([, start = "", inside]) => ({
    attributes: attributesOf(start),
    inside: inside ?? "",
  }));
}

function attributesOf(start: string): Record<string, string> {
  return Object.fromEntries(
    Array.from(start.matchAll(/([\w.:-]+)="([^"]*)"/g), ([, key, value]) => [
      key,
      unescapeMarkup(value ?? ""),
    ]),
  );
}

/** Text as it may stand anywhere in a document. */
export function escapeMarkup(text: string): string {
  return text
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replaceAll('"', "&quot;");
}

/** What was escaped, in any of the ways that XML has for these characters. */
export function unescapeMarkup(text: string): string {
  return text.replace(/&(#x?)?(\w+);/g, (_, form: string | undefined, of) => {
    if (form === undefined) return named[of as keyof typeof named] ?? `&${of};`;
    const code = Number.parseInt(of, form === "#x" ? 16 : 10);
    return String.fromCodePoint(code);
  });
}

const named = { amp: "&", lt: "<", gt: ">", quot: '"', apos: "'" } as const;
