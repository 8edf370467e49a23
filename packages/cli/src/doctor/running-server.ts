/** Is a server running, is it well, and does it agree about the time? */

import { type CheckOptions, type Finding, within } from "./check.ts";

/** Signed requests are refused beyond this difference. */
const maxSkewMs = 15 * 60_000;
const noticeableSkewMs = 60_000;

/**
 * Asks for health and readiness, and compares the clocks.
 *
 * @throws the signal's reason
 */
export async function checkRunningServer(
  url: string | undefined,
  { signal, timeoutMs = 5000 }: CheckOptions = {},
): Promise<readonly Finding[]> {
  const check = "running server";
  if (url === undefined) {
    return [{ check, result: "skipped", found: "none has used this folder" }];
  }
  const answers: { path: string; status: number; date: string | null }[] = [];
  for (const path of ["/healthz", "/readyz"]) {
    try {
      const response = await fetch(`${url}${path}`, {
        signal: within(timeoutMs, signal),
      });
      await response.arrayBuffer();
      const { status, headers } = response;
      answers.push({ path, status, date: headers.get("date") });
    } catch (error) {
      signal?.throwIfAborted();
      return [notAnswering(url, error)];
    }
  }
  const notOk = answers.find(({ status }) => status !== 200);
  return [
    notOk
      ? {
          check,
          result: "failed",
          found: `${url}${notOk.path} answers ${notOk.status}`,
          advice: "Look at the server's log.",
        }
      : { check, result: "ok", found: `${url} is ready` },
    checkClock(answers[0]?.date ?? null),
  ];
}

function notAnswering(url: string, error: unknown): Finding {
  const late = error instanceof Error && error.name === "TimeoutError";
  return late
    ? {
        check: "running server",
        result: "failed",
        found: `${url} does not answer in time`,
        advice: "Look at the server's log, or start it anew.",
      }
    : {
        check: "running server",
        result: "skipped",
        found: `none answers at ${url}`,
      };
}

function checkClock(date: string | null): Finding {
  const check = "clock";
  const theirs = date === null ? Number.NaN : Date.parse(date);
  if (Number.isNaN(theirs)) {
    return { check, result: "skipped", found: "the server sends no time" };
  }
  // The header has whole seconds.
  const skewMs = Math.abs(Date.now() - theirs - 500);
  const found = `${(skewMs / 1000).toFixed(1)} s from the server's`;
  const advice = "Set both clocks by NTP: signed requests depend on them.";
  if (skewMs > maxSkewMs) return { check, result: "failed", found, advice };
  return skewMs > noticeableSkewMs
    ? { check, result: "warning", found, advice }
    : { check, result: "ok", found };
}
