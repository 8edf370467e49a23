/** Links in what came to the sandbox, and the one that confirms. */

import {
  type Carillon,
  ResourceNotFoundError,
  type Sandbox,
} from "@carillon/client";
import { CommandFailure } from "./command-failure.ts";

/** How long a confirmation is waited for. */
const arrivesWithinMs = 2000;

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

function isNoSandbox(error: unknown): boolean {
  return (
    error instanceof ResourceNotFoundError &&
    error.smnCode === "ROUTE_NOT_FOUND"
  );
}

/** What was sent to an endpoint last. */
interface LastSent {
  readonly id: string;
  readonly link: string | undefined;
}

/**
 * Subscribes with `run`, and finds the link to confirm if it comes to the
 * sandbox within two seconds. Without a sandbox there is none.
 */
export async function withConfirmationLink<Result>(
  { sandbox }: Pick<Carillon, "sandbox">,
  endpoint: string,
  run: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly link: string | undefined }> {
  const before = await lastSentTo(sandbox, endpoint);
  const result = await run();
  const deadline = Date.now() + arrivesWithinMs;
  while (before !== "no sandbox" && Date.now() < deadline) {
    const last = await lastSentTo(sandbox, endpoint);
    if (last !== "no sandbox" && last?.id !== before?.id) {
      return { result, link: last?.link };
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return { result, link: undefined };
}

async function lastSentTo(
  sandbox: Sandbox,
  endpoint: string,
): Promise<LastSent | undefined | "no sandbox"> {
  try {
    const [, webhook] = /\/sandbox\/webhooks\/([^/?#]+)/.exec(endpoint) ?? [];
    if (webhook !== undefined) {
      const name = decodeURIComponent(webhook);
      const [last] = await sandbox.requests({ name, limit: 1 });
      return last && { id: last.id, link: linkIn(last.body) };
    }
    if (endpoint.includes("@")) {
      const [last] = await sandbox.mails({ query: endpoint, limit: 1 });
      return last && { id: last.id, link: linkIn(last.text) };
    }
    if (!/^\+?\d+$/.test(endpoint)) return "no sandbox";
    const [last] = await sandbox.texts({ number: endpoint, limit: 1 });
    return last && { id: last.id, link: linkIn(last.text) };
  } catch (error) {
    if (isNoSandbox(error)) return "no sandbox";
    throw error;
  }
}
