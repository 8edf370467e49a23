/** The gateway's list of who wants no texts, kept in Carillon's store. */

import {
  type OptOutRecord,
  type OptOutRecordStore,
  toEpochMs,
} from "@carillon/core";
import {
  type OptOutEntry,
  type OptOutStore,
  ProviderError,
} from "@carillon/gateway";

export function createOptOutStore(store: OptOutRecordStore): OptOutStore {
  return {
    async find(recipient) {
      try {
        return (await store.findOptOuts(recipient)).map(toEntry);
      } catch (cause) {
        // Asked before anything is sent: the text can be sent later.
        throw new ProviderError("The list of opt-outs cannot be read", {
          retryable: true,
          cause,
        });
      }
    },
    // Where these two fail the carrier gets an error, and sends STOP or START
    // again; both may be done twice.
    put: ({ recipient, sender, keyword, at }) =>
      store.putOptOut({
        recipient,
        ...(sender !== null && { sender }),
        keyword,
        at: toEpochMs(at.getTime()),
      }),
    async remove(recipient, sender) {
      await store.removeOptOut(recipient, sender ?? undefined);
    },
  };
}

function toEntry({
  recipient,
  sender,
  keyword,
  at,
}: OptOutRecord): OptOutEntry {
  return { recipient, sender: sender ?? null, keyword, at: new Date(at) };
}
