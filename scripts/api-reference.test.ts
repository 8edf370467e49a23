import assert from "node:assert/strict";
import { test } from "node:test";
import { routeGroups } from "../packages/server/src/api/v2/route-groups.ts";
import {
  findUndescribed,
  type MemberSchema,
  renderApiReference,
} from "./api-reference.ts";
import { type ApiRoute, listApiRoutes } from "./api-routes.ts";
import { anchorOf } from "./markdown.ts";

const text: MemberSchema = { type: "string", description: "A text" };

function objectOf(
  properties: Record<string, MemberSchema>,
  title?: string,
): MemberSchema {
  return {
    type: "object",
    required: Object.keys(properties),
    properties,
    ...(title !== undefined && { title }),
  };
}

function routeOf(schema: ApiRoute["schema"]): ApiRoute {
  return {
    method: "POST",
    path: "/api/v2/things",
    operation: "keys.write",
    schema: { summary: "Makes a thing", tags: ["Keys"], ...schema },
  };
}

test("each route of /api/v2 says what it does, and what its members mean", async () => {
  const routes = await listApiRoutes();
  assert.ok(routes.length > 60, `there are only ${routes.length}`);
  assert.deepEqual(routes.flatMap(findUndescribed), []);
});

test("a route without a summary or a known group is found", () => {
  assert.deepEqual(findUndescribed(routeOf({})), []);
  assert.deepEqual(findUndescribed(routeOf({ summary: "", tags: ["Toys"] })), [
    "POST /api/v2/things: no summary",
    "POST /api/v2/things: no group",
  ]);
});

test("members without a description are found wherever they are", () => {
  const bare = { type: "string" };
  const list = { type: "array", items: objectOf({ a: bare }) };
  const schema = {
    params: objectOf({ id: bare }),
    querystring: objectOf({ limit: bare, after: text }),
    headers: objectOf({ "x-key": bare }),
    body: objectOf({
      list: { ...list, description: "Things" },
      lists: { type: "array", items: list, description: "Lists of things" },
    }),
    response: { 200: objectOf({ inner: objectOf({ b: bare }) }) },
  };
  assert.deepEqual(
    findUndescribed(routeOf(schema)).map((line) => line.split(": ")[1]),
    [
      "path id has no description",
      "query limit has no description",
      "header x-key has no description",
      "body list[].a has no description",
      "body lists[][].a has no description",
      "answer inner has no description",
      "answer inner.b has no description",
    ],
  );
});

test("a member is shown with its type, bounds, default and errors", () => {
  const page = renderApiReference([
    routeOf({
      body: {
        ...objectOf({ name: { ...text, minLength: 1, maxLength: 9 } }),
        properties: {
          name: { ...text, minLength: 1, maxLength: 9 },
          kind: { enum: ["a", "b"], default: "a", description: "x | y" },
          parts: {
            type: "array",
            maxItems: 3,
            items: objectOf({ count: { type: "integer", minimum: 1 } }),
            errorCode: "KEY_INVALID",
          },
          ids: {
            type: "array",
            items: { type: "string", errorCode: "LEASE_ID_INVALID" },
          },
        },
      },
      response: { 201: objectOf({ id: text }), "4xx": objectOf({ no: text }) },
    }),
  ]);
  for (const line of [
    "| body | `name` | string (1 to 9 characters) | **required** | A text |",
    "| body | `kind` | `a`, `b` | `a` | x \\| y |",
    "| body | `parts` | list (3 at most) of object | – |  |",
    "| body | `parts[].count` | integer (1 at least) | **required** |  |",
    "Answers 201. Errors of its own: 400 `KEY_INVALID`, `LEASE_ID_INVALID`.",
    "| `id` | string | A text |",
  ]) {
    assert.ok(page.split("\n").includes(line), `${line}\n\n${page}`);
  }
  assert.ok(!page.includes("`no`"), page);
});

test("a list shows the members of its items, and who else may ask for it", () => {
  const items = objectOf({ leaseId: text });
  const list = { type: "array", items, description: "Oldest first" };
  const route = routeOf({ response: { 200: list } });
  const page = renderApiReference([{ ...route, account: "subscriber" }]);
  for (const part of [
    "Answers 200: Oldest first.\n\n| member of each item | type | meaning |",
    "| `leaseId` | string | A text |",
    "a subscriber's own Basic",
  ]) {
    assert.ok(page.includes(part), page);
  }
  const bare = { type: "array", items: objectOf({ id: { type: "string" } }) };
  assert.deepEqual(findUndescribed(routeOf({ response: { 200: bare } })), [
    "POST /api/v2/things: answer id has no description",
  ]);
});

test("what several routes answer is described once, and linked", () => {
  const thing = objectOf({ id: text }, "Thing");
  const things = { type: "array", items: thing, description: "All of them" };
  const page = renderApiReference([
    routeOf({ response: { 201: thing } }),
    { ...routeOf({ response: { 200: thing } }), method: "PUT" },
    {
      ...routeOf({ response: { 200: objectOf({ things }) } }),
      method: "GET",
    },
  ]);
  assert.equal(page.split("### Thing\n").length, 2, page);
  assert.equal(page.split("| `id` |").length, 2, page);
  assert.ok(page.includes("| `things` | list of [Thing](#thing) |"), page);
  assert.ok(!page.includes("`things[].id`"), page);
});

test("links within the page lead to one heading each", async () => {
  const page = renderApiReference(await listApiRoutes());
  const anchors = [...page.matchAll(/^#+ (.*)$/gm)].map(([, heading = ""]) =>
    anchorOf(heading),
  );
  assert.equal(new Set(anchors).size, anchors.length);
  const links = [...page.matchAll(/\]\(#([^)]*)\)/g)].map(([, to = ""]) => to);
  assert.ok(links.length > 60);
  for (const link of links) assert.ok(anchors.includes(link), link);
  for (const { name } of routeGroups) assert.ok(page.includes(`## ${name}\n`));
});
