/** What the routes of our own API work with. */

import type { MessageReader } from "@carillon/core";
import type { OriginOf } from "../origin.ts";

export interface V2Ports {
  readonly messages: MessageReader;
  readonly originOf: OriginOf;
  readonly region: string;
}
