/** The channel pull: it makes no attempts; see `Mailboxes` in core. */

import type { PullChannel } from "@carillon/core";
import { pullProtocol } from "./protocol.ts";

export function createPullChannel(): PullChannel {
  return { name: "pull", kind: "pull", protocols: [pullProtocol] };
}
