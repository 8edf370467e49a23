/** The default lives of messages, from the configuration. */

import {
  defaultLivesOf,
  type MessageLives,
  otpOf,
  type Protocols,
} from "@carillon/core";
import type { Config } from "./config.ts";

type LifeKeys =
  | "retryProfile"
  | "defaultLifeHttp"
  | "defaultLifeHttps"
  | "defaultLifeEmail"
  | "defaultLifeSms"
  | "defaultLifeSmsOtp"
  | "defaultLifePull";

/** SMN's own: one hour for all that is attempted. */
const smnLifeSeconds = 3600;

/** What is set goes over the lives of the retry profile. */
export function messageLivesOf(
  config: Pick<Config, LifeKeys>,
  protocols: Pick<Protocols, "all" | "find">,
): MessageLives {
  const set: Readonly<Record<string, number | undefined>> = {
    http: config.defaultLifeHttp,
    https: config.defaultLifeHttps,
    email: config.defaultLifeEmail,
    sms: config.defaultLifeSms,
    [otpOf("sms")]: config.defaultLifeSmsOtp,
    pull: config.defaultLifePull,
  };
  // Messages in mailboxes are fetched, and not attempted.
  const hasSmnLife = (name: string) =>
    config.retryProfile === "smn" && name !== "pull" && protocols.find(name);
  return Object.fromEntries(
    Object.entries(defaultLivesOf(protocols)).map(([name, seconds]) => [
      name,
      set[name] ?? (hasSmnLife(name) ? smnLifeSeconds : seconds),
    ]),
  );
}
