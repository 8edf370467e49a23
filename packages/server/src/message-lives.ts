/** The default lives of messages, from the configuration. */

import {
  defaultMessageLives,
  type MessageLives,
  smnMessageLives,
} from "@carillon/core";
import type { Config } from "./config.ts";

type LifeKeys =
  | "retryProfile"
  | "defaultLifeHttp"
  | "defaultLifeHttps"
  | "defaultLifeEmail"
  | "defaultLifeSms"
  | "defaultLifeSmsOtp";

/** What is set goes over the lives of the retry profile. */
export function messageLivesOf(config: Pick<Config, LifeKeys>): MessageLives {
  const lives =
    config.retryProfile === "smn" ? smnMessageLives : defaultMessageLives;
  return {
    http: config.defaultLifeHttp ?? lives.http,
    https: config.defaultLifeHttps ?? lives.https,
    email: config.defaultLifeEmail ?? lives.email,
    sms: config.defaultLifeSms ?? lives.sms,
    smsOtp: config.defaultLifeSmsOtp ?? lives.smsOtp,
  };
}
