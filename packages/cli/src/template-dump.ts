/** Brings a folder to the templates that the server has. */

import type { StoredTemplates, TemplateChannel } from "@carillon/client";
import {
  listTemplatePaths,
  removeTemplateFile,
  writeTemplateFile,
} from "./template-files.ts";

export interface DumpOptions {
  /** Files of templates that the server does not have are deleted. */
  readonly delete: boolean;
}

/** How many templates a dump wrote, deleted, and left that the server lacks. */
export interface Dumped {
  readonly templates: number;
  readonly deleted: number;
  readonly surplus: number;
}

/**
 * Of each template that the server has, the folder has one body and one file of
 * members then.
 *
 * @throws CommandFailure for a folder that cannot be read
 */
export async function dumpTemplates(
  templates: Pick<StoredTemplates, "list" | "get">,
  folder: string,
  options: DumpOptions,
): Promise<Dumped> {
  const before = await listTemplatePaths(folder);
  const written = new Set<string>();
  for await (const { channel, slug } of templates.list()) {
    const template = await templates.get(channelOf(channel), slug);
    await writeTemplateFile(folder, template, before);
    written.add(`${channel}/${slug}`);
  }
  const surplus = before.filter(
    ({ channel, slug }) => !written.has(`${channel}/${slug}`),
  );
  if (options.delete) {
    for (const file of surplus) await removeTemplateFile(folder, file);
  }
  const count = new Set(surplus.map((it) => `${it.channel}/${it.slug}`)).size;
  return {
    templates: written.size,
    deleted: options.delete ? count : 0,
    surplus: options.delete ? 0 : count,
  };
}

function channelOf(name: string): TemplateChannel {
  return name === "sms" ? "sms" : "email";
}
