/** How the cases of a contract are registered, each with a store of its own. */

import { it } from "node:test";
import type { Store } from "@carillon/core";

export interface ContractOptions {
  /** Title of a case the adapter cannot meet → the reason. */
  readonly skip?: Readonly<Record<string, string>>;
  /** Random runs of each law; more find more and take longer. Default 30. */
  readonly runs?: number;
}

export interface Cases {
  readonly runs: number;
  /** Registers a case; the store is empty before and closed after. */
  test(title: string, run: (store: Store) => Promise<void>): void;
}

export function createCases(
  open: () => Promise<Store>,
  { skip = {}, runs = 30 }: ContractOptions,
): Cases {
  return {
    runs,
    test(title, run) {
      it(title, { skip: skip[title] ?? false }, async () => {
        await using store = await open();
        await run(store);
      });
    },
  };
}
