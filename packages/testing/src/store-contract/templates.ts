import assert from "node:assert/strict";
import { addMs, CarillonError, type MessageTemplateId } from "@carillon/core";
import type { Cases } from "./cases.ts";
import {
  addTemplate,
  after,
  everything,
  freshId,
  newTemplate,
  noQuota,
  otherProjectId,
  projectId,
} from "./fixtures.ts";

export function testTemplates({ test }: Cases): void {
  test("keeps a template as it was given, with a growing number", async (store) => {
    const given = newTemplate({
      protocol: "dingTalkBot",
      content: "  {a}\n\u{1F514} \u2028 {b}{a}",
      tagNames: ["a", "b"],
    });
    const template = await store.createTemplate(given, noQuota);
    const next = await addTemplate(store);
    assert.deepEqual(template, { ...given, seq: template.seq });
    assert.ok(next.seq > template.seq);
    assert.deepEqual(await store.findTemplate(projectId, given.id), template);
  });

  test("finds no template of another project", async (store) => {
    const { id, name } = await addTemplate(store, {
      projectId: otherProjectId,
    });
    assert.equal(await store.findTemplate(projectId, id), undefined);
    assert.deepEqual(await store.findTemplateVariants(projectId, name), []);
    const unknown = freshId<MessageTemplateId>();
    assert.equal(await store.findTemplate(projectId, unknown), undefined);
  });

  test("refuses a second template of a name and protocol", async (store) => {
    const name = "disk_full";
    const first = await addTemplate(store, { name });
    await addTemplate(store, { name, protocol: "sms" });
    await addTemplate(store, { name, projectId: otherProjectId });
    await assert.rejects(
      // It is told so even where the quota is used up.
      store.createTemplate(newTemplate({ name, content: "x" }), 1),
      isRefusal("TEMPLATE_EXISTS"),
    );
    assert.deepEqual(await store.findTemplate(projectId, first.id), first);
  });

  test("refuses a template beyond the project's quota", async (store) => {
    const { id } = await addTemplate(store);
    await addTemplate(store, { projectId: otherProjectId });
    const refused = isRefusal("TEMPLATE_QUOTA_EXCEEDED");
    await assert.rejects(store.createTemplate(newTemplate(), 1), refused);
    await store.deleteTemplate(projectId, id, after(1));
    await store.createTemplate(newTemplate(), 1);
    await assert.rejects(store.createTemplate(newTemplate(), 1), refused);
  });

  test("keeps to the quota when many are created at once", async (store) => {
    const results = await Promise.allSettled(
      Array.from({ length: 20 }, () => store.createTemplate(newTemplate(), 7)),
    );
    const created = results.filter(({ status }) => status === "fulfilled");
    assert.equal(created.length, 7);
    const { total } = await store.listTemplates(projectId, {}, everything);
    assert.equal(total, 7);
  });

  test("finds all variants of a name, oldest first", async (store) => {
    const name = "disk_full";
    const sms = await addTemplate(store, { name, protocol: "sms" });
    const gone = await addTemplate(store, { name, protocol: "email" });
    const common = await addTemplate(store, { name });
    await addTemplate(store, { name: "disk" });
    await store.deleteTemplate(projectId, gone.id, after(1));
    assert.deepEqual(await store.findTemplateVariants(projectId, name), [
      sms,
      common,
    ]);
  });

  test("lists templates without their content, oldest first", async (store) => {
    const { content: _, ...first } = await addTemplate(store);
    const { content: __, ...second } = await addTemplate(store);
    await addTemplate(store, { projectId: otherProjectId });
    assert.deepEqual(await store.listTemplates(projectId, {}, everything), {
      total: 2,
      items: [first, second],
    });
  });

  test("filters the list of templates", async (store) => {
    const sms = await addTemplate(store, { name: "a", protocol: "sms" });
    const common = await addTemplate(store, { name: "a" });
    await addTemplate(store, { name: "ab", protocol: "email" });
    const list = async (filter: Parameters<typeof store.listTemplates>[1]) => {
      const { total, items } = await store.listTemplates(projectId, filter, {
        offset: 1,
        limit: 10,
      });
      return { total, ids: items.map(({ id }) => id) };
    };
    assert.deepEqual(await list({ name: "a" }), { total: 2, ids: [common.id] });
    assert.deepEqual(await list({ protocol: "sms" }), { total: 1, ids: [] });
    assert.deepEqual(await list({ name: "a", protocol: "none" }), {
      total: 0,
      ids: [],
    });
    const marked = await store.listTemplates(
      projectId,
      { name: "a" },
      { offset: 5, limit: 10, marker: sms.id },
    );
    assert.deepEqual(
      marked.items.map(({ id }) => id),
      [common.id],
    );
  });

  test("goes on behind a template that was deleted between two pages", async (store) => {
    const marker = await addTemplate(store);
    const { content: _, ...newest } = await addTemplate(store);
    await store.deleteTemplate(projectId, marker.id, after(1));
    const page = { offset: 7, limit: 10, marker: marker.id };
    const { items } = await store.listTemplates(projectId, {}, page);
    assert.deepEqual(items, [newest]);
    const { items: none } = await store.listTemplates(otherProjectId, {}, page);
    assert.deepEqual(none, []);
  });

  test("gives a template new content", async (store) => {
    const template = await addTemplate(store);
    const { id, updatedAt } = template;
    const change = {
      content: "{c}",
      tagNames: ["c"],
      updatedAt: addMs(updatedAt, 1),
    };
    assert.equal(await store.updateTemplate(otherProjectId, id, change), false);
    assert.equal(await store.updateTemplate(projectId, id, change), true);
    assert.deepEqual(await store.findTemplate(projectId, id), {
      ...template,
      ...change,
    });
  });

  test("frees the name of a deleted template", async (store) => {
    const { id, name } = await addTemplate(store);
    assert.equal(
      await store.deleteTemplate(otherProjectId, id, after(1)),
      false,
    );
    assert.equal(await store.deleteTemplate(projectId, id, after(1)), true);
    assert.equal(await store.deleteTemplate(projectId, id, after(1)), false);
    assert.equal(await store.findTemplate(projectId, id), undefined);
    const change = { content: "x", tagNames: [], updatedAt: after(1) };
    assert.equal(await store.updateTemplate(projectId, id, change), false);
    assert.deepEqual(await store.listTemplates(projectId, {}, everything), {
      total: 0,
      items: [],
    });
    const again = await addTemplate(store, { name });
    assert.deepEqual(await store.findTemplateVariants(projectId, name), [
      again,
    ]);
  });
}

function isRefusal(code: string): (error: unknown) => boolean {
  return (error) => error instanceof CarillonError && error.code === code;
}
