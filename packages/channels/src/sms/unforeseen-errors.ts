/**
 * Errors that no provider means to throw, such as a TypeError of a backend of
 * somebody's own. What is kept with a text is a sentence; the log has the stack.
 */

import type { Logger } from "@carillon/core";
import { ConfigurationError, ProviderError } from "@carillon/gateway";

/** More kinds than that are not told apart, nor logged. */
const maxKinds = 100;

/** Writes the stack of each kind once, for whoever mends it. */
export class UnforeseenErrors {
  readonly #logger: Pick<Logger, "error">;
  readonly #seen = new Set<string>();

  constructor(logger: Pick<Logger, "error">) {
    this.#logger = logger;
  }

  /** @param error the gateway took secrets and numbers out of it */
  note(error: unknown, provider: string | undefined): void {
    if (error instanceof ProviderError || error instanceof ConfigurationError) {
      return;
    }
    const kind = `${provider} ${placeOf(error)}`;
    if (this.#seen.has(kind) || this.#seen.size >= maxKinds) return;
    this.#seen.add(kind);
    this.#logger.error("sms_provider_threw", { provider, error });
  }
}

/** Where it was thrown: its sentence may differ each time. */
function placeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const frames = (error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
  return frames.length > 0
    ? `${error.name} ${frames.slice(0, 3).join(" ")}`
    : error.name;
}
