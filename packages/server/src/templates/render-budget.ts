/**
 * What one rendering may cost, in units of about a nanosecond of one character's
 * work. Counted rather than timed, so that a template that renders on an idle
 * machine renders on a busy one; the time of the processor is looked at besides,
 * for what the count takes for cheaper than it is.
 */

/** Why a rendering was stopped; the message is for people. */
export class BudgetExceeded extends Error {
  override readonly name = "BudgetExceeded";
}

const maxUnits = 4_000_000;
/** Of a node: some text, an output or a tag, each time that it is rendered. */
const unitsPerNode = 100;
/** Of a list's member that is looked at. */
const unitsPerMember = 30;
const maxCpuMs = 75;
/** Nodes and filters between two looks at the processor's time. */
const stepsPerLook = 16;
const maxDepth = 32;

/**
 * Stands in for liquidjs's limiters of memory (`use`) and of time (`check`),
 * which are asked for each node.
 */
export class RenderBudget {
  readonly #cpuMs: () => number;
  readonly #startedAtMs: number;
  #units = maxUnits;
  #steps = 0;

  constructor(cpuMs: () => number = threadCpuMs) {
    this.#cpuMs = cpuMs;
    this.#startedAtMs = cpuMs();
  }

  /** @throws BudgetExceeded */
  use(units: number): void {
    // A NaN is no number of anything.
    if (units > 0) this.#units -= units;
    if (this.#units < 0) throw tooMuch();
  }

  /** @throws BudgetExceeded */
  check(): void {
    this.use(unitsPerNode);
    if (++this.#steps % stepsPerLook !== 0) return;
    if (this.#cpuMs() - this.#startedAtMs > maxCpuMs) throw tooMuch();
  }

  /**
   * Charges for a value that is looked at in full. Lists that hold one list
   * twice count it twice, as whoever makes a text of them does.
   *
   * @throws BudgetExceeded
   */
  useValue(value: unknown, depth = 0): void {
    if (typeof value === "string") this.use(value.length);
    else if (Array.isArray(value)) {
      if (depth === maxDepth) throw tooMuch();
      for (const member of value) {
        this.use(unitsPerMember);
        this.useValue(member, depth + 1);
      }
    } else this.use(1);
  }

  /**
   * Charges for a search: the worst text for the worst pattern costs their
   * product.
   *
   * @throws BudgetExceeded
   */
  useSearch(text: number, pattern: number): void {
    this.use(text + (text * pattern) / 16);
  }
}

function tooMuch(): BudgetExceeded {
  return new BudgetExceeded(
    "The template does too much: fewer or smaller loops, texts and lists are needed.",
  );
}

function threadCpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}
