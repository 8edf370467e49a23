/** `carillon templates disallow` and `allow` */

import type { TemplateObject } from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { orNoSuch } from "../lookup.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { templateChannels } from "../template-files.ts";
import { parseTemplateReference, templateWord } from "../template-reference.ts";

export function disallowObjectsCommand(): Command {
  return clientCommand(
    "disallow <template> <objects...>",
    "Keep a template from being sent about objects such as order=4711; sms or email in its place means all of them.",
    [
      "carillon templates disallow sms/reminder order=4711",
      "carillon templates disallow email customer=7",
    ],
  ).action(
    async (
      reference: string,
      words: readonly string[],
      options: ClientOptions,
    ) => {
      const scope = parseScope(reference);
      const objects = words.map(parseRelated);
      await withServer(options, ({ carillon }) =>
        orNoSuch(
          templateWord,
          reference,
          carillon.templates.disallow(scope, objects),
        ),
      );
      createOutput(options).result(
        `${reference} is not sent about ${words.join(", ")} any more.`,
        { ...scope, objects },
      );
    },
  );
}

export function allowObjectsCommand(): Command {
  return clientCommand(
    "allow <template> <objects...>",
    "Let a template be sent about objects again.",
    ["carillon templates allow sms/reminder order=4711"],
  ).action(
    async (
      reference: string,
      words: readonly string[],
      options: ClientOptions,
    ) => {
      const scope = parseScope(reference);
      const objects = words.map(parseRelated);
      await withServer(options, async ({ carillon }) => {
        for (const object of objects) {
          await orNoSuch(
            templateWord,
            reference,
            carillon.templates.allow(scope, object),
          );
        }
      });
      createOutput(options).result(
        `${reference} may be sent about ${words.join(", ")} again.`,
        { ...scope, objects },
      );
    },
  );
}

function parseScope(text: string) {
  const channel = templateChannels.find((it) => it === text);
  return channel === undefined ? parseTemplateReference(text) : { channel };
}

/** @throws CommandFailure */
function parseRelated(text: string): TemplateObject {
  const [, type, id] = /^([^=]+)=(.+)$/.exec(text) ?? [];
  if (type !== undefined && id !== undefined) return { type, id };
  throw new CommandFailure(
    `Expected an object such as order=4711, got "${text}".`,
    2,
  );
}
