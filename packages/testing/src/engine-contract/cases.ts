/** How the cases of the engine's contract are registered. */

import { it } from "node:test";
import type { OpenStore } from "../open-store.ts";
import { openWorld, type World, type WorldOptions } from "./world.ts";

export interface EngineCases {
  /** Registers a case; its world has a store of its own, closed after. */
  test(
    title: string,
    options: WorldOptions,
    run: (world: World) => Promise<void>,
  ): void;
}

export function createEngineCases(
  open: OpenStore,
  wrap: NonNullable<WorldOptions["wrap"]>,
): EngineCases {
  return {
    test(title, options, run) {
      it(title, async () => {
        const { wrap: inner = (store) => store } = options;
        const world = await openWorld(open, {
          ...options,
          wrap: (store, clock) => inner(wrap(store, clock), clock),
        });
        try {
          await run(world);
        } finally {
          await world.close();
        }
      });
    },
  };
}
