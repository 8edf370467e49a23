/** How commands name a template: `sms/<slug>` or `email/<slug>`. */

import type { StoredTemplate, TemplateChannel } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import type { Word } from "./lookup.ts";
import { templateChannels } from "./template-files.ts";

export const templateWord: Word = { noun: "templates", word: "template" };

/** @throws CommandFailure */
export function parseTemplateReference(text: string): {
  readonly channel: TemplateChannel;
  readonly slug: string;
} {
  const [, name, slug] = /^([a-z]+)\/([\w-]{1,100})$/.exec(text) ?? [];
  const channel = templateChannels.find((it) => it === name);
  if (channel !== undefined && slug !== undefined) return { channel, slug };
  throw new CommandFailure(
    `"${text}" names no template: sms/<slug> or email/<slug> is expected, with a slug of 1 to 100 letters, digits, dashes and underscores.`,
    2,
  );
}

/** For JSON on standard output: files in base64. */
export function toTemplateRecord({ attachments, ...template }: StoredTemplate) {
  return {
    ...template,
    attachments: attachments.map(({ content, ...attachment }) => ({
      ...attachment,
      content: Buffer.from(content).toString("base64"),
    })),
  };
}
