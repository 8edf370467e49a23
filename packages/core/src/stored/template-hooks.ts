/** Where code changes what templates of stored messages make. */

import type { StoredTemplate } from "./stored-templates.ts";
import type { TemplateContext } from "./template-context.ts";

/** Each is optional; without it nothing is changed. */
export interface TemplateHooks {
  /** The source that is rendered, of a template: by default its body. */
  getBody?(template: StoredTemplate): string | Promise<string>;
  /**
   * The text that is sent. `render` does what is done without this hook: it
   * renders a source with a context.
   */
  renderBody?(
    body: string,
    context: TemplateContext,
    recipient: string,
    render: (body: string, context: TemplateContext) => Promise<string>,
  ): string | Promise<string>;
  /** The context that is rendered with; it is checked as the given one is. */
  updateContext?(
    context: TemplateContext,
    recipient: string,
  ): unknown | Promise<unknown>;
}
