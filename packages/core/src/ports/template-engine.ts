/** Renders templates of stored messages; the service brings one for Liquid. */

/** Where and why a template cannot be used. */
export interface TemplateProblem {
  /** A sentence without its place: "There is no tag include." */
  readonly message: string;
  /** From 1. */
  readonly line: number;
  /** In characters, from 1. */
  readonly column: number;
  /** The line as it stands in the source, at most 200 characters of it. */
  readonly text: string;
}

/** How a template is rendered. */
export interface TemplateRenderOptions {
  /** A variable that the context lacks is a problem; else it is empty. */
  readonly isStrict: boolean;
  /** What values are escaped for; the text of the template never is. */
  readonly escaping: "html" | "none";
  /** Characters; more is a problem. */
  readonly maxLength: number;
  /** Variables besides the context, which are not escaped. */
  readonly safe?: Readonly<Record<string, string>>;
}

/**
 * A template language. It is given sources and contexts that nobody trusts: it
 * reaches nothing outside of the context, and bounds its own time and memory.
 */
export interface TemplateEngine {
  /** What is wrong with the syntax; empty when nothing is. */
  check(source: string): Promise<readonly TemplateProblem[]>;
  /** @param context a checked JSON object, which is not changed */
  render(
    source: string,
    context: Readonly<Record<string, unknown>>,
    options: TemplateRenderOptions,
  ): Promise<{ readonly text: string } | { readonly problem: TemplateProblem }>;
}
