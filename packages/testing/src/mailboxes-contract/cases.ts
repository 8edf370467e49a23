/** How the cases of the mailboxes' contract are registered. */

import { it } from "node:test";
import type { Store } from "@carillon/core";
import type { OpenStore } from "../open-store.ts";
import { type MailboxWorld, openMailboxWorld } from "./world.ts";

/** Stands between the mailboxes and their store. */
export type WrapStore = (store: Store) => Store;

export interface MailboxCases {
  /** Registers a case; its world has a store of its own, closed after. */
  test(title: string, run: (world: MailboxWorld) => Promise<void>): void;
}

export function createMailboxCases(
  open: OpenStore,
  wrap: WrapStore,
): MailboxCases {
  return {
    test(title, run) {
      it(title, async () => {
        const world = await openMailboxWorld(open, wrap);
        try {
          await run(world);
        } finally {
          await world.close();
        }
      });
    },
  };
}
