/**
 * Liquid for templates of stored messages, by liquidjs: without files, without
 * prototypes, and within a budget of time and memory, as nobody trusts those who
 * write them. It renders in one go: nothing waits, and the budget sees to it that
 * this takes some tens of milliseconds at most.
 */

import type {
  Clock,
  TemplateEngine,
  TemplateProblem,
  TemplateRenderOptions,
} from "@carillon/core";
import {
  Liquid,
  LiquidError,
  Parser,
  type Template,
  Tokenizer,
  toValueSync,
} from "liquidjs";
import { boundRanges } from "./bounded-ranges.ts";
import { BoundedText } from "./bounded-text.ts";
import { createBudgetedContext, RenderingBudget } from "./budgeted-context.ts";
import { CompiledTemplates } from "./compiled-templates.ts";
import { registerFilters, toHtml, toText } from "./liquid-filters.ts";
import { boundedOperators } from "./liquid-operators.ts";
import { findTagProblem, registerTags } from "./liquid-tags.ts";
import { BudgetExceeded } from "./render-budget.ts";
import { problemAt } from "./template-problem.ts";

/** Characters of a source; core's limits of bodies are lower or the same. */
const maxSourceLength = 65_536;
/** Of compiled sources, for each way of escaping. */
const maxKeptCharacters = 2_000_000;

type Escape = TemplateRenderOptions["escaping"];

/** A source that cannot be compiled. */
class SyntaxProblem extends Error {
  readonly problem: TemplateProblem;

  constructor(problem: TemplateProblem, options?: ErrorOptions) {
    super(problem.message, options);
    this.problem = problem;
  }
}

/**
 * @param clock what `'now'` is, to the `date` filter
 * @param cpuMs how long the processor has worked; by default for this thread
 */
export function createLiquidEngine(
  clock?: Pick<Clock, "now">,
  cpuMs?: () => number,
): TemplateEngine {
  const compilers = {
    html: createCompiler("html", clock),
    none: createCompiler("none", clock),
  };
  return {
    async check(source) {
      try {
        compilers.none.compiled.get(source);
        return [];
      } catch (error) {
        if (error instanceof SyntaxProblem) return [error.problem];
        throw error;
      }
    },
    async render(source, context, options) {
      const { liquid, compiled } = compilers[options.escaping];
      const text = new BoundedText(options.maxLength, "The text");
      try {
        const templates = compiled.get(source);
        const { safe = {} } = options;
        const budget = new RenderingBudget(Object.values(safe), cpuMs);
        const values = { ...withoutPrototypes(context), ...safe };
        toValueSync(
          liquid.renderer.renderTemplates(
            templates,
            createBudgetedContext(liquid, Object.setPrototypeOf(values, null), {
              isStrict: options.isStrict,
              budget,
            }),
            text,
          ),
        );
        return { text: text.buffer };
      } catch (error) {
        return {
          problem:
            error instanceof SyntaxProblem
              ? error.problem
              : problemOf(source, error),
        };
      }
    },
  };
}

function createCompiler(escaping: Escape, clock?: Pick<Clock, "now">) {
  const liquid = new Liquid({
    // Nothing is looked up: the tags that do are taken away, too.
    templates: {},
    ownPropertyOnly: true,
    strictFilters: true,
    // In strict mode `if` and `default` may still ask what is missing.
    lenientIf: true,
    operators: boundedOperators,
    outputEscape: escaping === "html" ? toHtml : toText,
    timezoneOffset: 0,
    locale: "en-US",
  });
  registerTags(liquid);
  registerFilters(liquid, { escaping, ...(clock && { clock }) });
  return {
    liquid,
    compiled: new CompiledTemplates(
      (source) => compile(liquid, source),
      maxKeptCharacters,
    ),
  };
}

/** @throws SyntaxProblem */
function compile(liquid: Liquid, source: string): Template[] {
  if (source.length > maxSourceLength) {
    throw new SyntaxProblem(
      problemAt(
        source.slice(0, 1000),
        0,
        `A template has at most ${maxSourceLength} characters, this one has ${source.length}.`,
      ),
    );
  }
  try {
    const tokenizer = new Tokenizer(source, liquid.options.operators);
    const tokens = tokenizer.readTopLevelTokens(liquid.options);
    const problem = findTagProblem(source, tokens);
    if (problem) throw new SyntaxProblem(problem);
    const templates = new Parser(liquid).parseTokens(tokens);
    if (source.includes("..")) boundRanges(templates);
    return templates;
  } catch (cause) {
    if (cause instanceof SyntaxProblem) throw cause;
    throw new SyntaxProblem(problemOf(source, cause), { cause });
  }
}

/** @throws what is no failure of a template */
function problemOf(source: string, error: unknown): TemplateProblem {
  if (error instanceof RangeError) {
    return problemAt(source, 0, "Expressions are nested too deeply.");
  }
  if (error instanceof BudgetExceeded) {
    return problemAt(source, 0, error.message);
  }
  if (!isLiquidError(error)) throw error;
  const cause = error.originalError;
  if (cause instanceof RangeError) {
    return problemAt(
      source,
      error.token.begin,
      "Expressions are nested too deeply.",
    );
  }
  const { message } = cause ?? error;
  return problemAt(source, error.token.begin, toSentence(message));
}

function isLiquidError(error: unknown): error is LiquidError & {
  readonly originalError?: Error;
} {
  return LiquidError.is(error);
}

/** liquidjs's words in ours. */
function toSentence(message: string): string {
  const plain = message.replace(/(, file:.*)?, line:\d+, col:\d+$/s, "");
  const known = [
    [/^undefined variable: (.*)$/s, "The variable $1 is missing."],
    [/^undefined filter: (.*)$/s, "There is no filter $1."],
    [/^tag (.*) not closed$/s, "The tag $1 is not closed."],
    [/^output (.*) not closed$/s, "The output $1 is not closed."],
    [/^illegal tag: (.*)$/s, "The tag $1 cannot be read."],
  ] as const;
  for (const [pattern, sentence] of known) {
    if (pattern.test(plain)) return shorten(plain.replace(pattern, sentence));
  }
  const sentence = plain.charAt(0).toUpperCase() + plain.slice(1);
  return shorten(/[.!?]$/.test(sentence) ? sentence : `${sentence}.`);
}

function shorten(text: string): string {
  return text.length > 300 ? `${text.slice(0, 299)}…` : text;
}

/**
 * A copy of which no part has a prototype, so that a name such as `constructor`
 * finds what the context has of it, or nothing. Lists keep theirs: their own
 * members are all that templates reach.
 */
function withoutPrototypes(value: unknown): object {
  return copy(value) as object;
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== "object" || value === null) return value;
  const bare: Record<string, unknown> = Object.create(null);
  for (const [name, member] of Object.entries(value)) bare[name] = copy(member);
  return bare;
}
