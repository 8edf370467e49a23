import assert from "node:assert/strict";
import type {
  ProjectId,
  Store,
  StoredTemplate,
  StoredTemplateKey,
} from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  after,
  noQuota,
  otherProjectId,
  projectId,
  start,
} from "./fixtures.ts";

export function testStoredTemplates({ test }: Cases): void {
  test("keeps a template with its attachments", async (store) => {
    const text = storedTemplate({ slug: "code", isActive: false });
    const mail = storedTemplate({
      channel: "email",
      slug: "code",
      body: "<p>\u{1F514} {{ code }}</p>\n",
      isLocked: true,
      allowsDuplicates: false,
      isStrict: true,
      isHtml: false,
      subject: "Your code",
      sender: "shop@example.com",
      senderName: "Shop",
      attachments: [
        {
          name: "logo.png",
          contentType: "image/png",
          contentId: "logo",
          content: Uint8Array.of(0, 255, 7),
        },
        {
          name: "terms.txt",
          contentType: "text/plain",
          content: Uint8Array.of(),
        },
      ],
    });
    assert.equal(await add(store, text), true);
    assert.equal(await add(store, mail), true);
    assert.deepEqual(await find(store, text), text);
    assert.deepEqual(await find(store, mail), mail);
    assert.equal(
      await store.findStoredTemplate(otherProjectId, text),
      undefined,
    );
    assert.equal(
      await find(store, { channel: "sms", slug: "Code" }),
      undefined,
    );
  });

  test("adds a template once, and changes it as it was read", async (store) => {
    const first = storedTemplate();
    await add(store, first);
    assert.equal(await add(store, { ...first, body: "other" }), false);
    const changed = { ...first, body: "changed", changedAt: after(1) };
    const unchanged = { kind: "unchanged", changedAt: start } as const;
    const put = (template: StoredTemplate) =>
      store.putStoredTemplate(projectId, template, unchanged, 1);
    assert.equal(await put(changed), true);
    assert.equal(await put({ ...changed, body: "late" }), false);
    assert.deepEqual(await find(store, first), changed);
    assert.equal(await put(storedTemplate({ slug: "new" })), false);
  });

  test("puts other attachments in place of those there were", async (store) => {
    const attachment = {
      name: "a.txt",
      contentType: "text/plain",
      content: Uint8Array.of(1),
    };
    const mail = storedTemplate({ channel: "email", isHtml: true });
    await add(store, { ...mail, attachments: [attachment, attachment] });
    const condition = { kind: "unchanged", changedAt: start } as const;
    const changed = {
      ...mail,
      attachments: [{ ...attachment, name: "b.txt" }],
      changedAt: after(1),
    };
    await store.putStoredTemplate(projectId, changed, condition, noQuota);
    assert.deepEqual(await find(store, mail), changed);
  });

  test("lists templates by channel and slug, page by page", async (store) => {
    const keys = [
      ["email", "a"],
      ["email", "b"],
      ["sms", "A"],
      ["sms", "a"],
      ["sms", "a-"],
      ["sms", "aa"],
    ] as const;
    for (const [channel, slug] of keys.toReversed()) {
      await add(store, storedTemplate({ channel, slug }));
    }
    await add(store, storedTemplate({ slug: "z" }), otherProjectId);
    const found: StoredTemplateKey[] = [];
    for (;;) {
      const last = found.at(-1);
      const page = await store.listStoredTemplates(projectId, undefined, {
        limit: 4,
        ...(last && { after: last }),
      });
      if (page.length === 0) break;
      found.push(...page);
    }
    assert.deepEqual(
      found.map(({ channel, slug }) => [channel, slug]),
      keys,
    );
    const [first] = found;
    const { body: _, ...summary } = storedTemplate({
      channel: "email",
      slug: "a",
    });
    assert.deepEqual(first, summary);
    const texts = await store.listStoredTemplates(projectId, "sms", {
      limit: 2,
      after: { channel: "sms", slug: "A" },
    });
    assert.deepEqual(
      texts.map(({ slug }) => slug),
      ["a", "a-"],
    );
  });

  test("keeps to the quota of a project", async (store) => {
    const put = (slug: string, project: ProjectId) =>
      store.putStoredTemplate(
        project,
        storedTemplate({ slug }),
        { kind: "absent" },
        1,
      );
    assert.equal(await put("a", projectId), true);
    await assert.rejects(put("b", projectId), {
      code: "TEMPLATE_QUOTA_EXCEEDED",
    });
    assert.equal(await put("b", otherProjectId), true);
  });

  test("deletes a template with what is disallowed for it", async (store) => {
    const template = storedTemplate();
    const other = storedTemplate({ slug: "other" });
    await add(store, template);
    await add(store, other);
    await store.disallowObjects(projectId, template, [order(1)], start);
    await store.disallowObjects(projectId, other, [order(1)], start);
    assert.equal(await store.deleteStoredTemplate(projectId, template), true);
    assert.equal(await store.deleteStoredTemplate(projectId, template), false);
    assert.equal(await find(store, template), undefined);
    await add(store, template);
    assert.equal(await isDisallowed(store, template, 1), false);
    assert.equal(await isDisallowed(store, other, 1), true);
  });

  test("disallows objects for a template, or for all of a channel", async (store) => {
    const template = storedTemplate();
    const other = storedTemplate({ slug: "other" });
    const mail = storedTemplate({ channel: "email" });
    await store.disallowObjects(projectId, template, [order(1)], start);
    await store.disallowObjects(
      projectId,
      { channel: "sms" },
      [order(2)],
      start,
    );
    const answers = [template, other, mail].map((key) =>
      Promise.all([1, 2, 3].map((id) => isDisallowed(store, key, id))),
    );
    assert.deepEqual(await Promise.all(answers), [
      [true, true, false],
      [false, true, false],
      [false, false, false],
    ]);
    const several = [order(3), order(2)];
    assert.equal(
      await store.isDisallowed(projectId, other, several),
      true,
      "any of several",
    );
    assert.equal(await store.isDisallowed(projectId, template, []), false);
    assert.equal(
      await store.isDisallowed(otherProjectId, template, [order(1)]),
      false,
    );
  });

  test("allows again what was disallowed, in its scope", async (store) => {
    const scope = { channel: "sms" } as const;
    const template = storedTemplate();
    await store.disallowObjects(projectId, scope, [order(1)], start);
    await store.disallowObjects(projectId, scope, [order(1)], after(1));
    const objects = [order(1), order(2)];
    assert.equal(await store.allowObjects(projectId, template, objects), 0);
    assert.deepEqual(await disallowed(store, scope), [
      { ...order(1), createdAt: start },
    ]);
    assert.equal(await store.allowObjects(projectId, scope, objects), 1);
    assert.equal(await isDisallowed(store, template, 1), false);
  });

  test("lists what is disallowed by type and id, page by page", async (store) => {
    const scope = { channel: "email", slug: "welcome" } as const;
    const objects = [
      { type: "order", id: "1" },
      { type: "order", id: "10" },
      { type: "order", id: "2" },
      { type: "user", id: "1" },
    ];
    await store.disallowObjects(
      projectId,
      scope,
      objects.toReversed(),
      after(5),
    );
    await store.disallowObjects(
      projectId,
      { channel: "email" },
      [order(7)],
      start,
    );
    const first = await store.listDisallowedObjects(projectId, scope, {
      limit: 3,
    });
    const [, , last] = first;
    assert.ok(last);
    const rest = await store.listDisallowedObjects(projectId, scope, {
      limit: 3,
      after: last,
    });
    assert.deepEqual(
      [...first, ...rest],
      objects.map((it) => ({ ...it, createdAt: after(5) })),
    );
  });
}

function storedTemplate(changes: Partial<StoredTemplate> = {}): StoredTemplate {
  return {
    channel: "sms",
    slug: "welcome",
    body: "Hello {{ name }}",
    isActive: true,
    isLocked: false,
    allowsDuplicates: true,
    isStrict: false,
    createdAt: start,
    changedAt: start,
    ...changes,
  };
}

function add(store: Store, template: StoredTemplate, project = projectId) {
  const condition = { kind: "absent" } as const;
  return store.putStoredTemplate(project, template, condition, noQuota);
}

function find(store: Store, key: StoredTemplateKey) {
  return store.findStoredTemplate(projectId, key);
}

function order(id: number) {
  return { type: "order", id: String(id) };
}

function isDisallowed(store: Store, key: StoredTemplateKey, id: number) {
  return store.isDisallowed(projectId, key, [order(id)]);
}

function disallowed(
  store: Store,
  scope: Parameters<Store["listDisallowedObjects"]>[1],
) {
  return store.listDisallowedObjects(projectId, scope, { limit: 10 });
}
