/** Liquid's operators within the budget of a rendering. */

import { type Context, defaultOperators, type Operators } from "liquidjs";
import { budgetOf } from "./budgeted-context.ts";
import type { RenderBudget } from "./render-budget.ts";

/** They look at no more than whether a value is there. */
const logical = ["and", "or", "not"];

export const boundedOperators: Operators = Object.fromEntries(
  Object.entries(defaultOperators).map(([name, operator]) => [
    name,
    logical.includes(name)
      ? operator
      : function* (
          left: unknown,
          right: unknown,
          context: Context,
        ): Generator<unknown, boolean, boolean> {
          const budget = budgetOf(context);
          if (name === "contains") chargeSearch(budget, left, right);
          else chargeComparison(budget, left, right);
          return yield operator(
            left as never,
            right as never,
            context as never,
          );
        },
  ]),
);

/** Texts of different lengths are told apart by these. */
export function chargeComparison(
  budget: RenderBudget,
  left: unknown,
  right: unknown,
): void {
  if (typeof left === "string" && typeof right === "string") {
    budget.use(left.length === right.length ? left.length / 16 : 1);
  } else {
    if (Array.isArray(left)) budget.useValue(left);
    if (Array.isArray(right)) budget.useValue(right);
    budget.use(1);
  }
}

function chargeSearch(
  budget: RenderBudget,
  left: unknown,
  right: unknown,
): void {
  if (typeof left === "string" && typeof right === "string") {
    budget.useSearch(left.length, right.length);
  } else if (Array.isArray(left)) {
    for (const member of left) chargeComparison(budget, member, right);
  }
}
