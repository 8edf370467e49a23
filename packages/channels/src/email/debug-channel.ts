/** E-mail without a mail server: mails are written, and nothing is sent. */

import type {
  Channel,
  Message,
  PreparedMessage,
  SuccessfulResult,
} from "@carillon/core";
import { emailTimeoutMs } from "./channel.ts";
import { emailProtocol } from "./protocol.ts";

/**
 * Each delivery ends in `debug` at its first attempt.
 *
 * @param provider what deliveries name as theirs
 */
export function createDebugEmailChannel(provider = "debug"): Channel {
  const simulated: SuccessfulResult = { outcome: "simulated", provider };
  return {
    name: "email",
    protocols: [emailProtocol],
    kind: "push",
    timeoutMs: emailTimeoutMs,
    prepare: (_message: Message): PreparedMessage => ({
      deliver: async () => simulated,
    }),
    async close() {},
  };
}
