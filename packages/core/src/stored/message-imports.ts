/**
 * Takes in what another program sent, batch by batch: each is kept once, whoever
 * dies in between.
 *
 * Crash before the commit: nothing is kept, and the import stands where it stood.
 * Crash behind it: the batch is kept with its position, so that its repetition is
 * a conflict, and whoever imports goes on behind it.
 */

import type { DirectIntake } from "../engine/direct-intake.ts";
import { CarillonError } from "../errors.ts";
import type { MessageId, NewId, ProjectId } from "../ids.ts";
import { lastExpiryOf, type MessageLives } from "../messages/default-life.ts";
import type { Clock } from "../ports/clock.ts";
import type {
  ImportedMessage,
  ImportProgress,
  MessageImportStore,
} from "../ports/message-import-store.ts";
import type { Protocols } from "../subscriptions/protocol.ts";
import { isOneLine } from "../text.ts";
import {
  type ImportRecord,
  type ImportTerms,
  importLimits,
  toImportedMessage,
} from "./imported-message.ts";
import type { StoredChannel } from "./stored-message.ts";
import type { StoredMessageActor } from "./stored-messages.ts";
import {
  createStoredRequests,
  type StoredChannelRules,
  type StoredRequests,
} from "./stored-requests.ts";

/** The next part of an import, as whoever imports hands it over. */
export interface ImportBatchRequest {
  readonly channel: StoredChannel;
  /** The position that it follows; absent: it is the first one. */
  readonly after?: string | undefined;
  /** Where the import stands behind it. */
  readonly position: string;
  readonly records: readonly ImportRecord[];
  /** How many more there were that were left out before; default 0. */
  readonly skipped?: number | undefined;
  /** True: all is checked, and nothing kept. */
  readonly isDryRun?: boolean | undefined;
}

/** A record that was left out, and why. */
export interface SkippedRecord {
  readonly id: string;
  readonly reason: string;
}

/** What came of a batch. */
export interface ImportBatchResult {
  /** How many of its records were kept, or would be. */
  readonly imported: number;
  readonly skipped: readonly SkippedRecord[];
  /** Absent: of a dry run nothing is kept. */
  readonly progress?: ImportProgress;
}

export interface MessageImports {
  find(projectId: ProjectId, name: string): Promise<ImportProgress | undefined>;
  /**
   * Keeps those of its records that can be kept, and passes over the others.
   *
   * @throws CarillonError IMPORT_INVALID, IMPORT_POSITION_CONFLICT
   */
  add(
    projectId: ProjectId,
    name: string,
    batch: ImportBatchRequest,
    actor: StoredMessageActor,
  ): Promise<ImportBatchResult>;
}

export interface MessageImportPorts {
  readonly store: MessageImportStore;
  readonly direct: Pick<DirectIntake, "check" | "isBillable" | "onAccepted">;
  readonly protocols: Protocols;
  readonly clock: Pick<Clock, "now" | "nextTurn">;
  readonly newMessageId: NewId<MessageId>;
  readonly lives: MessageLives;
  /** As those of its stored messages. */
  readonly rules?: Readonly<Partial<Record<StoredChannel, StoredChannelRules>>>;
}

/** Records that are checked in one turn of the event loop. */
const checkedPerTurn = 100;

export function createMessageImports({
  store,
  direct,
  protocols,
  clock,
  newMessageId,
  lives,
  rules = {},
}: MessageImportPorts): MessageImports {
  const requestsOf = (channel: StoredChannel) =>
    createStoredRequests({
      channel,
      direct,
      protocols,
      clock,
      rules: rules[channel] ?? {},
    });
  const requests: Readonly<Record<StoredChannel, StoredRequests>> = {
    sms: requestsOf("sms"),
    email: requestsOf("email"),
  };

  function termsOf(
    projectId: ProjectId,
    channel: StoredChannel,
    actor: StoredMessageActor,
  ): ImportTerms {
    const now = clock.now();
    // Where the channel is not set up nothing is taken, as of sends.
    protocols.check(channel);
    return {
      projectId,
      channel,
      actor,
      now,
      newMessageId,
      requests: requests[channel],
      billable: direct.isBillable(channel),
      lifeMs: lastExpiryOf({ createdAt: now }, lives, [channel]) - now,
      maxAttachmentBytes: rules[channel]?.maxAttachmentBytes?.(),
    };
  }

  return {
    find: (projectId, name) =>
      store.findImport(projectId, checkName("name", name)),
    async add(projectId, name, batch, actor) {
      const { records, position, after, isDryRun = false } = batch;
      checkName("name", name);
      checkName("position", position);
      checkRecords(records);
      const terms = termsOf(projectId, batch.channel, actor);
      const messages: ImportedMessage[] = [];
      const skipped: SkippedRecord[] = [];
      for (const [n, record] of records.entries()) {
        if (n % checkedPerTurn === checkedPerTurn - 1) await clock.nextTurn();
        try {
          messages.push(await toImportedMessage(record, terms));
        } catch (error) {
          if (!(error instanceof CarillonError)) throw error;
          skipped.push({ id: record.id, reason: error.message });
        }
      }
      const counted = { imported: messages.length, skipped };
      if (isDryRun) return counted;
      const result = await store.importMessages({
        projectId,
        name,
        position,
        ...(after !== undefined && { after }),
        messages,
        skipped: skipped.length + (batch.skipped ?? 0),
        at: terms.now,
      });
      if (result.kind === "conflict") {
        throw new CarillonError(
          "IMPORT_POSITION_CONFLICT",
          `The import stands at ${result.progress?.position ?? "its beginning"}, and the batch follows ${after ?? "its beginning"}. Nothing was kept: go on behind where it stands.`,
        );
      }
      const due = messages.find(
        ({ delivery }) => delivery.nextAttemptAt !== undefined,
      );
      if (due) direct.onAccepted(due.message);
      return { ...counted, progress: result.progress };
    },
  };
}

function checkRecords(records: readonly unknown[]): void {
  const { messages: most } = importLimits;
  if (records.length <= most) return;
  throw new CarillonError(
    "IMPORT_INVALID",
    `Invalid records: there are ${records.length}, ${most} is the most.`,
  );
}

/** @throws CarillonError IMPORT_INVALID */
function checkName(what: string, value: string): string {
  const { nameLength: most } = importLimits;
  if (value !== "" && value.length <= most && isOneLine(value)) return value;
  throw new CarillonError(
    "IMPORT_INVALID",
    `Invalid ${what}: 1 to ${most} characters on one line are expected.`,
  );
}
