/** Looks for tags in HTML. */

export interface HtmlCheck {
  /**
   * The first of the tags that the HTML has, for any program that shows mails, or
   * elements that are nested deeper than can be looked at; and where it begins, in
   * UTF-16 units. Of the source of a template, what is within `{{ … }}` and
   * `{% … %}` is none.
   */
  findProblem(
    html: string,
    tags: readonly string[],
    kind: "source" | "rendered",
  ): Promise<HtmlProblem | undefined>;
}

export interface HtmlProblem {
  /** Without a full stop: "The tag script is banned". */
  readonly problem: string;
  readonly at: number;
}
