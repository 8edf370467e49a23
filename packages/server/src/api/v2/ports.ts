/** What the routes of our own API work with. */

import type {
  Clock,
  ContentSeal,
  MessageReader,
  Protocols,
  Publisher,
  TopicAccess,
} from "@carillon/core";
import type { OriginOf } from "../origin.ts";

export interface V2Ports {
  readonly messages: MessageReader;
  readonly protocols: Protocols;
  readonly seal: Pick<ContentSeal, "open">;
  readonly access: TopicAccess;
  readonly publisher: Publisher;
  readonly clock: Clock;
  readonly originOf: OriginOf;
  readonly region: string;
}
