/**
 * Mails as trees of parts (RFC 5322, 2045, 2046), as far as reports of mail
 * servers need them. Whatever it is given, it ends, in time that grows with the
 * length: parts are cut off behind a depth and a number, headers behind a length.
 */

/** A part; one that is a `multipart` has parts, the others a body. */
export interface MimePart {
  /** By name in lower case; each value on one line. */
  readonly headers: ReadonlyMap<string, readonly string[]>;
  /** In lower case, such as `text/plain`, which stands for none at all. */
  readonly type: string;
  /** Of the type, by name in lower case. */
  readonly parameters: ReadonlyMap<string, string>;
  readonly body: string;
  readonly parts: readonly MimePart[];
}

/** A `multipart` in a `multipart`, and so on. */
const maxDepth = 6;
/** Of the whole mail. */
const maxParts = 40;
const maxHeaderCharacters = 64 * 1024;
const maxHeaders = 500;

/** Never throws: what is no mail is a body. */
export function parseMail(text: string): MimePart {
  return parsePart(text, maxDepth, { parts: maxParts });
}

/** Fields up to the first empty line, as those of a mail. */
export function parseHeaders(text: string): MimePart["headers"] {
  const headers = new Map<string, string[]>();
  const unfolded = text
    .slice(0, maxHeaderCharacters)
    .replace(/\r?\n[ \t]+/g, " ");
  let count = 0;
  for (const line of unfolded.split(/\r?\n/)) {
    if (line === "" || count === maxHeaders) break;
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    count++;
    const name = line.slice(0, colon).trimEnd().toLowerCase();
    const values = headers.get(name) ?? [];
    values.push(line.slice(colon + 1).trim());
    headers.set(name, values);
  }
  return headers;
}

/** The body as text, freed of its transfer encoding. */
export function decodedBody({ headers, body }: MimePart): string {
  const encoding = headers.get("content-transfer-encoding")?.[0]?.toLowerCase();
  if (encoding === "base64") return Buffer.from(body, "base64").toString();
  if (encoding !== "quoted-printable") return body;
  return Buffer.from(
    body
      .replace(/=[ \t]*\r?\n/g, "")
      .replace(/=([0-9A-Fa-f]{2})/g, (_, hex: string) =>
        String.fromCharCode(Number.parseInt(hex, 16)),
      ),
    "latin1",
  ).toString();
}

/** All parts that are no `multipart`, in their order. */
export function leavesOf(part: MimePart): readonly MimePart[] {
  return part.parts.length === 0 ? [part] : part.parts.flatMap(leavesOf);
}

function parsePart(
  text: string,
  depth: number,
  left: { parts: number },
): MimePart {
  const bodyAt = endOfHeaders(text);
  const headers = parseHeaders(text.slice(0, bodyAt));
  const { type, parameters } = parseContentType(
    headers.get("content-type")?.[0] ?? "",
  );
  const body = text.slice(bodyAt);
  const boundary = parameters.get("boundary") ?? "";
  const isMultipart =
    type.startsWith("multipart/") && boundary !== "" && depth > 0;
  const parts: MimePart[] = [];
  for (const piece of isMultipart ? pieces(body, boundary) : []) {
    if (left.parts === 0) break;
    left.parts--;
    parts.push(parsePart(piece, depth - 1, left));
  }
  return { headers, type, parameters, body, parts };
}

/** Where the body begins: behind the first empty line, or at the end. */
function endOfHeaders(text: string): number {
  // A part may have no headers at all.
  const [none] = /^\r?\n/.exec(text) ?? [];
  if (none !== undefined) return none.length;
  const found = /\n\r?\n/.exec(text);
  return found ? found.index + found[0].length : text.length;
}

/** What stands between the lines of a boundary (RFC 2046 §5.1.1). */
function* pieces(body: string, boundary: string): Generator<string> {
  const delimiter = `--${boundary}`;
  let start: number | undefined;
  let from = 0;
  while (true) {
    const at = body.indexOf(delimiter, from);
    if (at < 0) break;
    from = at + delimiter.length;
    if (at > 0 && body[at - 1] !== "\n") continue;
    const isLast = body.startsWith("--", from);
    const lineEnd = body.indexOf("\n", from);
    // Another boundary that begins alike.
    const rest = body.slice(from, lineEnd < 0 ? undefined : lineEnd);
    if (!isLast && rest.trim() !== "") continue;
    // The line break in front belongs to the delimiter.
    if (start !== undefined) {
      yield body.slice(start, at).replace(/\r?\n$/, "");
    }
    if (isLast || lineEnd < 0) return;
    start = lineEnd + 1;
    from = start;
  }
  // Its end was cut off.
  if (start !== undefined) yield body.slice(start);
}

function parseContentType(
  value: string,
): Pick<MimePart, "type" | "parameters"> {
  const [type = ""] = /^[^;\s]*/.exec(value) ?? [];
  const parameters = new Map<string, string>();
  const pattern =
    /;\s*([\w-]{1,40})\s*=\s*(?:"([^"]{0,200})"|([^\s;"]{0,200}))/g;
  for (const [, name = "", quoted, plain] of value
    .slice(0, 2000)
    .matchAll(pattern)) {
    parameters.set(name.toLowerCase(), quoted ?? plain ?? "");
  }
  return { type: type.toLowerCase() || "text/plain", parameters };
}
