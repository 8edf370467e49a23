/** What to do next to confirm a subscription that was just made. */

import type { Carillon, Messages } from "@carillon/client";
import { failedCount, isSettled } from "./delivery-table.ts";
import { isNoSandbox, linkIn } from "./sandbox-link.ts";

/** How long what asks to confirm is waited for. */
const arrivesWithinMs = 2000;

const pollMs = 50;

/**
 * Subscribes with `run`, and answers a sentence on how it is confirmed: with
 * the link that came to the sandbox, or why none was sent, if either is known
 * within two seconds.
 */
export async function withConfirmationHint<Result>(
  carillon: Pick<Carillon, "sandbox" | "messages">,
  { topicUrn, endpoint }: { topicUrn: string; endpoint: string },
  run: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly hint: string }> {
  const look = (await hasSandbox(carillon))
    ? () => lastSentTo(carillon, endpoint)
    : () => lastConfirmation(carillon.messages, topicUrn);
  const before = await look();
  const result = await run();
  const deadline = Date.now() + arrivesWithinMs;
  while (Date.now() < deadline) {
    const last = await look();
    if (last && last.id !== before?.id) return { result, hint: last.hint };
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  return { result, hint: sentHint };
}

const sentHint = "It was sent a link to confirm with.";

/** What asked to confirm last, once it is known what became of it. */
interface LastAsked {
  readonly id: string;
  readonly hint: string;
}

async function hasSandbox({
  sandbox,
}: Pick<Carillon, "sandbox">): Promise<boolean> {
  try {
    await sandbox.mails({ limit: 1 });
    return true;
  } catch (error) {
    if (isNoSandbox(error)) return false;
    throw error;
  }
}

async function lastSentTo(
  { sandbox }: Pick<Carillon, "sandbox">,
  endpoint: string,
): Promise<LastAsked | undefined> {
  const [, webhook] = /\/sandbox\/webhooks\/([^/?#]+)/.exec(endpoint) ?? [];
  if (webhook !== undefined) {
    const name = decodeURIComponent(webhook);
    const [last] = await sandbox.requests({ name, limit: 1 });
    return last && asked(last.id, last.body);
  }
  if (endpoint.includes("@")) {
    const [last] = await sandbox.mails({ query: endpoint, limit: 1 });
    return last && asked(last.id, last.text);
  }
  if (/^\+?\d{3,15}$/.test(endpoint)) {
    const [last] = await sandbox.texts({ number: endpoint, limit: 1 });
    return last && asked(last.id, last.text);
  }
  return undefined;
}

function asked(id: string, text: string): LastAsked {
  const link = linkIn(text);
  const hint =
    link === undefined
      ? sentHint
      : `The sandbox got its link; confirm with:\n  carillon subscription confirm ${link}`;
  return { id, hint };
}

async function lastConfirmation(
  messages: Messages,
  topicUrn: string,
): Promise<LastAsked | undefined> {
  for await (const report of messages.list({ topicUrn, pageSize: 1 })) {
    if (report.kind !== "confirmation" || !isSettled(report)) break;
    const { id } = report;
    if (failedCount(report) === 0) return { id, hint: sentHint };
    for await (const { error } of messages.deliveries(id)) {
      return { id, hint: `The link to confirm could not be sent: ${error}` };
    }
  }
  return undefined;
}
