/** What a plan is: a fault, a load, and the laws that hold all the same. */

export interface PlanOptions {
  /** How often the fault is repeated. */
  readonly rounds: number;
  /** How long the fault lasts, in seconds. */
  readonly seconds: number;
  /** Tells how far the plan is. */
  readonly progress: (text: string) => void;
}

export interface Plan {
  readonly name: string;
  /** One line. */
  readonly summary: string;
  /** What `--rounds` and `--seconds` are without; absent: they mean nothing. */
  readonly defaults: { readonly rounds?: number; readonly seconds?: number };
  run(options: PlanOptions): Promise<PlanReport>;
}

export interface PlanReport {
  /** In the order in which they are printed. */
  readonly figures: Readonly<Record<string, number | string>>;
  /** A sentence for each law that was broken; empty when all held. */
  readonly broken: readonly string[];
  /** Why the plan could not run here; there are no figures then. */
  readonly skipped?: string;
}

/** Finds what is wrong and says so; an empty list says nothing. */
export function brokenBy(
  law: string,
  cases: readonly string[],
): readonly string[] {
  if (cases.length === 0) return [];
  const examples = cases.slice(0, 5).join("; ");
  return [`${law}: ${cases.length}, such as ${examples}`];
}
