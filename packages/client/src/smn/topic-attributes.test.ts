import assert from "node:assert/strict";
import { test } from "node:test";
import { ResourceNotFoundError } from "../errors.ts";
import { refusal } from "../testing/serve.ts";
import { outline, serveSmn, topicUrn } from "../testing/smn.ts";

const policy = '\n  {"Version": "2016-09-07"}';
const path = `topics/${topicUrn}/attributes`;

test("reads attributes as they are", async () => {
  await using server = await serveSmn(() => ({
    body: { attributes: { access_policy: policy, introduction: "" } },
  }));
  const attributes = await server.smn.topicAttributes(topicUrn);
  assert.deepEqual(attributes, { access_policy: policy, introduction: "" });
  assert.deepEqual(outline(server.requests[0]), ["GET", path, undefined]);
});

test("reads one attribute", async () => {
  await using server = await serveSmn(() => ({
    body: { attributes: { introduction: "Hello" } },
  }));
  const { introduction } = await server.smn.topicAttributes(
    { topicUrn },
    { name: "introduction" },
  );
  assert.equal(introduction, "Hello");
  assert.equal(server.requests[0]?.query.get("name"), "introduction");
});

test("sets the access policy unless another name is given", async () => {
  await using server = await serveSmn(() => ({ body: {} }));
  await server.smn.updateTopicAttribute(topicUrn, { value: policy });
  await server.smn.updateTopicAttribute(topicUrn, {
    name: "introduction",
    value: "Hello",
  });
  assert.deepEqual(server.requests.map(outline), [
    ["PUT", `${path}/access_policy`, { value: policy }],
    ["PUT", `${path}/introduction`, { value: "Hello" }],
  ]);
});

test("resets one attribute or all", async () => {
  await using server = await serveSmn(() => ({ body: {} }));
  await server.smn.deleteTopicAttribute(topicUrn, "access_policy");
  await server.smn.deleteTopicAttribute(topicUrn);
  assert.deepEqual(server.requests.map(outline), [
    ["DELETE", `${path}/access_policy`, undefined],
    ["DELETE", path, undefined],
  ]);
});

test("resets what is gone unless asked to reject", async () => {
  await using server = await serveSmn(() => refusal(404, "SMN.0045"));
  await server.smn.deleteTopicAttribute(topicUrn, "introduction");
  await assert.rejects(
    server.smn.deleteTopicAttribute(topicUrn, undefined, {
      ignoreMissing: false,
    }),
    ResourceNotFoundError,
  );
});
