/**
 * Templates as files: the body in `<channel>/<slug>.html` or `.txt`, the other
 * members beside it in `<slug>.json`. A `<slug>.html` that stands in the folder
 * itself is the body of a mail, as pymess keeps them.
 */

import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { extname, join } from "node:path";
import type {
  Attachment,
  NewStoredTemplate,
  StoredTemplate,
  TemplateChannel,
} from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";
import { isJsonObject } from "./json-object.ts";
import { makeFolder } from "./make-folder.ts";

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

/** All of a template but its body, and whether that is HTML: its file tells. */
export type TemplateMembers = Omit<NewStoredTemplate, "body" | "isHtml">;

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
  "sender",
  "senderName",
  "attachments",
] as const satisfies readonly (keyof TemplateMembers)[];

/** What some editors put in front of a text. */
const byteOrderMark = "\uFEFF";

/** A body in a folder; what it says is not read. */
export type TemplatePath = Pick<TemplateFile, "channel" | "slug" | "path">;

/**
 * In the order of their channels and slugs.
 *
 * @throws CommandFailure for a folder that cannot be read, or files that are none
 * of templates
 */
export async function readTemplateFiles(
  folder: string,
): Promise<readonly TemplateFile[]> {
  const { bodies, strays } = await listFiles(folder, true);
  const [stray] = strays;
  if (stray !== undefined) throw noTemplate(stray);
  for (const [n, file] of bodies.entries()) {
    const before = bodies[n - 1];
    if (before === undefined || keyOf(before) !== keyOf(file)) continue;
    throw new CommandFailure(
      `${before.path} and ${file.path} are both ${keyOf(file)}: keep one.`,
    );
  }
  const found: TemplateFile[] = [];
  for (const file of bodies) found.push(await readTemplate(folder, file));
  return found;
}

/**
 * The bodies that a folder has, also several of one template; a folder that is
 * not there has none.
 *
 * @throws CommandFailure for a folder that cannot be read
 */
export async function listTemplatePaths(
  folder: string,
): Promise<readonly TemplatePath[]> {
  return (await listFiles(folder, false)).bodies;
}

/**
 * Replaces the files that the folder has of the template, wherever they stand: so
 * that it has one body.
 */
export async function writeTemplateFile(
  folder: string,
  template: StoredTemplate,
  before: readonly TemplatePath[] = [],
): Promise<void> {
  const { channel, slug, body } = template;
  const type = isHtmlMail(template) ? "html" : "txt";
  await makeFolder(join(folder, channel));
  const path = join(channel, `${slug}.${type}`);
  // One that belongs to the text is not to be taken for the editor's.
  const mark = body.startsWith(byteOrderMark) ? byteOrderMark : "";
  await writeFile(join(folder, path), mark + body);
  const members = toMembersText(membersOf(template));
  await writeFile(join(folder, besideOf(path)), members);
  for (const old of before) {
    if (old.channel !== channel || old.slug !== slug) continue;
    if (old.path !== path) await rm(join(folder, old.path), { force: true });
    if (besideOf(old.path) === besideOf(path)) continue;
    await rm(join(folder, besideOf(old.path)), { force: true });
  }
}

/** Both of its files. */
export async function removeTemplateFile(
  folder: string,
  { path }: TemplatePath,
): Promise<void> {
  await rm(join(folder, path), { force: true });
  await rm(join(folder, besideOf(path)), { force: true });
}

/** What putting the file makes of the template that the server has. */
export function toTemplate(
  { channel, body, members, path }: TemplateFile,
  known: StoredTemplate | undefined,
): NewStoredTemplate {
  return {
    ...(members ?? (known && membersOf(known))),
    body,
    ...(channel === "email" && { isHtml: extname(path) === ".html" }),
  };
}

/** Whether putting it would change nothing. */
export function isSameTemplate(
  draft: NewStoredTemplate,
  known: StoredTemplate,
): boolean {
  return (
    draft.body === known.body &&
    (draft.isHtml ?? true) === (known.isHtml ?? true) &&
    toMembersText(membersOf(draft)) === toMembersText(membersOf(known))
  );
}

/** Only those that are not as by default, so that files are short. */
function membersOf(
  template: NewStoredTemplate | StoredTemplate,
): TemplateMembers {
  const members: Record<string, unknown> = {};
  for (const name of memberNames) {
    const value = template[name] ?? undefined;
    const isDefault =
      value === undefined ||
      (name in defaults && Reflect.get(defaults, name) === value) ||
      (Array.isArray(value) && value.length === 0);
    if (!isDefault) members[name] = value;
  }
  return members;
}

/** As they stand in a file; always in one order, so that texts can be compared. */
function toMembersText({ attachments, ...members }: TemplateMembers): string {
  const files = attachments?.map(
    ({ name, contentType, contentId, content }) => ({
      name,
      contentType,
      ...(contentId !== undefined && { contentId }),
      content: Buffer.from(content).toString("base64"),
    }),
  );
  const all = { ...members, ...(files && { attachments: files }) };
  return `${JSON.stringify(all, undefined, 2)}\n`;
}

/**
 * Their bytes are text in a file. What else is wrong with them is the server's to
 * say.
 *
 * @throws CommandFailure
 */
function toAttachments(
  list: unknown,
  path: string,
): readonly Attachment[] | undefined {
  if (list === undefined || list === null) return undefined;
  if (Array.isArray(list) && list.every(isFileAttachment)) {
    return list.map(({ content, ...one }) => ({
      ...one,
      content: Buffer.from(content, "base64"),
    }));
  }
  throw new CommandFailure(
    `${path}: attachments have name, contentType and content, in base64.`,
  );
}

function isFileAttachment(value: unknown): value is {
  readonly name: string;
  readonly contentType: string;
  readonly content: string;
} {
  return (
    isJsonObject(value) &&
    typeof value.name === "string" &&
    typeof value.contentType === "string" &&
    typeof value.content === "string" &&
    value.content.length % 4 === 0 &&
    /^[A-Za-z0-9+/]*={0,2}$/.test(value.content)
  );
}

/** By channel and slug; strays are below the folders of channels. */
async function listFiles(folder: string, isNeeded: boolean) {
  const bodies: TemplatePath[] = [];
  const strays: string[] = [];
  for (const [channel, below] of [
    ["email", ""],
    ["sms", "sms"],
    ["email", "email"],
  ] as const) {
    const isOuter = below === "";
    for (const name of await namesIn(
      join(folder, below),
      isNeeded && isOuter,
    )) {
      const path = join(below, name);
      const type = extname(name);
      const isBody =
        type === ".html" ? channel === "email" : type === ".txt" && !isOuter;
      const slug = name.slice(0, -type.length);
      if (isBody && isSlug(slug)) bodies.push({ channel, slug, path });
      else if (isBody || (!isOuter && type !== ".json")) strays.push(path);
    }
  }
  bodies.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
  return { bodies, strays };
}

async function readTemplate(
  folder: string,
  { channel, slug, path }: TemplatePath,
): Promise<TemplateFile> {
  const text = await readFile(join(folder, path), "utf8");
  const members = await readMembers(folder, besideOf(path));
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
  if (unknown === undefined) {
    return {
      ...members,
      attachments: toAttachments(members.attachments, path),
    };
  }
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

function isSlug(text: string): boolean {
  return /^[A-Za-z0-9_-]{1,100}$/.test(text);
}

function isHtmlMail({ channel, isHtml }: StoredTemplate): boolean {
  return channel === "email" && isHtml !== false;
}

/** Of a body: the file with the other members. */
function besideOf(path: string): string {
  return `${path.slice(0, -extname(path).length)}.json`;
}

function keyOf({ channel, slug }: TemplatePath): string {
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
