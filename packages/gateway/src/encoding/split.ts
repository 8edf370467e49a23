/**
 * Divides text into parts of a concatenated message. A part is filled as far
 * as it goes, but never ends inside an escape pair (one character of the
 * extension table) or inside a surrogate pair.
 */

import { CLASS_EXTENSION, codeUnitClasses } from "./gsm7-alphabet.ts";

/** Where each part ends, as offsets into the text. */
export type Splitter = (text: string, limit: number) => number[];

/** For text that is wholly in the GSM-7 alphabet. */
export function splitGsm7(text: string, limit: number): number[] {
  const classes = codeUnitClasses();
  const ends: number[] = [];
  let used = 0;
  for (let i = 0; i < text.length; i++) {
    const width = classes[text.charCodeAt(i)] === CLASS_EXTENSION ? 2 : 1;
    if (used + width > limit) {
      ends.push(i);
      used = 0;
    }
    used += width;
  }
  ends.push(text.length);
  return ends;
}

/** By UTF-16 code units. */
export function splitUcs2(text: string, limit: number): number[] {
  const ends: number[] = [];
  let end = 0;
  while (text.length - end > limit) {
    end += limit;
    if (insideSurrogatePair(text, end)) end -= 1;
    ends.push(end);
  }
  ends.push(text.length);
  return ends;
}

/**
 * Wraps a splitter so that what a reader sees as one character (an emoji with
 * its joiners, a letter with its marks) stays in one part. A character longer
 * than a part is divided after all.
 */
export function keepingGraphemes(split: Splitter): Splitter {
  return (text, limit) => {
    const segmenter = new Intl.Segmenter("und", { granularity: "grapheme" });
    const ends: number[] = [];
    let start = 0;
    while (start < text.length) {
      // One splitter run over the rest would repeat work for every part; a
      // window of two parts holds all that the next end can depend on.
      const window = text.slice(start, start + 2 * limit);
      const cut = split(window, limit)[0] ?? window.length;
      if (start + cut >= text.length) break;
      const grapheme = segmenter.segment(window).containing(cut);
      const whole = grapheme?.index ?? cut;
      start += whole > 0 ? whole : cut;
      ends.push(start);
    }
    ends.push(text.length);
    return ends;
  };
}

/** The parts that end at these offsets. */
export function sliceAt(text: string, ends: readonly number[]): string[] {
  let start = 0;
  return ends.map((end) => {
    const part = text.slice(start, end);
    start = end;
    return part;
  });
}

function insideSurrogatePair(text: string, offset: number): boolean {
  const before = text.charCodeAt(offset - 1);
  const after = text.charCodeAt(offset);
  return (
    before >= 0xd800 && before < 0xdc00 && after >= 0xdc00 && after < 0xe000
  );
}
