import assert from "node:assert/strict";
import { test } from "node:test";
import { DuplicateResourceError, ResourceNotFoundError } from "../errors.ts";
import { refusal } from "../testing/serve.ts";
import { filters, outline, serveSmn } from "../testing/smn.ts";

const id = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

const wireTemplate = {
  message_template_id: id,
  message_template_name: "greeting",
  protocol: "default",
  tag_names: ["name"],
  create_time: "2026-01-15T08:00:00Z",
  update_time: "2026-01-15T08:00:00Z",
};

const template = {
  messageTemplateId: id,
  messageTemplateName: "greeting",
  protocol: "default",
  tagNames: ["name"],
  createTime: "2026-01-15T08:00:00Z",
  updateTime: "2026-01-15T08:00:00Z",
};

const missing = refusal(404, "SMN.0027");

function listOf(...templates: unknown[]) {
  const message_template_count = templates.length;
  return { body: { message_template_count, message_templates: templates } };
}

test("creates a template", async () => {
  await using server = await serveSmn(() => ({
    status: 201,
    body: { request_id: "r", message_template_id: id },
  }));
  const created = await server.smn.createTemplate({
    messageTemplateName: "greeting",
    content: "Hello {name}",
  });
  assert.deepEqual(created, {
    messageTemplateId: id,
    messageTemplateName: "greeting",
    protocol: "default",
    requestId: "r",
  });
  assert.deepEqual(outline(server.requests[0]), [
    "POST",
    "message_template",
    {
      message_template_name: "greeting",
      protocol: "default",
      content: "Hello {name}",
    },
  ]);
});

test("creating is not tried again: it would find itself in its way", async () => {
  await using server = await serveSmn(() => refusal(503, "x"));
  const wanted = { messageTemplateName: "greeting", content: "x" };
  await assert.rejects(server.smn.createTemplate(wanted), { status: 503 });
  assert.equal(server.requests.length, 1);
});

test("gets a template with its content", async () => {
  await using server = await serveSmn(() => ({
    body: { ...wireTemplate, content: "Hello {name}" },
  }));
  const detail = { ...template, content: "Hello {name}" };
  assert.deepEqual(await server.smn.getTemplate(id), detail);
  assert.deepEqual(await server.smn.getTemplate(template), detail);
});

test("updates the content", async () => {
  await using server = await serveSmn(() => ({ body: { request_id: "r" } }));
  const updated = await server.smn.updateTemplate(id, { content: "Bye" });
  assert.deepEqual(updated, {
    messageTemplateId: id,
    content: "Bye",
    requestId: "r",
  });
  assert.deepEqual(outline(server.requests[0]), [
    "PUT",
    `message_template/${id}`,
    { content: "Bye" },
  ]);
});

test("deletes a template, and one that is gone", async () => {
  await using server = await serveSmn(() => missing);
  await server.smn.deleteTemplate(template);
  await assert.rejects(
    server.smn.deleteTemplate(id, { ignoreMissing: false }),
    ResourceNotFoundError,
  );
});

test("lists templates and passes filters on", async () => {
  await using server = await serveSmn(() => listOf(wireTemplate));
  const query = { name: "greeting", protocol: "email" };
  const listed = await Array.fromAsync(server.smn.templates(query));
  assert.deepEqual(listed, [template]);
  assert.deepEqual(filters(server.requests[0]), {
    message_template_name: "greeting",
    protocol: "email",
  });
});

test("finds a template by id and by name", async () => {
  await using server = await serveSmn(({ path }) =>
    path.endsWith(id) ? { body: wireTemplate } : listOf(wireTemplate),
  );
  const byId = await server.smn.findTemplate(id);
  assert.equal(byId.messageTemplateName, "greeting");
  assert.deepEqual(await server.smn.findTemplate("greeting"), template);
});

test("a name may look like an id", async () => {
  const named = { ...wireTemplate, message_template_name: id };
  await using server = await serveSmn(({ path }) =>
    path.endsWith(id) ? missing : listOf(named),
  );
  const found = await server.smn.findTemplate(id);
  assert.equal(found.messageTemplateName, id);
});

test("finding nothing rejects unless that is turned off", async () => {
  await using server = await serveSmn(({ path }) =>
    path.endsWith(id) ? refusal(400, "SMN.0031") : listOf(),
  );
  for (const nothing of ["greeting", id]) {
    const { smn } = server;
    await assert.rejects(smn.findTemplate(nothing), ResourceNotFoundError);
    const found = await smn.findTemplate(nothing, { ignoreMissing: true });
    assert.equal(found, undefined);
  }
});

test("asks which of several variants is meant", async () => {
  const email = {
    ...wireTemplate,
    message_template_id: "b".repeat(32),
    protocol: "email",
  };
  await using server = await serveSmn(() => listOf(wireTemplate, email));
  const { smn } = server;
  await assert.rejects(smn.findTemplate("greeting"), (error) => {
    assert.ok(error instanceof DuplicateResourceError);
    assert.match(error.message, /default, email/);
    return true;
  });
  const found = await smn.findTemplate("greeting", { protocol: "email" });
  assert.equal(found.messageTemplateId, email.message_template_id);
});
