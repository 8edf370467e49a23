/** Is a server running, is it well, and does it agree about the time? */

import { isJsonObject } from "../json-object.ts";
import { type CheckOptions, type Finding, within } from "./check.ts";
import { checkClock } from "./clock.ts";

/** What was found, and what other checks need of it. */
export interface RunningServer {
  readonly findings: readonly Finding[];
  /** Where it answers, without a slash at its end; `undefined`: none does. */
  readonly url?: string;
  /** By which its process is recognized behind other addresses. */
  readonly instance?: string;
}

interface Answer {
  readonly status: number;
  readonly date: string | null;
  readonly body: unknown;
}

/**
 * Asks for health and readiness where a server may be, one place after the
 * other, and compares the clocks.
 *
 * @throws the signal's reason
 */
export async function findRunningServer(
  places: readonly string[],
  { signal, timeoutMs = 5000 }: CheckOptions = {},
): Promise<RunningServer> {
  const check = "running server";
  const missed: Finding[] = [];
  for (const url of places) {
    try {
      const health = await ask(`${url}/healthz`, within(timeoutMs, signal));
      if (health.status !== 200 || !isJsonObject(health.body)) {
        missed.push({
          check,
          result: "failed",
          found: `${url}/healthz answers ${health.status}, not as Carillon does`,
          advice: "Another program may have the port: see with --port.",
        });
        continue;
      }
      const ready = await ask(`${url}/readyz`, within(timeoutMs, signal));
      const { instance } = health.body;
      return {
        findings: [judge(url, ready), checkClock("clock", health.date)],
        url,
        ...(typeof instance === "string" && { instance }),
      };
    } catch (error) {
      signal?.throwIfAborted();
      missed.push(notAnswering(url, error));
    }
  }
  const worst = missed.find(({ result }) => result === "failed") ?? missed[0];
  return {
    findings: [
      worst ?? { check, result: "skipped", found: "none has used this folder" },
    ],
  };
}

async function ask(url: string, signal: AbortSignal): Promise<Answer> {
  const response = await fetch(url, { signal });
  const { status, headers } = response;
  const body: unknown = await response.json().catch(() => undefined);
  signal.throwIfAborted();
  return { status, date: headers.get("date"), body };
}

function judge(url: string, { status, body }: Answer): Finding {
  const check = "running server";
  if (status === 200) return { check, result: "ok", found: `${url} is ready` };
  const why = isJsonObject(body) ? `${body.reason}: ${body.message}` : status;
  return {
    check,
    result: "failed",
    found: `${url} takes no work now (${why})`,
    advice: "Look at the server's log.",
  };
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
