/** How the cases of a contract are registered, each with a store of its own. */

import { it } from "node:test";
import type { Store } from "@carillon/core";
import { ManualClock } from "../manual-clock.ts";
import type { OpenStore } from "../open-store.ts";
import { start } from "./fixtures.ts";

export interface ContractOptions {
  /** Title of a case the adapter cannot meet → the reason. */
  readonly skip?: Readonly<Record<string, string>>;
  /** Random runs of each law; more find more and take longer. Default 30. */
  readonly runs?: number;
}

export interface Cases {
  readonly runs: number;
  /** Registers a case; the store is empty before and closed after. */
  test(
    title: string,
    run: (store: Store, clock: ManualClock) => Promise<void>,
  ): void;
}

export function createCases(
  open: OpenStore,
  { skip = {}, runs = 30 }: ContractOptions,
): Cases {
  return {
    runs,
    test(title, run) {
      it(title, { skip: skip[title] ?? false }, async () => {
        const clock = new ManualClock(start);
        await using store = await open({ clock });
        await run(store, clock);
      });
    },
  };
}
