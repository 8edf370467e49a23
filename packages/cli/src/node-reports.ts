/**
 * What Node.js itself writes to stderr while a server runs, as lines of its log:
 * warnings, and errors that nobody caught.
 */

import type { Logger } from "@carillon/server";

/**
 * Takes Node's warnings from now on, and keeps them until there is a log: some
 * come while modules are loaded.
 */
export class NodeWarnings {
  #logger: Logger | undefined;
  readonly #kept: Error[] = [];

  constructor() {
    // Node's own listener prints them.
    process.removeAllListeners("warning");
    process.on("warning", (warning) => {
      if (this.#logger) note(this.#logger, warning);
      else this.#kept.push(warning);
    });
  }

  logTo(logger: Logger): void {
    this.#logger = logger;
    for (const warning of this.#kept.splice(0)) note(logger, warning);
  }
}

/** Ends the process with exit code 1 at an error that nobody caught. */
export function logUncaughtErrors(logger: Logger): void {
  process.on("uncaughtException", (error) => {
    logger.error("uncaught_error", { error });
    process.exit(1);
  });
}

function note(logger: Logger, warning: Error): void {
  logger.warn("node_warning", { name: warning.name, error: warning });
}
