import type { ProjectId } from "../ids.ts";
import type { IdempotencyKey } from "../messages/idempotency-key.ts";
import type { NewMessage } from "../messages/message.ts";
import type { EpochMs } from "../time.ts";
import type {
  AcceptedMessage,
  DirectRecipient,
  RangeLease,
} from "./delivery-store.ts";

/** Who gets a message that is kept with a key. */
export type AcceptedAudience =
  /** The subscribers of its topic, or of its topics. */
  | { readonly kind: "topics"; readonly lease: RangeLease | undefined }
  | {
      readonly kind: "direct";
      readonly recipients: readonly DirectRecipient[];
    };

/** The message that was kept, or the request that it repeats. */
export type AcceptedOnce =
  | (AcceptedMessage & { readonly isRepeated: false })
  | { readonly isRepeated: true; readonly earlier: IdempotencyKey };

/** Requests that must not be carried out twice. */
export interface IdempotencyStore {
  /** A key that holds at `now`; `undefined` once it has ended. */
  findIdempotencyKey(
    projectId: ProjectId,
    key: string,
    now: EpochMs,
  ): Promise<IdempotencyKey | undefined>;
  /**
   * Keeps a message and its key, both or neither, in one transaction. If the
   * key holds already, at the message's `createdAt`, nothing is kept: of
   * requests with one key, on whichever node, one keeps its message and all
   * others answer its key. A few keys that have ended are removed with it.
   *
   * @throws CarillonError STORAGE_FULL, STORAGE_UNAVAILABLE, STORAGE_REFUSED;
   * then nothing was kept, and the key is free
   */
  acceptOnce(
    key: IdempotencyKey,
    message: NewMessage,
    audience: AcceptedAudience,
  ): Promise<AcceptedOnce>;
  /** Removes keys that have ended by `now`, `limit` at most; answers how many. */
  removeEndedKeys(now: EpochMs, limit: number): Promise<number>;
}
