import assert from "node:assert/strict";
import { test } from "node:test";
import {
  createCountingIds,
  defineTestProtocol,
  ManualClock,
  MemoryStore,
} from "@carillon/testing";
import type { ProjectId } from "../ids.ts";
import { createProtocols } from "../subscriptions/protocol.ts";
import { createTemplates } from "./templates.ts";

const projectId = "1".repeat(32) as ProjectId;
const other = "2".repeat(32) as ProjectId;
const unknown = "f".repeat(32);

function setUp(quota = 100) {
  const clock = new ManualClock();
  const newId = createCountingIds();
  const store = new MemoryStore();
  return {
    clock,
    templates: createTemplates(
      {
        store,
        clock,
        newId,
        protocols: createProtocols([
          defineTestProtocol("sms", {
            problemWithText: (text) =>
              text.includes("\u0007") ? "a bell" : undefined,
          }),
        ]),
      },
      { quota: () => quota },
    ),
  };
}

test("a template knows its tags, at first and after each change", async () => {
  const { clock, templates } = setUp();
  const createdAt = clock.now();
  const created = await templates.create(projectId, {
    name: "disk",
    content: "{b} {a} {b} {not a tag}",
  });
  assert.equal(created.protocol, "default");
  assert.deepEqual(created.tagNames, ["b", "a"]);
  clock.advance(1000);
  await templates.update(projectId, created.id, "{c}");
  const updated = await templates.get(projectId, created.id);
  assert.deepEqual(updated.tagNames, ["c"]);
  assert.equal(updated.content, "{c}");
  assert.equal(updated.createdAt, createdAt);
  assert.equal(updated.updatedAt, createdAt + 1000);
});

test("what is wrong with content changes nothing", async () => {
  const { templates } = setUp();
  const { id } = await templates.create(projectId, { name: "a", content: "x" });
  await assert.rejects(templates.update(projectId, id, ""), {
    code: "TEMPLATE_CONTENT_INVALID",
  });
  await assert.rejects(templates.update(projectId, id, "{a}".repeat(257)), {
    code: "TEMPLATE_VARIABLES_EXCEEDED",
  });
  assert.equal((await templates.get(projectId, id)).content, "x");
});

test("what a protocol cannot carry is refused, at first and in a change", async () => {
  const { templates } = setUp();
  const content = "ring {a}\u0007";
  const create = (protocol: string, content: string) =>
    templates.create(projectId, { name: "a", protocol, content });
  const refused = {
    code: "TEMPLATE_CONTENT_INVALID",
    message: "Invalid template content: the text for sms holds a bell.",
  };
  await assert.rejects(create("sms", content), refused);
  const { id } = await create("sms", "x");
  await assert.rejects(templates.update(projectId, id, content), refused);
  assert.equal((await templates.get(projectId, id)).content, "x");
  await create("default", content);
  const email = await create("email", "x");
  await templates.update(projectId, email.id, content);
});

test("templates of other projects are as if absent", async () => {
  const { templates } = setUp(1);
  const { id } = await templates.create(projectId, { name: "a", content: "x" });
  const gone = { code: "TEMPLATE_NOT_FOUND" };
  for (const [project, which] of [
    [other, id],
    [projectId, unknown],
  ] as const) {
    await assert.rejects(templates.get(project, which), gone);
    await assert.rejects(templates.update(project, which, "y"), gone);
    await assert.rejects(templates.remove(project, which), gone);
  }
  for (const malformed of ["a", "", "A".repeat(32), `${id}0`, 5, undefined]) {
    await assert.rejects(templates.get(projectId, malformed), {
      code: "TEMPLATE_ID_INVALID",
    });
  }
  await templates.create(other, { name: "a", content: "x" });
  await assert.rejects(
    templates.create(projectId, { name: "b", content: "x" }),
    { code: "TEMPLATE_QUOTA_EXCEEDED" },
  );
});
