import assert from "node:assert/strict";
import { test } from "node:test";
import { startTestServer } from "../../test-support/test-server.ts";
import { Type } from "../json-schema.ts";
import { boundSchemas } from "./bounded-schemas.ts";

test("what a route takes is bounded, in each of its schemas", async () => {
  await using server = await startTestServer();
  const unbounded: string[] = [];
  const walk = (schema: unknown, place: string): void => {
    if (typeof schema !== "object" || schema === null) return;
    const { type, items, properties, patternProperties, anyOf } =
      schema as Record<string, unknown>;
    const bound =
      type === "string"
        ? "maxLength"
        : type === "array"
          ? "maxItems"
          : type === "object"
            ? "maxProperties"
            : undefined;
    if (bound && !(bound in schema)) unbounded.push(place);
    walk(items, `${place}[]`);
    for (const group of [properties, patternProperties, anyOf]) {
      for (const [name, inner] of Object.entries(group ?? {})) {
        walk(inner, `${place}.${name}`);
      }
    }
  };
  let walked = 0;
  for (const { method, url, schema = {} } of server.routes) {
    for (const part of ["body", "querystring", "params", "headers"] as const) {
      if (schema[part] === undefined) continue;
      walk(schema[part], `${method} ${url} ${part}`);
      walked++;
    }
  }
  assert.deepEqual(unbounded, []);
  assert.ok(walked > 100, `${walked}`);
});

test("bounds that a schema names stay, and so do its other keywords", () => {
  const route = {
    method: "POST",
    url: "/",
    handler() {},
    schema: {
      body: Type.Object({
        name: Type.Optional(Type.String({ maxLength: 5, pattern: "^a" })),
        kind: Type.Enum(["x", "y"]),
      }),
    },
  } as Parameters<typeof boundSchemas>[0];
  boundSchemas(route);
  assert.deepEqual(route.schema?.body, {
    type: "object",
    required: ["kind"],
    properties: {
      name: { type: "string", maxLength: 5, pattern: "^a" },
      kind: { enum: ["x", "y"] },
    },
    maxProperties: 100,
  });
});
