/**
 * The check that stands before every carrier: is there a text, and does it fit
 * into as many segments as we are willing to pay for?
 */

import { RequestError } from "../errors.ts";
import { type AnalyzeOptions, analyze, type TextAnalysis } from "./analyze.ts";
import { checkText } from "./sendable-text.ts";

/** Which texts are refused before they reach a carrier. */
export interface TextLimits extends AnalyzeOptions {
  /** Default 10; the format ends at 255. */
  readonly maxSegments?: number;
  /** Default false. */
  readonly allowEmpty?: boolean;
}

/**
 * Analyses a text that is about to be sent; the analysis holds the text to
 * send. Throws `RequestError` for characters that no text message may hold, and
 * unless `limits` is null, for an empty text, too many segments, or characters
 * a forced encoding lacks.
 */
export function prepareText(
  text: string,
  limits: TextLimits | null = {},
): TextAnalysis {
  checkText(text);
  if (limits === null) return analyze(text);
  const maxSegments = Math.min(limits.maxSegments ?? 10, 255);
  const analysis = analyze(text, limits);
  if (analysis.text === "" && !limits.allowEmpty) {
    throw new RequestError("The text is empty", { code: "EMPTY_TEXT" });
  }
  if (analysis.segments > maxSegments) {
    throw new RequestError(
      `The text takes ${analysis.segments} segments, ` +
        `at most ${maxSegments} are allowed`,
      { code: "TOO_MANY_SEGMENTS" },
    );
  }
  return analysis;
}
