/** Counts log-ins by what came of them. */

const loginOutcomes = ["succeeded", "refused", "throttled"] as const;

export type LoginOutcome = (typeof loginOutcomes)[number];

export class LoginMeter {
  readonly #counts: Record<LoginOutcome, number> = {
    succeeded: 0,
    refused: 0,
    throttled: 0,
  };

  note(outcome: LoginOutcome): void {
    this.#counts[outcome]++;
  }

  counts(): Readonly<Record<LoginOutcome, number>> {
    return this.#counts;
  }
}
