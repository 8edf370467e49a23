/** The context of one rendering, by which its parts find the budget. */

import { Context, type Liquid } from "liquidjs";
import { RenderBudget } from "./render-budget.ts";

/** A budget, with what else belongs to one rendering. */
export class RenderingBudget extends RenderBudget {
  /** Texts that are HTML already. */
  readonly safeTexts: ReadonlySet<string>;

  constructor(safeTexts: Iterable<string>, cpuMs?: () => number) {
    super(cpuMs);
    this.safeTexts = new Set(safeTexts);
  }
}

/** Everything that is rendered is charged to the budget. */
export function createBudgetedContext(
  liquid: Liquid,
  values: object,
  {
    isStrict,
    budget,
  }: { readonly isStrict: boolean; readonly budget: RenderingBudget },
): Context {
  // liquidjs's limiters are a class with private parts, of which it calls
  // `use` and `check` alone.
  const limiter = budget as unknown as Context["memoryLimit"];
  return new Context(
    values,
    liquid.options,
    { sync: true, strictVariables: isStrict },
    { memoryLimit: limiter, renderLimit: limiter, liquid },
  );
}

/** Of a context that was made here, or spawned from one. */
export function budgetOf({ memoryLimit }: Context): RenderingBudget {
  if (memoryLimit instanceof RenderingBudget) return memoryLimit;
  throw new TypeError("The context has no budget");
}
