import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ManualClock, MemoryStore } from "@carillon/testing";
import type { ProjectId } from "../ids.ts";
import type { TemplateEngine } from "../ports/template-engine.ts";
import type { ProtocolDefinition } from "../subscriptions/protocol.ts";
import { toEpochMs } from "../time.ts";
import type { TemplateHooks } from "./template-hooks.ts";
import type { MailTemplateOptions } from "./template-rendering.ts";
import {
  createStoredTemplates,
  type StoredTemplatePorts,
  type StoredTemplates,
} from "./template-service.ts";

const projectId = "0123456789abcdef0123456789abcdef" as ProjectId;
const order = { type: "order", id: "1" };
const emails: Pick<ProtocolDefinition, "problemWithEndpoint"> = {
  problemWithEndpoint: (text) =>
    /^[a-z]+@[a-z.]+$/.test(text) ? undefined : "it has no @",
};

/** Puts values in for `<name>`; `!` is a mistake. */
const engine: TemplateEngine = {
  async check(source) {
    const at = source.indexOf("!");
    return at < 0
      ? []
      : [{ message: "No.", line: 1, column: at + 1, text: source }];
  },
  async render(source, context, { isStrict, escaping, maxLength, safe = {} }) {
    const missing = /<(\w+)>/
      .exec(source)
      ?.find(
        (name) => !(name in context) && !(name in safe) && name[0] !== "<",
      );
    if (isStrict && missing !== undefined) {
      const message = `The variable ${missing} is missing.`;
      return { problem: { message, line: 1, column: 1, text: source } };
    }
    const text = source.replace(/<(\w+)>/g, (_, name: string) => {
      const value = String(context[name] ?? "");
      return (
        safe[name] ??
        (escaping === "html" ? value.replaceAll("&", "&amp;") : value)
      );
    });
    return { text: text.slice(0, maxLength) };
  },
};

let store: MemoryStore;
let clock: ManualClock;
let sent: boolean;
let mails: MailTemplateOptions;

beforeEach(() => {
  clock = new ManualClock(toEpochMs(1000));
  store = new MemoryStore({ clock });
  sent = false;
  mails = {
    bannedTags: ["script"],
    contentBlock: "email_content",
    extendBody: true,
  };
});

/** Renders as sending does. */
async function renderFound(
  templates: StoredTemplates,
  channel: string,
  slug: string,
  context: unknown,
  recipient: string,
) {
  const template = await templates.get(projectId, channel, slug);
  return await templates.render(projectId, template, context, recipient);
}

function create(hooks: TemplateHooks = {}) {
  const ports: StoredTemplatePorts = {
    store: Object.assign(Object.create(store), {
      wasSent: async () => sent,
    }),
    clock,
    engine,
    hooks,
    htmlCheck: {
      async findProblem(html, tags) {
        const tag = tags.find((it) => html.includes(`<${it}`));
        return tag === undefined
          ? undefined
          : {
              problem: `The tag ${tag} is banned`,
              at: html.indexOf(`<${tag}`),
            };
      },
    },
    mails: () => mails,
    mailRules: {
      protocols: {
        find: (name) =>
          name === "email" ? (emails as ProtocolDefinition) : undefined,
      },
      isEmailSender: (address) => !address.endsWith("@other.example"),
      maxAttachmentBytes: () => 1_000_000,
    },
    async readBaseFile(file) {
      if (file === "base.html") return "[<email_content>] <name>";
      throw new Error("ENOENT");
    },
    analyzeText: (text) => ({
      encoding: "gsm7",
      segments: 1,
      characters: text.length,
    }),
  };
  return createStoredTemplates(ports);
}

test("a template has defaults, and is found by channel and slug", async () => {
  const templates = create();
  const text = await templates.create(projectId, "sms", "code", {
    body: "<code>",
  });
  assert.deepEqual(text, {
    channel: "sms",
    slug: "code",
    body: "<code>",
    isActive: true,
    isLocked: false,
    allowsDuplicates: true,
    isStrict: false,
    createdAt: 1000,
    changedAt: 1000,
  });
  assert.deepEqual(await templates.get(projectId, "sms", "code"), text);
  await assert.rejects(templates.get(projectId, "email", "code"), {
    code: "TEMPLATE_NOT_FOUND",
  });
  await assert.rejects(
    templates.create(projectId, "sms", "code", { body: "x" }),
    { code: "TEMPLATE_EXISTS" },
  );
});

test("bad members are refused by name, and nothing is kept", async () => {
  const templates = create();
  const attachment = {
    name: "a.txt",
    contentType: "text/plain",
    content: new Uint8Array(1),
  };
  for (const [channel, slug, draft, message] of [
    ["fax", "a", { body: "x" }, /channel/],
    ["sms", "", { body: "x" }, /slug/],
    ["sms", "a b", { body: "x" }, /slug/],
    ["sms", "a".repeat(101), { body: "x" }, /slug/],
    ["sms", "ä", { body: "x" }, /slug/],
    ["sms", "a\n", { body: "x" }, /slug/],
    ["sms", "a", { body: undefined }, /body/],
    ["sms", "a", { body: "" }, /body/],
    ["sms", "a", { body: "x".repeat(10_001) }, /body.*10001/],
    ["sms", "a", { body: "a\0" }, /body.*U\+0000/],
    ["sms", "a", { body: "ab!" }, /body, line 1, column 3: No, in: ab!/],
    [
      "sms",
      "a",
      { body: "x", subject: "s" },
      /subject: only templates of mails/,
    ],
    ["sms", "a", { body: "x", isActive: 1 }, /isActive/],
    ["email", "a", { body: "x".repeat(65_537) }, /body/],
    ["email", "a", { body: "x", subject: "a\nBcc: b" }, /subject/],
    ["email", "a", { body: "x", subject: "!" }, /subject, line 1, column 1/],
    ["email", "a", { body: "x", sender: "a" }, /sender/],
    ["email", "a", { body: "x", sender: "a@b\r\nBcc: c@d" }, /sender/],
    ["email", "a", { body: "x", senderName: "a\nb" }, /senderName/],
    [
      "email",
      "a",
      { body: "a\n b <script>" },
      /body, line 2, column 4: The tag script is banned/,
    ],
    ["email", "a", { body: "x", attachments: {} }, /attachments/],
    [
      "email",
      "a",
      { body: "x", attachments: [{ ...attachment, name: "../a" }] },
      /attachments\[0\]\.name/,
    ],
    [
      "email",
      "a",
      { body: "x", attachments: [{ ...attachment, contentType: "a" }] },
      /contentType/,
    ],
    [
      "email",
      "a",
      { body: "x", attachments: [{ ...attachment, content: "x" }] },
      /content: bytes/,
    ],
    [
      "email",
      "a",
      {
        body: "x",
        attachments: [{ ...attachment, content: new Uint8Array(1_000_001) }],
      },
      /1000001 bytes, 1000000 is the most/,
    ],
    [
      "email",
      "a",
      {
        body: "x",
        attachments: [{ ...attachment, contentType: "multipart/mixed" }],
      },
      /attachments\[0\]\.contentType: a file cannot be sent as multipart/,
    ],
    [
      "email",
      "a",
      {
        body: "x",
        attachments: [
          { ...attachment, contentId: "a" },
          { ...attachment, contentId: "a" },
        ],
      },
      /two have the contentId a/,
    ],
    [
      "email",
      "a",
      { body: "x", sender: "a@other.example" },
      /^Invalid sender: mails may not be sent from a@other\.example/,
    ],
    [
      "email",
      "a",
      { body: "x", sender: {} },
      /^Invalid sender: a mail address/,
    ],
    ["email", "a", { body: "x", senderName: 5 }, /^Invalid senderName/],
  ] as const) {
    await assert.rejects(templates.put(projectId, channel, slug, draft), {
      code: "TEMPLATE_INVALID",
      message,
    });
  }
  const page = { limit: 10 };
  assert.deepEqual(await templates.list(projectId, undefined, page), []);
});

test("putting replaces all, updating what is given", async () => {
  const templates = create();
  const put = (body: string) =>
    templates.put(projectId, "email", "a", { body, subject: "s" });
  assert.equal((await put("1")).isNew, true);
  await templates.update(projectId, "email", "a", { isLocked: true });
  const { template } = await templates.put(projectId, "email", "a", {
    body: "2",
  });
  assert.equal(template.isLocked, false);
  assert.equal(template.subject, undefined);
  const updated = await templates.update(projectId, "email", "a", {
    subject: "t",
    isActive: false,
  });
  assert.equal(updated.body, "2");
  const without = await templates.update(projectId, "email", "a", {
    subject: null,
    isActive: undefined,
  });
  assert.equal(without.subject, undefined);
  assert.equal(without.isActive, false);
  assert.ok(without.changedAt > updated.changedAt);
  assert.equal(without.createdAt, 1000);
  await assert.rejects(
    templates.update(projectId, "email", "a", { body: "!" }),
    { code: "TEMPLATE_INVALID" },
  );
  assert.deepEqual(await templates.get(projectId, "email", "a"), without);
});

test("of changes at once none is lost", async () => {
  const templates = create();
  await templates.create(projectId, "sms", "a", { body: "x" });
  await Promise.all([
    templates.update(projectId, "sms", "a", { isLocked: true }),
    templates.update(projectId, "sms", "a", { isStrict: true }),
    templates.update(projectId, "sms", "a", { body: "y" }),
  ]);
  const { isLocked, isStrict, body } = await templates.get(
    projectId,
    "sms",
    "a",
  );
  assert.deepEqual(
    { isLocked, isStrict, body },
    {
      isLocked: true,
      isStrict: true,
      body: "y",
    },
  );
});

test("whether it may be sent is told with all reasons", async () => {
  const templates = create();
  await templates.create(projectId, "sms", "a", {
    body: "x",
    allowsDuplicates: false,
  });
  const canSend = (objects?: unknown) =>
    templates.canSend(projectId, "sms", "a", objects);
  assert.deepEqual(await canSend([order]), []);
  sent = true;
  assert.deepEqual(await canSend([order]), ["duplicate"]);
  assert.deepEqual(await canSend(), [], "about nothing it is no duplicate");
  await templates.update(projectId, "sms", "a", { isActive: false });
  await templates.disallow(projectId, "sms", "a", [order]);
  assert.deepEqual(await canSend([order]), [
    "inactive",
    "duplicate",
    "disallowed",
  ]);
  assert.deepEqual(await canSend([]), ["inactive"]);
  await templates.update(projectId, "sms", "a", {
    isActive: true,
    allowsDuplicates: true,
  });
  assert.deepEqual(await canSend([order]), ["disallowed"]);
  assert.equal(await templates.allow(projectId, "sms", "a", [order]), 1);
  assert.deepEqual(await canSend([order]), []);
  await templates.disallow(projectId, "sms", undefined, [
    { type: "order", id: 1 },
  ]);
  assert.deepEqual(await canSend([order]), ["disallowed"]);
  await assert.rejects(canSend([{ type: "a b", id: "1" }]), {
    code: "MESSAGE_OPTION_INVALID",
  });
});

test("only of a template that is there something is disallowed", async () => {
  const templates = create();
  await assert.rejects(templates.disallow(projectId, "sms", "a", [order]), {
    code: "TEMPLATE_NOT_FOUND",
  });
  await templates.disallow(projectId, "sms", null, [order]);
  const page = { limit: 10 };
  assert.deepEqual(
    await templates.listDisallowed(projectId, "sms", undefined, page),
    [{ ...order, createdAt: 1000 }],
  );
});

test("a text is rendered without escaping, and previewed", async () => {
  const templates = create();
  await templates.create(projectId, "sms", "a", { body: "Hi <name>" });
  const preview = await templates.preview(projectId, "sms", "a", {
    name: "A&B",
  });
  assert.equal(preview.text, "Hi A&B");
  assert.deepEqual(preview.sms, {
    encoding: "gsm7",
    segments: 1,
    characters: 6,
  });
});

test("HTML is escaped and put into the base template; subjects are not", async () => {
  const templates = create();
  await templates.create(projectId, "email", "a", {
    body: "<name>",
    subject: "For <name>",
  });
  const render = () =>
    renderFound(templates, "email", "a", { name: "A&B" }, "a@b");
  assert.equal((await render()).html, "A&amp;B");
  assert.equal((await render()).subject, "For A&B");
  mails = { ...mails, baseTemplate: { file: "base.html" } };
  assert.equal((await render()).html, "[A&amp;B] A&amp;B");
  mails = { ...mails, extendBody: false };
  assert.equal((await render()).html, "A&amp;B");
  await templates.create(projectId, "email", "base", {
    body: "{<email_content>}",
  });
  mails = { ...mails, extendBody: true, baseTemplate: { slug: "base" } };
  assert.equal((await render()).html, "{A&amp;B}");
  const base = await templates.preview(projectId, "email", "base", {});
  assert.equal(base.html, "{}");
  await templates.update(projectId, "email", "a", { isHtml: false });
  assert.equal((await render()).text, "A&B");
  assert.equal((await render()).html, undefined);
});

test("what cannot be rendered names the template and the reason", async () => {
  const templates = create();
  await templates.create(projectId, "email", "a", {
    body: "<p><name>",
    subject: "<subject>",
    isStrict: true,
  });
  const render = (context: unknown) =>
    renderFound(templates, "email", "a", context, "a@b");
  const failure = (message: RegExp) => ({
    code: "TEMPLATE_RENDERING_FAILED",
    message,
  });
  await assert.rejects(
    render({ name: "x" }),
    failure(/^The template a cannot be rendered: .*The variable p is missing/),
  );
  await templates.update(projectId, "email", "a", { isStrict: false });
  await assert.rejects(
    render({ name: "x", subject: "a\nBcc: x" }),
    failure(/the subject becomes more than one line/),
  );
  await templates.update(projectId, "email", "a", {
    body: "<x>",
    subject: "s",
  });
  mails = { ...mails, baseTemplate: { file: "none.html" } };
  await assert.rejects(render({}), failure(/file of the base template/));
  mails = { ...mails, baseTemplate: { slug: "gone" } };
  await assert.rejects(render({}), failure(/there is no base template gone/));
  await assert.rejects(render({ a: () => 1 }), {
    code: "TEMPLATE_CONTEXT_INVALID",
  });
  await assert.rejects(renderFound(templates, "sms", "none", {}, "1"), {
    code: "TEMPLATE_NOT_FOUND",
  });
});

test("a mail that gets a banned tag from its values is not made", async () => {
  const templates = create({ renderBody: (body) => `${body}<script>` });
  await templates.create(projectId, "email", "a", { body: "x" });
  await assert.rejects(renderFound(templates, "email", "a", {}, "a@b"), {
    code: "TEMPLATE_RENDERING_FAILED",
    message: /tag script/,
  });
});

test("hooks change the source, the context and the text", async () => {
  const seen: unknown[] = [];
  const templates = create({
    getBody: ({ slug, body }) => `${slug}: ${body}`,
    updateContext(context, recipient) {
      seen.push(recipient);
      return { ...context, name: "Eve" };
    },
    renderBody: async (body, context, recipient, render) =>
      `${recipient} ${await render(body, context)}`,
  });
  await templates.create(projectId, "sms", "a", { body: "Hi <name>" });
  const { text } = await renderFound(templates, "sms", "a", {}, "+491");
  assert.equal(text, "+491 a: Hi Eve");
  assert.deepEqual(seen, ["+491"]);
});

test("what a hook makes of the context is checked", async () => {
  const templates = create({ updateContext: () => ({ at: new Date(0) }) });
  await templates.create(projectId, "sms", "a", { body: "x" });
  await assert.rejects(renderFound(templates, "sms", "a", {}, "1"), {
    code: "TEMPLATE_CONTEXT_INVALID",
    message: /context\.at/,
  });
});
