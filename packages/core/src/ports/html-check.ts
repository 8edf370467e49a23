/** Looks for tags in HTML. */

export interface HtmlCheck {
  /**
   * The first of the tags that the HTML has, and where it begins, in UTF-16
   * units. Of the source of a template, what is within `{{ … }}` and `{% … %}`
   * is none.
   */
  findTag(
    html: string,
    tags: readonly string[],
    kind: "source" | "rendered",
  ): Promise<{ readonly tag: string; readonly at: number } | undefined>;
}
