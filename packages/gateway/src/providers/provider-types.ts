/** The kinds of providers that a configuration can name: a line for each. */

import type { ProviderType } from "../provider-type.ts";
import { atsType } from "./ats/provider.ts";
import { awsSnsType } from "./aws-sns/provider.ts";
import { clickatellType } from "./clickatell/provider.ts";
import { clickatellHttpType } from "./clickatell-http/provider.ts";
import { forwardClientType } from "./forward/client-provider.ts";
import { forwardServerType } from "./forward/server-provider.ts";
import { carrierPageTypes } from "./http/carrier-pages.ts";
import { httpType } from "./http/provider.ts";
import { logType } from "./log/provider.ts";
import { loopbackType } from "./loopback/provider.ts";
import { nullType } from "./null/provider.ts";
import { smsOperatorType } from "./sms-operator/provider.ts";
import { twilioType } from "./twilio/provider.ts";

/** All there are. */
export const providerTypes: readonly ProviderType[] = [
  loopbackType,
  logType,
  nullType,
  forwardClientType,
  forwardServerType,
  twilioType,
  clickatellType,
  clickatellHttpType,
  atsType,
  smsOperatorType,
  httpType,
  awsSnsType,
  ...carrierPageTypes,
];
