/** Looks for tags in HTML. */

export interface HtmlCheck {
  /**
   * The first of the tags that the HTML has, and where it begins, in UTF-16
   * units. What is within `{{ … }}` and `{% … %}` is none.
   */
  findTag(
    html: string,
    tags: readonly string[],
  ): Promise<{ readonly tag: string; readonly at: number } | undefined>;
}
