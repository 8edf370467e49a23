/** A failure that its message explains in full; no stack is shown. */
export class CommandFailure extends Error {
  override readonly name = "CommandFailure";
  readonly exitCode: number;

  /**
   * @param exitCode 1: it failed; 2: it was asked for in the wrong way; above
   * 128: a signal of that number less 128 ended it
   */
  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}
