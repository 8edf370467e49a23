/**
 * The tags that templates of stored messages may use, and what is looked at
 * before liquidjs parses a source: that it knows the tags, and that they are not
 * nested so deeply, nor so long, that parsing or rendering them could not be
 * stopped in time.
 */

import type { TemplateProblem } from "@carillon/core";
import {
  CaptureTag,
  CaseTag,
  type Context,
  type Emitter,
  type Liquid,
  type TagToken,
  type TopLevelToken,
  TypeGuards,
  toValue,
} from "liquidjs";
import { BoundedText } from "./bounded-text.ts";
import { budgetOf } from "./budgeted-context.ts";
import { chargeComparison } from "./liquid-operators.ts";
import { problemAt } from "./template-problem.ts";

/** Tags that end with `end…`. */
const blockTags = [
  "if",
  "unless",
  "case",
  "for",
  "tablerow",
  "capture",
  "comment",
  "raw",
];

const plainTags = [
  "assign",
  "break",
  "continue",
  "cycle",
  "decrement",
  "echo",
  "increment",
  "#",
];

/** Parts of block tags, which no tag begins. */
const innerTags = ["else", "elsif", "when"];

/** Why a tag of liquidjs is not there: it reads files, or hides other tags. */
const omittedTags = ["include", "render", "layout", "block", "liquid"];

/** Tags within each other. */
const maxNesting = 50;
/** Characters of a tag or an output, with its braces. */
const maxTagLength = 4000;
/** What captures may hold, each. */
const maxCaptureLength = 1_000_000;

/** Takes away and replaces tags of liquidjs. */
export function registerTags(liquid: Liquid): void {
  for (const name of omittedTags) delete liquid.tags[name];
  liquid.registerTag("capture", BoundedCaptureTag);
  liquid.registerTag("case", BoundedCaseTag);
}

/** What is wrong with the tags of a source, if anything. */
export function findTagProblem(
  source: string,
  tokens: readonly TopLevelToken[],
): TemplateProblem | undefined {
  const open: string[] = [];
  for (const token of tokens) {
    if (TypeGuards.isHTMLToken(token)) {
      const at = isQuoted(open) ? -1 : findDjangoComment(source, token);
      if (at >= 0) return problemAt(source, at, djangoComment);
      continue;
    }
    const length = token.end - token.begin;
    const problem =
      length > maxTagLength
        ? `A tag has at most ${maxTagLength} characters, this one has ${length}.`
        : TypeGuards.isTagToken(token)
          ? enter(token, open)
          : undefined;
    if (problem !== undefined) return problemAt(source, token.begin, problem);
  }
  return undefined;
}

const djangoComment =
  "{# … #} is no comment in Liquid and would be sent: {% comment %} … {% endcomment %} is one, and {% raw %} keeps it as it is.";

/** Within raw and comments. */
function isQuoted(open: readonly string[]): boolean {
  const last = open.at(-1);
  return last === "raw" || last === "comment";
}

/** Its offset into the source; below 0: there is none. */
function findDjangoComment(
  source: string,
  { begin, end }: Pick<TopLevelToken, "begin" | "end">,
): number {
  // On one line, as Django has it.
  const at = source.slice(begin, end).search(/\{#[^\n{}]*#\}/);
  return at < 0 ? -1 : begin + at;
}

/** Notes what a tag opens and closes; answers what is wrong with it. */
function enter({ name }: TagToken, open: string[]): string | undefined {
  if (open.at(-1) === "comment" && name !== "endcomment") return undefined;
  if (blockTags.includes(name)) {
    open.push(name);
    return open.length > maxNesting
      ? `Tags are nested at most ${maxNesting} deep.`
      : undefined;
  }
  if (name.startsWith("end") && blockTags.includes(name.slice(3))) {
    const last = open.pop();
    if (last === name.slice(3)) return undefined;
    return last === undefined
      ? `The tag ${name} closes nothing.`
      : `The tag ${name} stands where end${last} is expected.`;
  }
  if (innerTags.includes(name) && open.length === 0) {
    return `The tag ${name} stands outside of its block.`;
  }
  if (plainTags.includes(name) || innerTags.includes(name)) return undefined;
  if (omittedTags.includes(name)) {
    return `The tag ${name} is not available in templates of messages.`;
  }
  return `There is no tag ${name.slice(0, 50)}.`;
}

/** Without it, what captures itself twice doubles each time. */
class BoundedCaptureTag extends CaptureTag {
  override *render(context: Context): Generator<unknown, void, string> {
    const text = new BoundedText(maxCaptureLength, "A captured text");
    yield this.liquid.renderer.renderTemplates(this.templates, context, text);
    budgetOf(context).use(text.buffer.length);
    const { variable } = this;
    context.bottom()[variable] = text.buffer;
  }
}

/** Compares with no operator. */
class BoundedCaseTag extends CaseTag {
  override *render(
    context: Context,
    emitter: Emitter,
  ): Generator<unknown, void, unknown> {
    const budget = budgetOf(context);
    const target: unknown = toValue(yield this.value.value(context, true));
    for (const { values } of this.branches) {
      // What it is compared with counts as being as long.
      for (const _ of values) chargeComparison(budget, target, target);
    }
    yield* super.render(context, emitter);
  }
}
