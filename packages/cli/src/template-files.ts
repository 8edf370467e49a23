/**
 * Templates as files: the body in `<channel>/<slug>.html` or `.txt`, the other
 * members beside it in `<slug>.json`. A `<slug>.html` that stands in the folder
 * itself is the body of a mail, as pymess keeps them.
 */

import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type {
  NewStoredTemplate,
  StoredTemplate,
  TemplateChannel,
} from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { isJsonObject } from "./json-object.ts";

/** A template of a folder. */
export interface TemplateFile {
  readonly channel: TemplateChannel;
  readonly slug: string;
  /** Of the body, below the folder. */
  readonly path: string;
  readonly body: string;
  /** From the file beside it; absent: whatever the server has. */
  readonly members?: TemplateMembers;
}

/** All of a template but its body. */
export type TemplateMembers = Omit<NewStoredTemplate, "body">;

export const templateChannels = ["sms", "email"] as const;

/** What members are when a file does not have them. */
const defaults = {
  isActive: true,
  isLocked: false,
  allowsDuplicates: true,
  isStrict: false,
} as const;

const memberNames = [
  "isActive",
  "isLocked",
  "allowsDuplicates",
  "isStrict",
  "subject",
  "isHtml",
  "sender",
  "senderName",
  "attachments",
] as const satisfies readonly (keyof TemplateMembers)[];

/** What some editors put in front of a text. */
const byteOrderMark = "\uFEFF";

/**
 * In the order of their channels and slugs.
 *
 * @throws CommandFailure for a folder that cannot be read, or files that are none
 * of templates
 */
export async function readTemplateFiles(
  folder: string,
): Promise<readonly TemplateFile[]> {
  const found: TemplateFile[] = [];
  for (const [channel, below] of [
    ["email", ""],
    ["sms", "sms"],
    ["email", "email"],
  ] as const) {
    for (const name of await namesIn(join(folder, below), below === "")) {
      const path = join(below, name);
      const type = extname(name);
      const isBody =
        type === ".html"
          ? channel === "email"
          : type === ".txt" && below !== "";
      if (isBody) found.push(await readTemplate(folder, channel, path, name));
      else if (below !== "" && type !== ".json") throw noTemplate(path);
    }
  }
  found.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  for (const [n, file] of found.entries()) {
    const before = found[n - 1];
    if (before === undefined || keyOf(before) !== keyOf(file)) continue;
    throw new CommandFailure(
      `${before.path} and ${file.path} are both ${keyOf(file)}: keep one.`,
    );
  }
  return found;
}

/** Replaces what is there of the same names. */
export async function writeTemplateFile(
  folder: string,
  template: StoredTemplate,
): Promise<void> {
  const { channel, slug, body } = template;
  const type = channel === "sms" || template.isHtml === false ? "txt" : "html";
  await mkdir(join(folder, channel), { recursive: true });
  const path = join(folder, channel, slug);
  // One that belongs to the text is not to be taken for the editor's.
  const mark = body.startsWith(byteOrderMark) ? byteOrderMark : "";
  await writeFile(`${path}.${type}`, mark + body);
  const members = JSON.stringify(membersOf(template), undefined, 2);
  await writeFile(`${path}.json`, `${members}\n`);
}

/** What putting the file makes of the template that the server has. */
export function toTemplate(
  { body, members, path }: TemplateFile,
  known: StoredTemplate | undefined,
): NewStoredTemplate {
  const isHtml = extname(path) === ".html";
  const isMail = path.startsWith("email") || isHtml;
  return {
    ...(members ?? (known && membersOf(known))),
    body,
    ...(isMail && { isHtml }),
  };
}

/** Whether putting it would change nothing. */
export function isSameTemplate(
  draft: NewStoredTemplate,
  known: StoredTemplate,
): boolean {
  return (
    draft.body === known.body &&
    JSON.stringify(membersOf(draft)) === JSON.stringify(membersOf(known))
  );
}

/** Only those that are not as by default, so that files are short. */
function membersOf(template: NewStoredTemplate | StoredTemplate) {
  const members: Record<string, unknown> = {};
  for (const name of memberNames) {
    const value = template[name] ?? undefined;
    const isDefault =
      value === undefined ||
      (name in defaults && Reflect.get(defaults, name) === value) ||
      name === "isHtml" ||
      (Array.isArray(value) && value.length === 0);
    if (!isDefault) members[name] = value;
  }
  const { attachments = [] } = template;
  return {
    ...members,
    ...(attachments !== null &&
      attachments.length > 0 && {
        attachments: attachments.map(
          ({ name, contentType, contentId, content }) => ({
            name,
            contentType,
            ...(contentId !== undefined && { contentId }),
            content,
          }),
        ),
      }),
  };
}

async function readTemplate(
  folder: string,
  channel: TemplateChannel,
  path: string,
  name: string,
): Promise<TemplateFile> {
  const slug = name.slice(0, -extname(name).length);
  if (!/^[A-Za-z0-9_-]{1,100}$/.test(slug)) throw noTemplate(path);
  const text = await readFile(join(folder, path), "utf8");
  const beside = `${path.slice(0, -extname(path).length)}.json`;
  const members = await readMembers(folder, beside);
  return {
    channel,
    slug,
    path,
    body: text.startsWith(byteOrderMark) ? text.slice(1) : text,
    ...(members && { members }),
  };
}

async function readMembers(
  folder: string,
  path: string,
): Promise<TemplateMembers | undefined> {
  let text: string;
  try {
    text = await readFile(join(folder, path), "utf8");
  } catch (error) {
    if (isNotThere(error)) return undefined;
    throw error;
  }
  let members: unknown;
  try {
    members = JSON.parse(text.replace(byteOrderMark, ""));
  } catch (cause) {
    throw new CommandFailure(`${path} is not JSON.`, 1, { cause });
  }
  if (!isJsonObject(members)) {
    throw new CommandFailure(`${path} is not a JSON object.`);
  }
  const unknown = Object.keys(members).find(
    (name) => !memberNames.some((known) => known === name),
  );
  if (unknown === undefined) return members;
  throw new CommandFailure(
    `${path} has a member ${unknown}; there are ${memberNames.join(", ")}.`,
  );
}

async function namesIn(
  folder: string,
  isNeeded: boolean,
): Promise<readonly string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map(({ name }) => name)
      .sort();
  } catch (cause) {
    if (!isNeeded && isNotThere(cause)) return [];
    throw new CommandFailure(`The folder ${folder} cannot be read.`, 1, {
      cause,
    });
  }
}

function keyOf({ channel, slug }: TemplateFile): string {
  return `${channel}/${slug}`;
}

function noTemplate(path: string): CommandFailure {
  return new CommandFailure(
    `${path} is no template: <channel>/<slug>.html or .txt is expected, of letters, digits, dashes and underscores, with a .json beside it.`,
  );
}

function isNotThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}
