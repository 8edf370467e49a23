/** `carillon templates preview` */

import type { JsonObject } from "@carillon/client";
import type { Command } from "commander";
import { type ClientOptions, clientCommand } from "../client-options.ts";
import { parseJsonObject } from "../file-argument.ts";
import { isJsonObject } from "../json-object.ts";
import { orNoSuch } from "../lookup.ts";
import { createOutput } from "../output.ts";
import { withServer } from "../server.ts";
import { parseTemplateReference, templateWord } from "../template-reference.ts";

interface PreviewOptions extends ClientOptions {
  readonly templateContext?: JsonObject;
}

export function previewTemplateCommand(): Command {
  return clientCommand(
    "preview <template>",
    "Show what a template makes, and how a text would be sent. No message is made.",
    [
      `carillon templates preview sms/code --template-context '{"code":"271828"}'`,
      "carillon templates preview email/welcome --template-context @welcome.json",
    ],
  )
    .option(
      "--template-context <json>",
      "what the template's variables stand for: a JSON object, or @ and a file that has it",
      parseJsonObject,
    )
    .action(
      async (
        reference: string,
        { templateContext, ...options }: PreviewOptions,
      ) => {
        const { channel, slug } = parseTemplateReference(reference);
        const made = await withServer(options, ({ carillon }) =>
          orNoSuch(
            templateWord,
            reference,
            carillon.templates.preview(channel, slug, templateContext),
          ),
        );
        const { sms } = made;
        createOutput(options).lines(
          [
            ...(made.subject === undefined ? [] : [made.subject, ""]),
            made.text ?? made.html ?? "",
            ...(isJsonObject(sms)
              ? [
                  "",
                  `${sms.encoding}, ${sms.characters} characters, ${sms.segments} ${sms.segments === 1 ? "segment" : "segments"}`,
                ]
              : []),
          ],
          made,
        );
      },
    );
}
