/** Keeps messages that another program sent, and how far an import has got. */

import type { ProjectId } from "../ids.ts";
import type { Attachment } from "../messages/attachment.ts";
import type { Attempt } from "../messages/delivery.ts";
import type { DeliveryActionRecord } from "../messages/delivery-action.ts";
import type { PartState } from "../messages/delivery-part.ts";
import type { DeliveryState } from "../messages/delivery-state.ts";
import type { ExtraData, NewMessage } from "../messages/message.ts";
import type { StoredRelatedObject } from "../stored/stored-message.ts";
import type { EpochMs } from "../time.ts";
import type { DirectRecipient } from "./delivery-store.ts";

/** A delivery as the other program left it. */
export interface ImportedDelivery {
  readonly state: DeliveryState;
  /** How many attempts were made; of them at most the last one is known. */
  readonly attempts: number;
  readonly lastAttempt?: Attempt;
  readonly provider?: string;
  /** Of the last attempt; it needs `provider`. */
  readonly part?: { readonly externalId: string; readonly state: PartState };
  readonly senderData?: ExtraData;
  /** How it came to its state here. */
  readonly action?: Omit<DeliveryActionRecord, "jobId">;
  /** Only of what is still to be sent: when. */
  readonly nextAttemptAt?: EpochMs;
  /** Until when it may be sent, now or by an operator. Absent: as its message. */
  readonly expiresAt?: EpochMs;
}

/** A stored message to one recipient, with all that became of it. */
export interface ImportedMessage {
  /** Without related objects. */
  readonly message: Omit<NewMessage, "relatedObjects">;
  readonly recipient: DirectRecipient;
  readonly delivery: ImportedDelivery;
  /** Each once. */
  readonly relatedObjects: readonly StoredRelatedObject[];
  readonly attachments: readonly Attachment[];
}

/** The next part of an import. */
export interface ImportBatch {
  readonly projectId: ProjectId;
  /** Of the import; names the source, and what of it is imported. */
  readonly name: string;
  /** The position that it follows; absent: it is the first one. */
  readonly after?: string;
  /** Where the import stands once it is kept. */
  readonly position: string;
  readonly messages: readonly ImportedMessage[];
  /** How many more there were that could not be imported. */
  readonly skipped: number;
  readonly at: EpochMs;
}

/** How far an import has got. */
export interface ImportProgress {
  /** As the last batch gave it. */
  readonly position: string;
  /** Of all batches. */
  readonly imported: number;
  readonly skipped: number;
  readonly startedAt: EpochMs;
  readonly changedAt: EpochMs;
}

/** `conflict`: it does not stand where the batch follows; nothing was kept. */
export type ImportResult =
  | { readonly kind: "kept"; readonly progress: ImportProgress }
  | {
      readonly kind: "conflict";
      readonly progress: ImportProgress | undefined;
    };

/** Keeps imports. */
export interface MessageImportStore {
  findImport(
    projectId: ProjectId,
    name: string,
  ): Promise<ImportProgress | undefined>;
  /**
   * Keeps the messages and the new position in one transaction, or nothing: a
   * batch that is handed over twice is a conflict the second time. They stand in
   * lists where their acceptance is now, with the `createdAt` that they have; only
   * those with `nextAttemptAt` become due. Nothing is told of them: the change
   * feed and statistics are of what happens here.
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE, STORAGE_REFUSED;
   * then nothing was kept
   */
  importMessages(batch: ImportBatch): Promise<ImportResult>;
}
