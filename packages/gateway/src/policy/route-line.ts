/**
 * Routes in one line: `a || b` tries b when a failed, `a*3 && b` shares
 * messages three to one, and parentheses combine the two.
 *
 *     route    = share *( "||" share )
 *     share    = part *( "&&" part )
 *     part     = ( provider / "(" route ")" ) [ "*" weight ]
 *     provider = name / quoted
 *     name     = 1*( letter / digit / "_" / "-" / "." / ":" )
 *     quoted   = DQUOTE 1*( any / "\" DQUOTE / "\\" ) DQUOTE
 *     weight   = 1*7digit [ "." 1*3digit ]         ; above 0
 *
 * `&&` binds tighter than `||`. Space between the parts means nothing.
 */

import { ConfigurationError } from "../errors.ts";

/** A route as a tree; what `||` joins is flat, one within another is none. */
export type RouteTree =
  | { readonly kind: "provider"; readonly provider: string }
  /** The next one is tried when all of the one before have failed. */
  | { readonly kind: "failover"; readonly of: readonly RouteTree[] }
  /** One of them by weight, then the others by weight. */
  | { readonly kind: "share"; readonly of: readonly RouteShare[] };

/** One of several that share messages. */
export interface RouteShare {
  /** Relative to the others; above 0. */
  readonly weight: number;
  readonly route: RouteTree;
}

/** A line that is no route. The message shows the place with a caret. */
export class RouteLineError extends ConfigurationError {
  static {
    RouteLineError.prototype.name = "RouteLineError";
  }
  override readonly code: string = "ROUTE_LINE_INVALID";
  /** What is wrong, without the line. */
  readonly problem: string;
  /** Where, in UTF-16 units from 0. */
  readonly position: number;

  constructor(line: string, position: number, problem: string) {
    super(`${problem}\n${pointAt(line, position)}`);
    this.problem = problem;
    this.position = position;
  }
}

/** @throws RouteLineError */
export function parseRouteLine(line: string): RouteTree {
  return new Parser(line).parse();
}

/** The shortest line that parses to this route. */
export function printRouteLine(route: RouteTree): string {
  switch (route.kind) {
    case "provider":
      return printName(route.provider);
    case "failover":
      return route.of.map(printRouteLine).join(" || ");
    case "share":
      return route.of
        .map(({ weight, route: part }) => {
          const text = printRouteLine(part);
          const inner = part.kind === "provider" ? text : `(${text})`;
          return weight === 1 ? inner : `${inner}*${weight}`;
        })
        .join(" && ");
    default:
      return route satisfies never;
  }
}

/** In the order of the line; each stands in it once. */
export function providersOf(route: RouteTree): readonly string[] {
  switch (route.kind) {
    case "provider":
      return [route.provider];
    case "failover":
      return route.of.flatMap(providersOf);
    case "share":
      return route.of.flatMap((share) => providersOf(share.route));
    default:
      return route satisfies never;
  }
}

type TokenKind = "name" | "||" | "&&" | "*" | "(" | ")" | "end";

interface Token {
  readonly kind: TokenKind;
  /** As it stands in the line. */
  readonly text: string;
  readonly at: number;
}

/** A part of a share, before it is known whether there is another one. */
interface Part extends RouteShare {
  /** Where `*` stands, if it does. */
  readonly weightAt: number | undefined;
}

const bareName = /^[\p{L}\p{N}_.:-]+$/u;
const token =
  /\s*(?:(?<name>[\p{L}\p{N}_.:-]+|"(?:[^"\\]|\\["\\])*")|(?<sign>\|\||&&|[*()]))/uy;
const weightText = /^\d{1,7}(\.\d{1,3})?$/;

const maxDepth = 20;

class Parser {
  readonly #line: string;
  readonly #names = new Set<string>();
  #next: Token;
  #depth = 0;

  constructor(line: string) {
    this.#line = line;
    this.#next = this.#read(0);
  }

  parse(): RouteTree {
    const route = this.#failover();
    const { kind, text, at } = this.#next;
    if (kind === "end") return route;
    if (kind === ")") throw this.#error(at, 'no "(" stands before this ")"');
    throw this.#error(at, `expected "||" or "&&" before ${quote(text)}`);
  }

  #failover(): RouteTree {
    const parts = [this.#share()];
    while (this.#next.kind === "||") {
      this.#take();
      parts.push(this.#share());
    }
    // `a || (b || c)` says no more than `a || b || c`.
    const of = parts.flatMap((it) => (it.kind === "failover" ? it.of : [it]));
    const [only] = of;
    return of.length === 1 && only ? only : { kind: "failover", of };
  }

  #share(): RouteTree {
    const first = this.#part();
    const parts = [first];
    while (this.#next.kind === "&&") {
      this.#take();
      parts.push(this.#part());
    }
    if (parts.length === 1) {
      if (first.weightAt === undefined) return first.route;
      throw this.#error(
        first.weightAt,
        'a weight is a share beside others, and "&&" joins none to this one',
      );
    }
    const of = parts.map(({ weight, route }) => ({ weight, route }));
    return { kind: "share", of };
  }

  #part(): Part {
    const route = this.#providerOrGroup();
    if (this.#next.kind !== "*") {
      return { route, weight: 1, weightAt: undefined };
    }
    const { at: weightAt } = this.#take();
    const { text, at } = this.#next;
    const weight = weightText.test(text) ? Number(text) : 0;
    if (weight === 0) {
      throw this.#error(
        at,
        /^[0.]+$/.test(text)
          ? 'a weight is above 0; what is used only after others failed stands behind "||"'
          : `expected a weight after "*", such as 3 or 0.5, up to 9999999, found ${found(this.#next)}`,
      );
    }
    this.#take();
    if (this.#next.kind !== "*") return { route, weight, weightAt };
    throw this.#error(this.#next.at, "a provider or group has one weight");
  }

  #providerOrGroup(): RouteTree {
    const first = this.#take();
    switch (first.kind) {
      case "name":
        return { kind: "provider", provider: this.#nameOf(first) };
      case "(": {
        if (++this.#depth > maxDepth) {
          throw this.#error(first.at, `more than ${maxDepth} "(" are open`);
        }
        const route = this.#failover();
        if (this.#next.kind !== ")") {
          throw this.#next.kind === "end"
            ? this.#error(first.at, 'no ")" ends this "("')
            : this.#error(
                this.#next.at,
                `expected "||", "&&" or ")" before ${quote(this.#next.text)}`,
              );
        }
        this.#take();
        this.#depth--;
        return route;
      }
      default:
        throw this.#error(
          first.at,
          `expected the name of a provider${this.#behind(first.at)}, found ${found(first)}`,
        );
    }
  }

  #nameOf({ text, at }: Token): string {
    const name = text.startsWith('"')
      ? text.slice(1, -1).replace(/\\(["\\])/g, "$1")
      : text;
    if (name === "") throw this.#error(at, "the name of a provider is empty");
    if (this.#names.has(name)) {
      throw this.#error(at, `${quote(name)} stands in the line twice`);
    }
    this.#names.add(name);
    return name;
  }

  /** ` after "||"`; nothing at the beginning. */
  #behind(at: number): string {
    const [before] = /(\|\||&&|[*()])\s*$/.exec(this.#line.slice(0, at)) ?? [];
    return before === undefined ? "" : ` after ${quote(before.trim())}`;
  }

  #take(): Token {
    const taken = this.#next;
    if (taken.kind !== "end") {
      this.#next = this.#read(taken.at + taken.text.length);
    }
    return taken;
  }

  #read(from: number): Token {
    token.lastIndex = from;
    const match = token.exec(this.#line);
    const { name, sign } = match?.groups ?? {};
    const text = name ?? sign;
    if (match && text !== undefined) {
      const at = match.index + match[0].length - text.length;
      // The pattern has no other signs.
      const kind = name === undefined ? (sign as TokenKind) : "name";
      return { kind, text, at };
    }
    const rest = this.#line.slice(from);
    const at = this.#line.length - rest.trimStart().length;
    if (at === this.#line.length) {
      return { kind: "end", text: "", at };
    }
    throw this.#error(at, problemWithSign(this.#line.slice(at)));
  }

  #error(position: number, problem: string): RouteLineError {
    return new RouteLineError(this.#line, position, problem);
  }
}

function problemWithSign(rest: string): string {
  const [sign = ""] = rest;
  if (sign === "|" || sign === "&") {
    return `expected "${sign}${sign}", found a single "${sign}"`;
  }
  if (sign !== '"') {
    return `${quote(sign)} has no meaning here; a name with it stands in double quotes`;
  }
  return /^"(?:[^"\\]|\\["\\])*\\/.test(rest)
    ? 'in double quotes "\\" stands only before another "\\" or a double quote'
    : "no double quote ends this name";
}

function found({ kind, text }: Token): string {
  return kind === "end" ? "the end" : quote(text);
}

function quote(text: string): string {
  return text.startsWith('"') ? text : `"${text}"`;
}

function printName(name: string): string {
  return bareName.test(name) ? name : `"${name.replace(/["\\]/g, "\\$&")}"`;
}

/** How much of a long line is shown on either side, in characters. */
const shownAround = 30;

/** Two lines: the line, or what of it is around the place, and a caret. */
function pointAt(line: string, position: number): string {
  const before = [...line.slice(0, position)];
  const after = [...line.slice(position)];
  const start =
    before.length > shownAround
      ? ["…", ...before.slice(-(shownAround - 1))]
      : before;
  const end =
    after.length > shownAround
      ? [...after.slice(0, shownAround - 1), "…"]
      : after;
  // A tab or a line's end would move the caret.
  const shown = [...start, ...end].join("").replace(/[\s\p{Cc}]/gu, " ");
  return `  ${shown}\n  ${" ".repeat(start.length)}^`;
}
