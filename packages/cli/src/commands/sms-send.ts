/** `carillon sms send` */

import { type Command, Option } from "commander";
import { clientCommand } from "../client-options.ts";
import { CommandFailure } from "../command-failure.ts";
import { addCommonOptions } from "../message-options.ts";
import { withServer } from "../server.ts";
import {
  addTextOptions,
  type SmsOptionValues,
  smsOptionsOf,
} from "../sms-options.ts";
import { smsKind } from "../stored-kind.ts";
import {
  addStoredOptions,
  type StoredSendOptions,
  storedSettingsOf,
  tellSent,
  templateOf,
} from "../stored-sending.ts";
import { textFrom } from "../text-argument.ts";

const accentLevels = ["keep", "strip-ascii", "transliterate"] as const;

interface SendOptions extends StoredSendOptions, SmsOptionValues {
  readonly accents?: (typeof accentLevels)[number];
}

export function sendSmsCommand(): Command {
  const command = clientCommand(
    "send <number> [text]",
    "Send a text to one phone. The number is in international form. Without a text, or for -, it is read from standard input; for @ and a path, from that file; with --template there is none.",
    [
      'carillon sms send +4915112345678 "Your code is 271828"',
      'carillon sms send +4915112345678 "Your code is 1" --class otp --wait',
      'carillon sms send +4915112345678 "Hello" --backend twilio --related user=7',
      "carillon sms send +420777123456 --template code --template-context @a.json",
    ],
  );
  command.addOption(
    new Option(
      "--accents <level>",
      "what becomes of characters that do not fit the cheaper alphabet",
    ).choices(accentLevels),
  );
  return addCommonOptions(addStoredOptions(addTextOptions(command))).action(
    async (to: string, words: string | undefined, options: SendOptions) => {
      const template = templateOf(options);
      if (template && words !== undefined) {
        throw new CommandFailure("Expected a text or --template, not both.", 2);
      }
      const { idempotencyKey, accents } = options;
      const sms = smsOptionsOf(options);
      const settings = { ...storedSettingsOf(options), accents, sms, to };
      const content = template ?? {
        text: await textFrom(words, "carillon sms send <number>"),
      };
      const sending = await withServer(options, async ({ carillon }) =>
        "slug" in content
          ? await carillon.sms.trySendTemplate(
              { ...settings, ...content },
              { idempotencyKey },
            )
          : {
              message: await carillon.sms.send(
                { ...settings, ...content },
                { idempotencyKey },
              ),
            },
      );
      tellSent(sending, smsKind, options);
    },
  );
}
