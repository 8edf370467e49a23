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
  | "defaultLifeSmsOtp";

/** SMN's own: one hour for all. */
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
  };
  const isSmn = config.retryProfile === "smn";
  return Object.fromEntries(
    Object.entries(defaultLivesOf(protocols)).map(([name, seconds]) => [
      name,
      set[name] ?? (isSmn && protocols.find(name) ? smnLifeSeconds : seconds),
    ]),
  );
}
