/** Asks a carrier about texts that it answers one a request. */

import {
  AuthError,
  ProviderConnectionError,
  ProviderError,
} from "../errors.ts";
import type { MessageStatus } from "../message-status.ts";
import type { ProviderHost } from "../provider.ts";

const maxOpen = 4;

/** After so long no request is begun: the deadline of all would take the answers. */
const enoughMs = 5000;

/**
 * A few at once, until the time is up or the carrier wants to be left alone. What
 * was found by then is the answer; the others are asked about again.
 *
 * @param ask `undefined`: the carrier says nothing of this one
 * @throws the error that ended it, else the first, where nothing was found
 */
export async function askEach(
  msgids: readonly string[],
  host: Pick<ProviderHost, "now">,
  ask: (msgid: string) => Promise<MessageStatus | undefined>,
): Promise<readonly MessageStatus[]> {
  const endsAt = host.now() + enoughMs;
  const found: MessageStatus[] = [];
  /** Of single ids, and of the one that ended it in front of them. */
  const failures: unknown[] = [];
  const left = [...new Set(msgids)].reverse();
  let isOver = false;
  const work = async () => {
    while (!isOver && host.now() < endsAt) {
      const msgid = left.pop();
      if (msgid === undefined) return;
      try {
        const status = await ask(msgid);
        if (status) found.push(status);
      } catch (error) {
        if (isAboutOne(error)) failures.push(error);
        else {
          failures.unshift(error);
          isOver = true;
        }
      }
    }
  };
  await Promise.all(Array.from({ length: maxOpen }, work));
  if (found.length === 0 && failures.length > 0) throw failures[0];
  return found;
}

/** Whether the others may be answered all the same. */
function isAboutOne(error: unknown): boolean {
  return (
    error instanceof ProviderError &&
    !error.retryable &&
    !(error instanceof AuthError) &&
    !(error instanceof ProviderConnectionError)
  );
}
