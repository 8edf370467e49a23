/**
 * Questions to carriers: cut to what each takes at once, ended at a deadline,
 * and their answers checked. A provider that hangs, throws or answers out of
 * type leads to a finding like any other.
 */

import { orAborted } from "../or-aborted.ts";
import type {
  CarrierPolls,
  PollAnswer,
  PolledReceipt,
} from "../ports/channel.ts";
import type { Clock } from "../ports/clock.ts";
import type { ClaimedPoll } from "../ports/delivery-store.ts";
import type { Logger } from "../ports/logger.ts";
import { checkPollAnswer } from "./poll-answer.ts";

export interface CarrierQuestionsPorts {
  /** Those of the channels that have any. */
  readonly sources: readonly CarrierPolls[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Ends what is asked. */
  readonly stopping: AbortSignal;
}

/** Ids to ask about, by the entry that gave them. */
export type Questions = ReadonlyMap<string, readonly string[]>;

/** Why a question was not answered. */
export interface Failure {
  readonly reason: "deferred" | "credentials" | "not_set_up" | "interrupted";
  readonly error: string;
  readonly retryAfterMs?: number;
}

/** What came of a claim's questions. */
export interface Findings {
  /** With the entry that each came through. */
  readonly receipts: readonly (PolledReceipt & { readonly entry: string })[];
  /** Absent: all were answered. */
  readonly failure?: Failure;
}

/** Of one claim; and what is put off at once where nobody can be asked. */
const maxBatchSize = 500;

/** With more ids of a question refused one by one, the question is to blame. */
const maxRefused = 2;

export class CarrierQuestions {
  readonly #ports: CarrierQuestionsPorts;
  readonly #timeoutMs: number;

  /** @param timeoutMs a question without an answer for so long failed */
  constructor(ports: CarrierQuestionsPorts, timeoutMs: number) {
    this.#ports = ports;
    this.#timeoutMs = timeoutMs;
  }

  /** How many deliveries to claim for an entry. */
  batchSizeOf(entry: string): number {
    return this.#find(entry)?.size ?? maxBatchSize;
  }

  /** Never rejects. */
  async ask(questions: Questions): Promise<Findings> {
    const receipts: Findings["receipts"][number][] = [];
    for (const [entry, ids] of questions) {
      const failure = await this.#askEntry(entry, ids, (found) => {
        for (const receipt of found) receipts.push({ ...receipt, entry });
      });
      if (failure !== undefined) return { receipts, failure };
    }
    return { receipts };
  }

  /**
   * Asks in batches; one that is refused is cut in two, so that an id that the
   * carrier does not take costs itself alone. Answers why not all were answered.
   */
  async #askEntry(
    entry: string,
    ids: readonly string[],
    onReceipts: (receipts: readonly PolledReceipt[]) => void,
  ): Promise<Failure | undefined> {
    const source = this.#find(entry);
    if (source === undefined) {
      return { reason: "not_set_up", error: "There is no such provider." };
    }
    const left = toChunks(ids, source.size);
    let refused = 0;
    for (let batch = left.pop(); batch !== undefined; batch = left.pop()) {
      const answer = await this.#askOnce(source.polls, entry, batch);
      if (answer === undefined) {
        return { reason: "interrupted", error: "The service stops." };
      }
      if (answer.outcome === "answered") {
        onReceipts(answer.receipts);
        continue;
      }
      if (answer.outcome !== "refused") {
        return { ...answer, reason: answer.outcome };
      }
      if (batch.length > 1) {
        left.push(...toChunks(batch, Math.ceil(batch.length / 2)));
      } else if (++refused > maxRefused) {
        return { ...answer, reason: "deferred" };
      } else {
        const { error } = answer;
        this.#ports.logger.warn("poll_refused", { provider: entry, error });
      }
    }
    return undefined;
  }

  /** One question; `undefined`: it was given up, for the engine stops. */
  async #askOnce(
    source: CarrierPolls,
    entry: string,
    ids: readonly string[],
  ): Promise<PollAnswer | undefined> {
    const { clock, logger, stopping } = this.#ports;
    if (stopping.aborted) return undefined;
    const timeoutMs = this.#timeoutMs;
    const deadline = new AbortController();
    const signal = AbortSignal.any([deadline.signal, stopping]);
    const timer = clock.setTimer(timeoutMs, () => deadline.abort());
    const asking = async () => await source.ask(entry, ids, signal);
    try {
      const given = await orAborted(asking(), signal);
      const checked = checkPollAnswer(given, new Set(ids));
      const { answer, unasked, malformed } = checked;
      if (unasked + malformed > 0) {
        const counts = { unasked, malformed };
        logger.warn("poll_answer_ignored", { provider: entry, ...counts });
      }
      return answer;
    } catch (error) {
      if (stopping.aborted) return undefined;
      if (!deadline.signal.aborted) {
        logger.error("channel_threw", { provider: entry, error });
      }
      return {
        outcome: "deferred",
        error: deadline.signal.aborted
          ? `There was no answer within ${timeoutMs / 1000} s.`
          : "The channel failed; the log says more.",
      };
    } finally {
      timer.cancel();
    }
  }

  #find(
    entry: string,
  ): { readonly polls: CarrierPolls; readonly size: number } | undefined {
    for (const polls of this.#ports.sources) {
      const size = polls.batchSizeOf(entry);
      if (size === undefined) continue;
      return { polls, size: Math.min(Math.max(1, size), maxBatchSize) };
    }
    return undefined;
  }
}

/**
 * The ids to ask about, each once, by the entry that gave them: normally the one
 * that was claimed for, or an earlier one when the next attempt was not made
 * after all.
 */
export function toQuestions(polls: readonly ClaimedPoll[]): Questions {
  const ids = new Map<string, Set<string>>();
  for (const { parts } of polls) {
    for (const { entry, externalId, state } of parts) {
      if (state !== "sent") continue;
      const known = ids.get(entry);
      if (known) known.add(externalId);
      else ids.set(entry, new Set([externalId]));
    }
  }
  return new Map([...ids].map(([entry, set]) => [entry, [...set]]));
}

function toChunks(ids: readonly string[], size: number): (readonly string[])[] {
  const chunks: (readonly string[])[] = [];
  for (let from = 0; from < ids.length; from += size) {
    chunks.push(ids.slice(from, from + size));
  }
  return chunks;
}
