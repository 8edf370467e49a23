/** Brings the server's templates to what stands in a folder. */

import {
  BadRequestError,
  type NewStoredTemplate,
  ResourceNotFoundError,
  type StoredTemplate,
  type StoredTemplates,
} from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import {
  isSameTemplate,
  type TemplateFile,
  toTemplate,
} from "./template-files.ts";

/** What a sync does to one template. */
export const syncActions = ["created", "changed", "same", "deleted"] as const;

export interface SyncedTemplate {
  readonly channel: string;
  readonly slug: string;
  readonly action: (typeof syncActions)[number];
}

export interface SyncOptions {
  /** What the folder does not have is deleted. */
  readonly delete: boolean;
  /** Nothing is changed. */
  readonly dryRun: boolean;
}

type Templates = Pick<
  StoredTemplates,
  "list" | "get" | "check" | "put" | "delete"
>;

/**
 * All are checked before any is changed.
 *
 * @throws CommandFailure that names each file that cannot be a template; then
 * nothing was changed
 */
export async function syncTemplates(
  templates: Templates,
  files: readonly TemplateFile[],
  options: SyncOptions,
): Promise<readonly SyncedTemplate[]> {
  const planned: {
    file: TemplateFile;
    draft: NewStoredTemplate;
    action: "created" | "changed" | "same";
  }[] = [];
  const problems: string[] = [];
  for (const file of files) {
    const known = await find(templates, file);
    const draft = toTemplate(file, known);
    const action =
      known === undefined
        ? "created"
        : isSameTemplate(draft, known)
          ? "same"
          : "changed";
    planned.push({ file, draft, action });
    if (action === "same") continue;
    try {
      await templates.check(file.channel, file.slug, draft);
    } catch (error) {
      if (!(error instanceof BadRequestError)) throw error;
      problems.push(`${file.path}: ${error.reason ?? error.message}`);
    }
  }
  if (problems.length > 0) {
    throw new CommandFailure(`Nothing was changed. ${problems.join(" ")}`);
  }
  const surplus = options.delete ? await surplusOf(templates, files) : [];
  if (!options.dryRun) {
    for (const { file, draft, action } of planned) {
      if (action === "same") continue;
      await templates.put(file.channel, file.slug, draft);
    }
    for (const { channel, slug } of surplus) {
      await templates.delete(channel === "sms" ? "sms" : "email", slug);
    }
  }
  return [
    ...planned.map(({ file: { channel, slug }, action }) => ({
      channel,
      slug,
      action,
    })),
    ...surplus.map(({ channel, slug }) => ({
      channel,
      slug,
      action: "deleted" as const,
    })),
  ];
}

async function find(
  templates: Templates,
  { channel, slug }: TemplateFile,
): Promise<StoredTemplate | undefined> {
  try {
    return await templates.get(channel, slug);
  } catch (error) {
    if (error instanceof ResourceNotFoundError) return undefined;
    throw error;
  }
}

async function surplusOf(templates: Templates, files: readonly TemplateFile[]) {
  const there = await Array.fromAsync(templates.list());
  return there.filter(
    ({ channel, slug }) =>
      !files.some((file) => file.channel === channel && file.slug === slug),
  );
}
