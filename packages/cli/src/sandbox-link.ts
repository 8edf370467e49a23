/** Links in what came to the sandbox, and servers without one. */

import { ResourceNotFoundError } from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";

/**
 * The link to confirm in a text, or else its first link; `undefined` when it
 * has none.
 */
export function linkIn(text: string): string | undefined {
  const links = text.match(/https?:\/\/[^\s"'<>\\]+/g) ?? [];
  return (
    links.find((link) => /[^/]\/c\/[0-9a-f]+$|[?&]token=/.test(link)) ??
    links[0]
  );
}

/** @throws CommandFailure in place of the error that there is no sandbox */
export function explainNoSandbox(error: unknown): never {
  if (!isNoSandbox(error)) throw error;
  throw new CommandFailure(
    "This server has no sandbox: one is started with carillon serve --sandbox.",
    1,
    { cause: error },
  );
}

/** Whether it was refused because the server has no sandbox. */
export function isNoSandbox(error: unknown): boolean {
  return (
    error instanceof ResourceNotFoundError &&
    error.smnCode === "ROUTE_NOT_FOUND"
  );
}
