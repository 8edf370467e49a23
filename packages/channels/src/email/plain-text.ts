/**
 * Text in lines, as mail programs have shown it since before HTML: words wrapped,
 * lists and quotes indented, blank lines between paragraphs. Time and size grow with
 * what is written, whatever the nesting.
 */

/** Characters of a line, except of longer words and of what is preformatted. */
const lineLength = 78;

/** Lists and quotes inside each other that are indented; deeper ones are not. */
const maxIndents = 8;

/** Line ends between two texts: two blank lines. */
const maxBreaks = 3;

/** What the lines of a list's item or of a quote begin with. */
interface Indent {
  /** Of its first line, until that is begun. */
  marker: string | undefined;
  readonly rest: string;
}

/** Takes words and breaks, and answers the text. */
export class PlainText {
  readonly #maxBytes: number;
  readonly #lines: string[] = [];
  readonly #indents: (Indent | undefined)[] = [];
  #indentCount = 0;
  /** Of those around the last word, how many were never left since. */
  #sharedIndents = 0;
  #bytes = 0;
  /** It has a word, and not the one that is still growing. */
  #line: string | undefined;
  #word = "";
  /** Line ends before the next word. */
  #breaks = 0;

  /** @param maxBytes of UTF-8; the line that goes beyond is left out */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** It takes no more: what comes is dropped. */
  get isFull(): boolean {
    return this.#bytes > this.#maxBytes;
  }

  /** In a list or a quote. */
  get isIndented(): boolean {
    return this.#indents.length > 0;
  }

  /** Blanks and line ends are the same, and as many as there are count as one. */
  addText(text: string): void {
    for (const [run] of text.matchAll(/[^ \t\r\n\f]+|[ \t\r\n\f]+/g)) {
      if (this.isFull) return;
      if (isBlank(run)) this.endWord();
      else this.#word += run;
    }
  }

  /** Blanks and line ends stay as they are. */
  addPreformatted(text: string): void {
    const [first = "", ...others] = text.split(/\r\n?|\n/);
    this.#word += first;
    for (const line of others) {
      if (this.isFull) return;
      this.addBreak();
      this.#word += line;
    }
  }

  /** What comes next is a word of its own. */
  endWord(): void {
    const word = this.#word;
    if (word === "") return;
    this.#word = "";
    if (this.#breaks > 0) this.#endLine();
    const line = this.#line;
    if (line !== undefined && line.length + 1 + word.length <= lineLength) {
      this.#line = `${line} ${word}`;
      return;
    }
    if (line !== undefined) this.#endLine();
    this.#line = this.#startLine() + word;
  }

  /** The line ends here; another such break makes a blank line. */
  addBreak(): void {
    this.endWord();
    this.#breaks = Math.min(this.#breaks + 1, maxBreaks);
  }

  /** What comes next begins on a line of its own, after a blank one if so said. */
  startBlock(withBlankLine: boolean): void {
    this.endWord();
    this.#breaks = Math.max(this.#breaks, withBlankLine ? 2 : 1);
  }

  /** Until `outdent` lines begin with it; with the marker the first of them. */
  indent(rest: string, marker?: string): void {
    const isShown = this.#indentCount < maxIndents;
    if (isShown) this.#indentCount++;
    this.#indents.push(isShown ? { marker, rest } : undefined);
  }

  outdent(): void {
    if (this.#indents.pop() === undefined) return;
    this.#indentCount--;
    this.#sharedIndents = Math.min(this.#sharedIndents, this.#indentCount);
  }

  /** All of it, without an end of line. */
  end(): string {
    this.endWord();
    this.#breaks = 0;
    this.#endLine();
    return this.#lines.join("\n").toWellFormed();
  }

  /** And as many blank ones as were asked for, if there is anything above them. */
  #endLine(): void {
    const blanks = Math.max(0, this.#breaks - 1);
    this.#breaks = 0;
    if (this.#line !== undefined) {
      this.#push(this.#line);
      this.#line = undefined;
    }
    if (this.#lines.length === 0) return;
    const shared = this.#indents.slice(0, this.#sharedIndents);
    const blank = shared
      .map((it) => it?.rest)
      .join("")
      .trimEnd();
    for (let n = 0; n < blanks; n++) this.#push(blank);
  }

  #startLine(): string {
    let line = "";
    // Those that are shown come first.
    for (const indent of this.#indents.slice(0, this.#indentCount)) {
      if (indent === undefined) continue;
      const { marker = indent.rest } = indent;
      indent.marker = undefined;
      line += marker;
    }
    this.#sharedIndents = this.#indentCount;
    return line;
  }

  #push(line: string): void {
    this.#bytes += Buffer.byteLength(line) + 1;
    if (!this.isFull) this.#lines.push(line);
  }
}

function isBlank(run: string): boolean {
  return /^[ \t\r\n\f]/.test(run);
}
