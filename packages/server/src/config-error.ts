/** What is wrong with a configuration. */

/** One value or name that is wrong. */
export interface ConfigMistake {
  /** Place of the key in the file, or the unknown name as it was given. */
  readonly key: string;
  /** Where it came from: `--port`, `CARILLON_PORT`, `port in carillon.json`. */
  readonly source: string;
  /** A clause that says what is expected, what came and what to do. */
  readonly problem: string;
}

/** Says everything that is wrong with a configuration. */
export class ConfigError extends Error {
  override readonly name = "ConfigError";
  readonly code = "CONFIGURATION_INVALID";
  readonly mistakes: readonly ConfigMistake[];

  constructor(mistakes: readonly ConfigMistake[]) {
    const lines = mistakes.map(
      ({ source, problem }) => `${source}: ${problem}`,
    );
    super(
      lines.length === 1
        ? `Configuration mistake: ${lines[0]}`
        : [`${lines.length} configuration mistakes:`, ...lines].join("\n  "),
    );
    this.mistakes = mistakes;
  }
}
