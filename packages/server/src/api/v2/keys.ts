/** Keys that topics' messages can be sealed with. */

import type { Static } from "typebox";
import { Type } from "../../json-schema.ts";
import type { Key, Keys } from "../../keys/keys.ts";
import { projectOf } from "../authentication.ts";
import type { HttpApp } from "../http-app.ts";
import { toMillisecondsText } from "../timestamps.ts";
import { failsWith } from "../validation.ts";
import { refusals } from "./error-answers.ts";
import { instant } from "./schema-parts.ts";

const KeyBody = Type.Object(
  {
    id: Type.String({ description: "Unique in its project" }),
    name: Type.String({ description: "For people" }),
    status: Type.String({
      description:
        "ENABLED, or DISABLED: then topics it is bound to cannot be published to",
    }),
    createdAt: instant("When it was made"),
  },
  { title: "Key" },
);

const KeyList = Type.Object(
  { keys: Type.Array(KeyBody, { description: "Oldest first" }) },
  { title: "KeyList" },
);

const createBody = Type.Object(
  {
    name: Type.String({
      description:
        "1 to 64 letters, digits or any of _ . / -, of which the first is a letter or digit; unique in its project",
      ...failsWith("KEY_INVALID"),
    }),
    id: Type.Optional(
      Type.String({
        description:
          "1 to 64 letters, digits or any of _ -, of which the first is a letter or digit; by default one is made up",
        ...failsWith("KEY_INVALID"),
      }),
    ),
  },
  failsWith("KEY_INVALID"),
);

const keyParams = Type.Object({
  keyId: Type.String({ description: "Id of a key" }),
});

export function keyRoutes(
  app: HttpApp,
  { keys }: { readonly keys: Keys },
): void {
  app.get(
    "/keys",
    {
      config: { operation: "keys.read" },
      schema: {
        summary: "Lists keys",
        tags: ["Keys"],
        response: { 200: KeyList, ...refusals },
      },
    },
    async (request) => ({
      keys: keys.list(projectOf(request)).map(toKeyBody),
    }),
  );

  app.post(
    "/keys",
    {
      config: { operation: "keys.write" },
      schema: {
        summary: "Makes a key",
        tags: ["Keys"],
        body: createBody,
        response: { 201: KeyBody, ...refusals },
      },
    },
    async (request, reply) => {
      const key = await keys.create(projectOf(request), request.body);
      reply.code(201);
      return toKeyBody(key);
    },
  );

  for (const [action, status] of [
    ["enable", "ENABLED"],
    ["disable", "DISABLED"],
  ] as const) {
    app.post(
      `/keys/:keyId/${action}`,
      {
        config: { operation: "keys.write" },
        schema: {
          summary: `${action === "enable" ? "Enables" : "Disables"} a key`,
          tags: ["Keys"],
          params: keyParams,
          response: { 200: KeyBody, ...refusals },
        },
      },
      async (request) => {
        const { keyId } = request.params;
        return toKeyBody(
          await keys.setStatus(projectOf(request), keyId, status),
        );
      },
    );
  }
}

function toKeyBody(key: Key): Static<typeof KeyBody> {
  const { id, name, status, createdAt } = key;
  return { id, name, status, createdAt: toMillisecondsText(createdAt) };
}
