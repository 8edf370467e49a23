import assert from "node:assert/strict";
import {
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import {
  BadRequestError,
  type NewStoredTemplate,
  ResourceNotFoundError,
  type StoredTemplate,
} from "@carillon/client";
import fc from "fast-check";
import { dumpTemplates } from "./template-dump.ts";
import { readTemplateFiles, writeTemplateFile } from "./template-files.ts";
import { syncTemplates } from "./template-sync.ts";

const nothing = { delete: false, dryRun: false };
let folder: string;
let server: Map<string, StoredTemplate>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "templates-"));
  server = new Map();
});
afterEach(() => rm(folder, { recursive: true }));

const templates = {
  async *list() {
    yield* [...server.values()];
  },
  async get(channel: string, slug: string) {
    const found = server.get(`${channel}/${slug}`);
    if (found) return found;
    throw new ResourceNotFoundError("None.", { status: 404 });
  },
  async check(_: string, __: string, { body }: NewStoredTemplate) {
    if (body.includes("{% nonsense")) {
      throw new BadRequestError("There is no tag nonsense.", { status: 400 });
    }
  },
  async put(channel: string, slug: string, draft: NewStoredTemplate) {
    const template = toStored(channel, slug, draft);
    server.set(`${channel}/${slug}`, template);
    return template;
  },
  async delete(channel: string, slug: string) {
    server.delete(`${channel}/${slug}`);
  },
};

function toStored(
  channel: string,
  slug: string,
  draft: NewStoredTemplate,
): StoredTemplate {
  const { subject, sender, senderName } = draft;
  return {
    channel,
    slug,
    body: draft.body,
    isActive: draft.isActive ?? true,
    isLocked: draft.isLocked ?? false,
    allowsDuplicates: draft.allowsDuplicates ?? true,
    isStrict: draft.isStrict ?? false,
    ...(channel === "email" && { isHtml: draft.isHtml ?? true }),
    ...(subject && { subject }),
    ...(sender && { sender }),
    ...(senderName && { senderName }),
    attachments: draft.attachments ?? [],
    createdAt: "2026-01-01T00:00:00.000Z",
    changedAt: "2026-01-01T00:00:00.000Z",
  };
}

async function write(path: string, text: string) {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), text);
}

async function sync(options = nothing) {
  const files = await readTemplateFiles(folder);
  const done = await syncTemplates(templates, files, options);
  return done.map((it) => `${it.action} ${it.channel}/${it.slug}`);
}

test("templates are created, changed, left and deleted", async () => {
  await write("sms/code.txt", "Code {{ code }}");
  await write("email/hello.html", "\uFEFF<p>Hi</p>");
  await write("email/hello.json", '{"subject":"Hi","isLocked":true}');
  await write("email/plain.txt", "Hi");
  await write("flat.html", "\uFEFF<p>{{ a }}</p>\n");
  assert.deepEqual(await sync({ delete: true, dryRun: true }), [
    "created email/flat",
    "created email/hello",
    "created email/plain",
    "created sms/code",
  ]);
  assert.equal(server.size, 0);
  await sync();
  assert.equal(server.get("email/flat")?.body, "<p>{{ a }}</p>\n");
  assert.equal(server.get("email/hello")?.body, "<p>Hi</p>");
  assert.equal(server.get("email/hello")?.subject, "Hi");
  assert.equal(server.get("email/plain")?.isHtml, false);
  await templates.put("sms", "old", { body: "x" });
  await write("sms/code.txt", "Your code {{ code }}");
  assert.deepEqual(await sync({ delete: true, dryRun: false }), [
    "same email/flat",
    "same email/hello",
    "same email/plain",
    "changed sms/code",
    "deleted sms/old",
  ]);
  assert.equal(server.has("sms/old"), false);
});

test("without a file beside it, other members stay as they are", async () => {
  await templates.put("email", "a", {
    body: "x",
    subject: "S",
    isLocked: true,
  });
  await write("a.html", "y");
  assert.deepEqual(await sync(), ["changed email/a"]);
  assert.equal(server.get("email/a")?.subject, "S");
  assert.equal(server.get("email/a")?.isLocked, true);
  await write("a.json", "{}");
  assert.deepEqual(await sync(), ["changed email/a"]);
  assert.equal(server.get("email/a")?.subject, undefined);
});

test("a mistake in one file changes nothing", async () => {
  await write("sms/a.txt", "fine");
  await write("sms/b.txt", "{% nonsense %}");
  await write("sms/c.txt", "{% nonsense %}");
  await assert.rejects(sync(), {
    message:
      "Nothing was changed. sms/b.txt: There is no tag nonsense. sms/c.txt: There is no tag nonsense.",
  });
  assert.equal(server.size, 0);
});

test("what is no template is refused by its path", async () => {
  for (const [path, text, message] of [
    ["sms/a b.txt", "x", /sms\/a b\.txt is no template/],
    ["sms/a.html", "x", /sms\/a\.html is no template/],
    ["email/a.json", "x", undefined],
    ["email/a.html", "x", /email\/a\.json is not JSON/],
    ["email/a.json", "[]", /email\/a\.json is not a JSON object/],
    ["email/a.json", '{"subjekt":"x"}', /has a member subjekt/],
    ["email/a.json", '{"attachments":[{"content":"aGk"}]}', /in base64/],
    [
      "email/a.json",
      '{"attachments":[{"name":"a","contentType":"a/b","content":"aGk"}]}',
      /email\/a\.json: attachments have .* in base64/,
    ],
    ["email/a.json", "{}", undefined],
    [
      "a.html",
      "x",
      /a\.html and .*email\/a\.html are both email\/a|email\/a\.html and a\.html/,
    ],
  ] as const) {
    await write(path, text);
    if (message) await assert.rejects(readTemplateFiles(folder), { message });
    else await readTemplateFiles(folder);
    if (path.startsWith("sms")) await rm(join(folder, path));
  }
  await assert.rejects(readTemplateFiles(join(folder, "none")), {
    message: /cannot be read/,
  });
});

test("what was dumped is the same when it is synced", async () => {
  const text = fc.string({ unit: "grapheme", minLength: 1, maxLength: 40 });
  const line = fc.option(text, { nil: undefined });
  const flag = fc.boolean();
  const template = fc.record({
    channel: fc.constantFrom("sms", "email"),
    slug: fc.stringMatching(/^[a-z0-9_-]{1,12}$/),
    body: fc.oneof(text, fc.constantFrom("\uFEFFx", "a\r\nb\n", " ")),
    isActive: flag,
    isLocked: flag,
    allowsDuplicates: flag,
    isStrict: flag,
    isHtml: flag,
    subject: line,
    senderName: line,
    file: fc.option(fc.base64String({ maxLength: 20 }), { nil: undefined }),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(template, { maxLength: 6 }), async (all) => {
      await rm(folder, { recursive: true });
      await mkdir(folder);
      server = new Map();
      for (const {
        channel,
        slug,
        isHtml,
        subject,
        senderName,
        file,
        ...it
      } of all) {
        await templates.put(channel, slug, {
          ...it,
          ...(channel === "email" && {
            isHtml,
            subject,
            senderName,
            ...(file !== undefined && {
              attachments: [
                {
                  name: "a.bin",
                  contentType: "a/b",
                  contentId: "c",
                  content: Buffer.from(file, "base64"),
                },
              ],
            }),
          }),
        });
      }
      for (const one of server.values()) await writeTemplateFile(folder, one);
      const done = await sync({ delete: true, dryRun: false });
      assert.equal(done.length, server.size);
      assert.deepEqual(
        done.filter((it) => !it.startsWith("same")),
        [],
      );
    }),
    { numRuns: 60 },
  );
});

test("files have only what is not as by default", async () => {
  await writeTemplateFile(
    folder,
    toStored("email", "a", { body: "x", isStrict: true }),
  );
  assert.equal(
    await readFile(join(folder, "email/a.json"), "utf8"),
    '{\n  "isStrict": true\n}\n',
  );
});

test("a body that became HTML, or text, is a change", async () => {
  await templates.put("email", "a", { body: "x", isHtml: true });
  await write("email/a.txt", "x");
  await write("email/a.json", "{}");
  assert.deepEqual(await sync(), ["changed email/a"]);
  assert.equal(server.get("email/a")?.isHtml, false);
  assert.deepEqual(await sync(), ["same email/a"]);
  await rm(join(folder, "email/a.txt"));
  await write("email/a.html", "x");
  assert.deepEqual(await sync(), ["changed email/a"]);
  assert.equal(server.get("email/a")?.isHtml, true);
  await write("email/a.json", '{"isHtml":false}');
  await assert.rejects(sync(), { message: /has a member isHtml; there are/ });
});

test("the channel of a template is that of its folder", async () => {
  await write("emails.html", "x");
  await write("sms/email.txt", "x");
  await sync();
  assert.equal(server.get("email/emails")?.isHtml, true);
  assert.equal(server.get("sms/email")?.isHtml, undefined);
});

test("a folder can be synced after each dump into it", async () => {
  const dump = (isWhole: boolean) =>
    dumpTemplates(templates, folder, { delete: isWhole });
  const names = () => readdir(folder, { recursive: true });
  await templates.put("email", "a", { body: "x", isHtml: true });
  await templates.put("sms", "a", { body: "x" });
  await dump(false);
  await templates.put("email", "a", { body: "x", isHtml: false });
  await dump(false);
  assert.deepEqual(
    (await names()).filter((it) => it.startsWith("email/")),
    ["email/a.json", "email/a.txt"],
  );
  assert.deepEqual(await sync(), ["same email/a", "same sms/a"]);
  // As pymess keeps it.
  await write("a.html", "x");
  await write("a.json", "{}");
  await write("README.md", "Templates");
  await dump(false);
  assert.deepEqual(await sync(), ["same email/a", "same sms/a"]);
  server.delete("sms/a");
  assert.deepEqual(await dump(false), { templates: 1, deleted: 0, surplus: 1 });
  assert.deepEqual(await dump(true), { templates: 1, deleted: 1, surplus: 0 });
  assert.deepEqual(await sync(), ["same email/a"]);
  assert.deepEqual((await names()).sort(), [
    "README.md",
    "email",
    "email/a.json",
    "email/a.txt",
    "sms",
  ]);
});
