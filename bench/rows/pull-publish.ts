/**
 * One message to 100,000 mailboxes, from the POST of the Notipy protocol until its
 * answer, which comes when all have it, against the same rows inserted by plain SQL.
 */

import { alert, call, createDataFolder, startCarillon } from "../carillon.ts";
import type { MailboxRowsQuestion } from "../parts/mailbox-rows.ts";
import { type Child, startProgram } from "../processes.ts";
import { atLeast, type BenchResult, figure } from "../result.ts";
import { seedMailboxes } from "../seed.ts";
import { alternate, median, medianRatio } from "../statistics.ts";
import { stallMs } from "../watchdog.ts";

export async function benchPullPublish({
  mailboxes = 100_000,
  rounds = 5,
} = {}): Promise<BenchResult> {
  await using data = await createDataFolder();
  await seedMailboxes(data.path, "boxes", mailboxes);
  await using carillon = await startCarillon(data.path);
  await using bare = await startProgram("parts/mailbox-rows.ts");
  const account = await call<Account>(carillon, "POST", "/api/v2/publishers", {
    name: "boxes",
    // It has the mailboxes already.
    topic: "boxes",
  });
  const question: MailboxRowsQuestion = { rows: mailboxes };
  const rates = await alternate(rounds, {
    bare: async () => {
      const { seconds } = await bare.ask<{ seconds: number }>(question);
      return mailboxes / seconds;
    },
    carillon: async () => {
      const begun = performance.now();
      await publishByNotipy(carillon, account, mailboxes);
      return (mailboxes / (performance.now() - begun)) * 1000;
    },
  });
  return {
    name: `publish to ${mailboxes.toLocaleString("en")} mailboxes`,
    rows: [
      figure("bare bulk insert", median(rates.bare), "rows/s", "fsync"),
      figure("carillon", median(rates.carillon), "mailboxes/s", "fsync"),
      atLeast(
        "carillon ÷ bare bulk insert",
        medianRatio(rates.carillon, rates.bare),
        0.5,
      ),
    ],
  };
}

interface Account {
  readonly id: string;
  readonly secret: string;
}

/** @throws Error when some mailbox has not got it */
async function publishByNotipy(
  { port }: Child,
  { id, secret }: Account,
  mailboxes: number,
): Promise<void> {
  const answer = await fetch(`http://127.0.0.1:${port}/api/v1/notification`, {
    method: "POST",
    headers: {
      authorization: `Basic ${btoa(`${id}:${secret}`)}`,
      "content-type": "application/json",
    },
    body: JSON.stringify({ message: alert.message, category: "*" }),
    signal: AbortSignal.timeout(stallMs),
  });
  const text = await answer.text();
  const expected = { success: mailboxes, fail: 0, failed: 0, total: mailboxes };
  if (text !== JSON.stringify(expected)) throw new Error(text);
}
