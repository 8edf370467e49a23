/**
 * Chooses the encoding of a text and counts its segments. Meant to be called
 * on every message and on every keystroke of an editor: one pass over the code
 * units, no allocation per character; parts are cut only when asked for.
 */

import { RequestError } from "../errors.ts";
import {
  type Encoding,
  partLimit,
  type ReferenceBits,
  singleLimit,
} from "./encoding.ts";
import {
  CLASS_COMPOSES,
  CLASS_ESCAPE,
  CLASS_EXTENSION,
  CLASS_OTHER,
  CLASS_RETURN,
  CLASS_SURROGATE,
  codeUnitClasses,
  isGsm7,
} from "./gsm7-alphabet.ts";
import { type NormalizeOptions, normalizeText } from "./normalize.ts";
import {
  keepingGraphemes,
  type Splitter,
  sliceAt,
  splitGsm7,
  splitUcs2,
} from "./split.ts";
import { type TransliterateOptions, transliterate } from "./transliterate.ts";

/** How a text is encoded and counted. */
export interface AnalyzeOptions extends NormalizeOptions {
  /**
   * Default `auto`: GSM-7 if every character is in it, else UCS-2. Forcing
   * `gsm7` throws `RequestError` on text that is not.
   */
  readonly encoding?: "auto" | "gsm7" | "ucs2";
  /** Default 8. */
  readonly referenceBits?: ReferenceBits;
  /** Keep what readers see as one character in one part. Default false. */
  readonly keepGraphemes?: boolean;
  /** Replace what GSM-7 lacks before choosing. Default false. */
  readonly transliterate?: boolean | TransliterateOptions;
}

/** What sending a text would take. */
export class TextAnalysis {
  /** The text as it would be sent, after normalisation. */
  readonly text: string;
  readonly encoding: "gsm7" | "ucs2";
  /** Septets or UTF-16 code units, escapes included. */
  readonly units: number;
  /** At least 1, also for empty text. */
  readonly segments: number;
  /** Units that fit into each segment of this message. */
  readonly perSegment: number;
  /** Units that still fit into the last segment. */
  readonly remainingInLast: number;
  readonly #split: Splitter | undefined;
  #parts: readonly string[] | undefined;
  #unsupported: readonly string[] | undefined;

  constructor(
    text: string,
    encoding: "gsm7" | "ucs2",
    units: number,
    segments: number,
    perSegment: number,
    remainingInLast: number,
    split: Splitter | undefined,
  ) {
    this.text = text;
    this.encoding = encoding;
    this.units = units;
    this.segments = segments;
    this.perSegment = perSegment;
    this.remainingInLast = remainingInLast;
    this.#split = split;
  }

  /** The text of each segment; joined they are `text`. */
  get parts(): readonly string[] {
    this.#parts ??= this.#split
      ? sliceAt(this.text, this.#split(this.text, this.perSegment))
      : [this.text];
    return this.#parts;
  }

  /** The characters GSM-7 lacks, each once, in order of appearance. */
  get unsupported(): readonly string[] {
    this.#unsupported ??= unsupportedCharacters(this.text);
    return this.#unsupported;
  }

  toJSON(): object {
    const { encoding, units, segments, perSegment, remainingInLast } = this;
    const { unsupported, parts } = this;
    return {
      encoding,
      units,
      segments,
      perSegment,
      remainingInLast,
      unsupported,
      parts,
    };
  }
}

const NO_OPTIONS: AnalyzeOptions = {};

/** Throws `RequestError` only when `gsm7` is forced on text that is not. */
export function analyze(
  text: string,
  options: AnalyzeOptions = NO_OPTIONS,
): TextAnalysis {
  let subject = text;
  let scan = scanText(subject);
  if ((scan & needsNormalizing(options)) !== 0) {
    subject = normalizeText(subject, options);
    scan = scanText(subject);
  }
  if ((scan & CLASS_OTHER) !== 0 && options.transliterate) {
    subject = transliterate(
      subject,
      options.transliterate === true ? {} : options.transliterate,
    );
    scan = scanText(subject);
  }
  return measure(subject, scan, options);
}

/** The characters GSM-7 lacks, each once, in order of appearance. */
export function unsupportedCharacters(text: string): string[] {
  const found = new Set<string>();
  for (const character of text) {
    if (!isGsm7(character)) found.add(character);
  }
  return [...found];
}

function needsNormalizing(options: AnalyzeOptions): number {
  return (
    CLASS_ESCAPE |
    (options.normalize === "none" ? 0 : CLASS_COMPOSES) |
    (options.newlines === "lf" ? CLASS_RETURN : 0)
  );
}

const EXTENSION_COUNT = 128;

// All classes that occur, in the low seven bits, and above them how many
// characters of the extension table there are: a number, so that the pass
// allocates nothing.
function scanText(text: string): number {
  const classes = codeUnitClasses();
  let seen = 0;
  let extensions = 0;
  for (let i = 0; i < text.length; i++) {
    const unitClass = classes[text.charCodeAt(i)] ?? 0;
    seen |= unitClass;
    extensions += (unitClass & CLASS_EXTENSION) >> 1;
  }
  return extensions * EXTENSION_COUNT + seen;
}

function measure(
  text: string,
  scan: number,
  options: AnalyzeOptions,
): TextAnalysis {
  const encoding = chooseEncoding(text, scan, options);
  const extensions = Math.floor(scan / EXTENSION_COUNT);
  const units = encoding === "gsm7" ? text.length + extensions : text.length;
  const single = singleLimit(encoding);
  if (units <= single) {
    const left = single - units;
    return new TextAnalysis(text, encoding, units, 1, single, left, undefined);
  }

  const limit = partLimit(encoding, options.referenceBits);
  let split: Splitter = encoding === "gsm7" ? splitGsm7 : splitUcs2;
  const uneven =
    encoding === "gsm7" ? extensions > 0 : (scan & CLASS_SURROGATE) !== 0;
  if (options.keepGraphemes) split = keepingGraphemes(split);

  let segments: number;
  let inLast: number;
  if (uneven || options.keepGraphemes) {
    const ends = split(text, limit);
    segments = ends.length;
    const last = text.slice(ends.at(-2) ?? 0);
    inLast = encoding === "gsm7" ? septetCount(last) : last.length;
  } else {
    segments = Math.ceil(units / limit);
    inLast = units - (segments - 1) * limit;
  }
  return new TextAnalysis(
    text,
    encoding,
    units,
    segments,
    limit,
    limit - inLast,
    split,
  );
}

function chooseEncoding(
  text: string,
  scan: number,
  options: AnalyzeOptions,
): Exclude<Encoding, "binary"> {
  const fits = (scan & (CLASS_OTHER | CLASS_ESCAPE)) === 0;
  if (options.encoding === "ucs2") return "ucs2";
  if (options.encoding === "gsm7" && !fits) {
    const characters = unsupportedCharacters(text).slice(0, 10);
    throw new RequestError(
      "The text cannot be sent in GSM-7; not in its alphabet: " +
        characters.map((c) => JSON.stringify(c)).join(", "),
      { code: "NOT_ENCODABLE" },
    );
  }
  return fits ? "gsm7" : "ucs2";
}

function septetCount(text: string): number {
  return text.length + Math.floor(scanText(text) / EXTENSION_COUNT);
}
