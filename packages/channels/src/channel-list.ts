/** The channels that a service has: an import and a line for each. */

import type { Channel, PullChannel } from "@carillon/core";
import { createHttpChannel, type HttpChannelOptions } from "./http/channel.ts";
import { createPullChannel } from "./pull/channel.ts";
import { createSmsChannel, type SmsChannelOptions } from "./sms/channel.ts";

/** What channels of a service are made of; each takes what it needs. */
export interface ChannelParts
  extends Pick<
      HttpChannelOptions,
      "egress" | "signer" | "webhookKeys" | "links" | "clock" | "logger"
    >,
    Pick<SmsChannelOptions, "gateway" | "maxSegments"> {
  /** In its place, since the mail server may change. */
  readonly email: Channel;
  /** For a whole attempt over http or https. */
  readonly httpTimeoutMs: number;
  /** Over http or https. */
  readonly connectionsPerOrigin: number;
}

/** All there are. */
export const channelList: readonly ((
  parts: ChannelParts,
) => Channel | PullChannel)[] = [
  ({ httpTimeoutMs: timeoutMs, ...parts }) =>
    createHttpChannel({ ...parts, timeoutMs }),
  (parts) => createSmsChannel({ ...parts, statusReports: true }),
  ({ email }) => email,
  () => createPullChannel(),
];
