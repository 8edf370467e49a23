/**
 * What `sms.batch`, `email.batch` and `sms.deliveryCheck` of the configuration may
 * hold, and what they make of the rules of stored messages.
 */

import {
  accentLevels,
  type BatchMode,
  batchRetriesOf,
  type DeliveryCheckSettings,
  type EngineOptions,
  type IdleFrom,
  maxTimeToLiveSeconds,
  type Protocol,
  type StoredChannel,
  sendErrorNames,
  storedChannels,
  storedProfiles,
  transientErrors,
} from "@carillon/core";
import type { Config } from "./config.ts";
import { Type } from "./json-schema.ts";

/** No flags: they would be half of all, and belong into a file. */
const live = { reloadable: true, withoutFlag: true } as const;

/** A day, in seconds. */
const day = 86_400;

type Notes = {
  readonly group: "SMS" | "E-mail" | "Delivery";
  readonly description: string;
};

function whole(minimum: number, maximum: number, unit: string, notes: Notes) {
  return {
    ...live,
    ...notes,
    expected: `a whole number of ${unit} from ${minimum} to ${maximum}`,
    minimum,
    maximum,
  };
}

function flag(notes: Notes) {
  return { ...live, ...notes, expected: "true or false" };
}

/** Which rules hold where pymess has its own. */
export const storedProfile = Type.Enum([...storedProfiles], {
  group: "Delivery",
  reloadable: true,
  description:
    "Rules of stored messages where pymess has its own: `default`, or `pymess`, which counts attempts, repeats after any error and times out as pymess does; see the guide on sending in batches.",
  expected: "one of default, pymess",
  default: "default",
});

/** `sms.defaultPhoneCode`. */
export const defaultPhoneCode = Type.Optional(
  Type.String({
    reloadable: true,
    group: "SMS",
    description:
      "Code of a country that is put in front of the recipient of a stored text if it has nine characters, blanks and dashes not counted.",
    expected: "+ and one to four digits",
    example: "+420",
    pattern: "^\\+[1-9]\\d{0,3}$",
  }),
);

/** `sms.accents`. */
export const accents = Type.Enum([...accentLevels], {
  reloadable: true,
  group: "SMS",
  description:
    "What becomes of characters of stored texts that do not fit the cheaper alphabet: `keep` leaves them, `strip-ascii` takes accents off and drops all that is not ASCII then, as pymess does, `transliterate` writes something close in GSM-7 where there is something close for all of the text. A send may say otherwise.",
  expected: `one of ${accentLevels.join(", ")}`,
  default: "keep",
});

/** `sms.batch` or `email.batch`. */
export function batchSettings(channel: StoredChannel, group: "SMS" | "E-mail") {
  const what = channel === "sms" ? "stored texts" : "stored mails";
  return Type.Object({
    enabled: Type.Boolean({
      ...flag({
        group,
        description: `Batch mode: ${what} are kept only, and go out when the batch sender comes to them, those to be sent immediately excepted.`,
      }),
      default: false,
    }),
    size: Type.Integer({
      ...whole(1, 10_000, "messages", {
        group,
        description: "Messages that one run of the batch sender takes.",
      }),
      default: 500,
    }),
    intervalSeconds: Type.Integer({
      ...whole(0, day, "seconds", {
        group,
        description:
          "Between two runs that the server makes by itself, on one of its nodes. 0: it makes none, and a scheduler calls the command.",
      }),
      default: 0,
    }),
    maxRetries: Type.Integer({
      ...whole(0, 20, "attempts", {
        group,
        description: `Attempts that ${what} get in batch mode behind the first one.`,
      }),
      default: 3,
    }),
    maxAgeSeconds: Type.Integer({
      ...whole(1, maxTimeToLiveSeconds, "seconds", {
        group,
        description: `How long after they were made ${what} are attempted in batch mode, if they have no time to live of their own.`,
      }),
      default: 3600,
    }),
    retry: Type.Boolean({
      ...flag({
        group,
        description: "Whether what failed in batch mode is attempted again.",
      }),
      default: true,
    }),
    retriedErrors: Type.Array(Type.Enum([...sendErrorNames]), {
      ...live,
      group,
      description:
        "Kinds of errors after which that is so. In the profile `pymess` all are.",
      expected: `a list of ${sendErrorNames.join(", ")}`,
      default: [...transientErrors],
      uniqueItems: true,
    }),
  });
}

/** `sms.deliveryCheck`. */
export const deliveryCheckSettings = Type.Object({
  intervalSeconds: Type.Integer({
    ...whole(0, day, "seconds", {
      group: "SMS",
      description:
        "Between two looks for texts whose report did not come within the idle timeout, on one of the server's nodes. 0: it looks only when it is told to.",
    }),
    default: 60,
  }),
  idleTimeoutMinutes: Type.Optional(
    Type.Integer({
      ...whole(1, 44_640, "minutes", {
        group: "SMS",
        description:
          "How long the report of a text to a recipient of its own may take that its carrier owes. 4320 (72 hours, when carriers are asked for the last time) if unset, 10 in the profile `pymess`.",
      }),
      example: 4320,
    }),
  ),
  idleFrom: Type.Optional(
    Type.Enum(["sent", "created"], {
      ...live,
      group: "SMS",
      description:
        "Since when that counts: since the attempt (`sent`), or since the text was made. `sent` if unset, `created` in the profile `pymess`. Of texts that were handed over before it changed, as it was.",
      expected: "one of sent, created",
      example: "sent",
    }),
  ),
  failIdle: Type.Optional(
    Type.Boolean({
      ...flag({
        group: "SMS",
        description:
          "Whether such a text becomes `failed`, with an error that begins with `timeouted`; else it stays `sent`. false if unset, true in the profile `pymess`.",
      }),
      example: true,
    }),
  ),
  logIdle: Type.Boolean({
    ...flag({
      group: "SMS",
      description:
        "Whether each look that found such texts writes one warning, with how many they are.",
    }),
    default: true,
  }),
});

/** Batch mode of a channel, as it is set. */
export function batchModeOf(config: Config, channel: StoredChannel): BatchMode {
  return config[channel].batch;
}

/** How the engine attempts again what was stored for batches. */
export function batchRetriesOfConfig(
  config: Config,
  protocol: Protocol,
): ReturnType<NonNullable<EngineOptions["batchRetriesOf"]>> {
  const channel = storedChannels.find((name) => name === protocol);
  if (channel === undefined) return undefined;
  const mode = batchModeOf(config, channel);
  return batchRetriesOf(channel, mode, config.storedProfile);
}

/** What is unset goes by the profile. */
export function deliveryCheckOf({
  sms: { deliveryCheck },
  storedProfile: profile,
}: Config): DeliveryCheckSettings & {
  readonly idleFrom: "sent" | "created";
} {
  const isPymess = profile === "pymess";
  const { idleTimeoutMinutes, idleFrom, failIdle, logIdle } = deliveryCheck;
  return {
    idleTimeoutMinutes: idleTimeoutMinutes ?? (isPymess ? 10 : 4320),
    idleFrom: idleFrom ?? (isPymess ? "created" : "sent"),
    failIdle: failIdle ?? isPymess,
    logIdle,
  };
}

/** Since when a report is waited for: on mails by `email.reportDays`. */
export function idleFromOf(
  config: Config,
  { protocol, createdAt, sentAt }: Parameters<IdleFrom>[0],
): ReturnType<IdleFrom> {
  if (protocol === "email") return sentAt;
  if (protocol !== "sms") return undefined;
  return deliveryCheckOf(config).idleFrom === "sent" ? sentAt : createdAt;
}
