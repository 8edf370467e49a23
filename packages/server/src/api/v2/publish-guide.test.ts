/** The guide on publishing explains all that a message may carry. */

import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { startTestServer } from "../../../test-support/test-server.ts";

test("each member of a message has its place in the guide's table", async () => {
  await using server = await startTestServer({ unstarted: true });
  const { body } = await server.call("GET", "/api/v2/openapi.json");
  const post = body.paths["/api/v2/messages"].post;
  const schema = post.requestBody.content["application/json"].schema;
  const members = Object.keys(schema.properties);
  assert.ok(members.includes("audience") && members.length > 10);
  const guide = await readFile(
    new URL("../../../../../docs/guides/publish.md", import.meta.url),
    "utf8",
  );
  const table = (guide.match(/^\|.*\|$/gm) ?? []).join("\n");
  const missing = members.filter((member) => !table.includes(`\`${member}\``));
  assert.deepEqual(missing, []);
});
