/**
 * A backend: an application's own way to send texts, written as an object with a few
 * methods. The gateway makes a provider of it, so that routes, pauses, health,
 * receipts and the ledger work with it as with a carrier of ours.
 */

import type { TextLimits } from "../encoding/text-limits.ts";
import type { HttpClient } from "../http.ts";
import type { RecordedObject } from "../message-record.ts";

/** A text as backends and routers see it. Theirs to keep, and to change. */
export interface BackendMessage {
  /**
   * Of the record in the application; the same for each attempt, so that a service
   * which refuses repetitions can be given it.
   */
  readonly id: string;
  /** The recipient, such as `+420777123456`. */
  readonly to: string;
  readonly text: string;
  /** The message's own, else that of the policy's rule, else the backend's. */
  readonly sender?: string;
  /** 1 is the highest, 3 where none was given. */
  readonly priority: number;
  readonly tag?: string;
  /** Empty where none was given. */
  readonly extraData: Readonly<Record<string, unknown>>;
  readonly relatedObjects: readonly RecordedObject[];
  /** Kind of traffic, such as `otp`. */
  readonly class?: string;
  /** How long the service may try, in minutes. */
  readonly validityMinutes?: number;
  /** Raw parameters that the sender gave for whoever sends it. */
  readonly params: Readonly<Record<string, unknown>>;
  /** What `chooseId` answered for this attempt. */
  readonly chosenId?: string;
}

/** What is known of a text once a backend had it. */
export const backendStates = [
  "sending",
  "sent",
  "delivered",
  "debug",
  "unknown",
  "rejected",
] as const;

/**
 * - `sending`: the service has it, and its state will be reported;
 * - `sent`: the service has it, and says no more;
 * - `delivered`: it is on the phone;
 * - `debug`: nothing was sent;
 * - `unknown`: it may have gone out; it is not sent again;
 * - `rejected`: the service refused it, and would again.
 */
export type BackendState = (typeof backendStates)[number];

/** What came of one text. */
export interface BackendResult {
  /** The service's id of it, which `checkStates` is asked by. */
  readonly externalId?: string | number;
  /** Default: `sending` where the backend has `checkStates`, else `sent`. */
  readonly state?: BackendState;
  /**
   * Kept with the text, merged into what is there: a flat object. `code` is kept
   * as `sender_state`.
   */
  readonly senderData?: Readonly<Record<string, unknown>>;
  /**
   * Why it was not sent: a sentence for a text that was `rejected`, or an error of
   * the classes that can be thrown.
   */
  readonly error?: string | Error;
  /** The service's own code of a refusal. */
  readonly code?: string | number;
}

/** A text that `checkStates` is asked about. */
export interface SentMessage {
  readonly externalId: string;
}

/** What became of texts that a service had taken. */
export const checkedStates = [
  "sending",
  "sent",
  "delivered",
  "expired",
  "failed",
] as const;

/** `sending` and `sent` are asked about again; the others are final. */
export type CheckedState = (typeof checkedStates)[number];

/** What a service says of one text. */
export interface BackendStatus {
  readonly externalId: string | number;
  readonly state: CheckedState;
  readonly code?: string | number;
  /** The service's own words. */
  readonly text?: string;
}

/** What a backend may use while it works. */
export interface BackendContext {
  /** Aborted when nobody waits any more: at the deadline, and at the end. */
  readonly signal: AbortSignal;
  /** Checks where requests lead, and says of errors whether something was sent. */
  readonly http: HttpClient;
}

type MaybePromise<Value> = Value | Promise<Value>;

// biome-ignore lint/suspicious/noConfusingVoidType: a method may return nothing
type MaybeResult = BackendResult | undefined | void;

/**
 * An application's own way to send texts.
 *
 * What it throws decides what follows. `ServerError`, `LimitsError` and
 * `ProviderConnectionError` without `outcomeUnknown`: it is tried again.
 * `AuthError`, `CreditError`, `RequestError`, `UnsupportedError` and
 * `MessageSendError`: it is not. Any other error leaves open whether the text went
 * out: it is `unknown`, and not sent again, for that could cost twice.
 */
export interface Backend {
  /** Sends one text. Nothing in place of a result: the service has it. */
  publishMessage(
    message: BackendMessage,
    context: BackendContext,
  ): MaybePromise<MaybeResult>;
  /**
   * Sends several in one request, which are sent at the same time; answers a result
   * or an error for each, in their order. What it throws is the error of each, and
   * none of them is sent again for a `RequestError`: some may have gone out.
   * Absent: one by one.
   */
  publishMessages?(
    messages: readonly BackendMessage[],
    context: BackendContext,
  ): MaybePromise<readonly (BackendResult | Error | undefined)[]>;
  /**
   * Asks what became of texts. Leaves out those that the service does not know; they
   * are asked about again, ever more seldom.
   */
  checkStates?(
    messages: readonly SentMessage[],
    context: BackendContext,
  ): MaybePromise<readonly BackendStatus[]>;
  /** What texts get that bring none of their own. Asked for each text. */
  getExtraMessageData?(): { readonly sender?: string };
  /** What is kept with a text besides what its result says. No secrets. */
  getExtraSenderData?(
    message: BackendMessage,
  ): Readonly<Record<string, unknown>>;
  /**
   * A fresh id for one text, for services that take ids of ours: it is written down
   * before the text is sent, and asked about even after a crash. Where it answers
   * none, the text is not sent.
   */
  chooseId?(): string;
  /** What a code of the service means, as a sentence. */
  describeCode?(code: string | number): string | undefined;
  /** Opens connections. Texts wait for it. */
  start?(context: { readonly signal?: AbortSignal | undefined }): unknown;
  /** Closes them; may be called more than once. */
  stop?(): unknown;
  /** Texts that `publishMessages` is given at most. Default 100. */
  readonly maxBatchSize?: number;
  /** From the acceptance to the first `checkStates`. Default 30,000. */
  readonly checkAfterMs?: number;
  /** Texts that `checkStates` is given at most. Default 100. */
  readonly maxCheckSize?: number;
  /** For one call. Default: as the gateway says, 20,000. */
  readonly timeoutMs?: number;
  /** What is checked before it gets a text; null: nothing. Default: ten segments. */
  readonly textLimits?: TextLimits | null;
  /** False: nothing leaves for phones, and no guard looks at it. Default true. */
  readonly reachesPhones?: boolean;
  /** What no error may show. */
  readonly secrets?: readonly string[];
}
