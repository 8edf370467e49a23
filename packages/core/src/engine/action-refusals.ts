/** Why an action on a delivery or a message is refused, in words. */

import { CarillonError } from "../errors.ts";
import type { DeliveryActionRecord } from "../messages/delivery-action.ts";
import { actionStates } from "../messages/delivery-job.ts";
import type {
  DeliveryAction,
  DeliveryState,
} from "../messages/delivery-state.ts";
import type { ActionResult } from "../ports/delivery-action-store.ts";
import type { MessageReport } from "../ports/message-store.ts";
import { reasonNotQueued } from "../pull/dead-letter.ts";

/**
 * States whose deliveries another attempt may be made of. Of `sent` ones a failover
 * may be due; the counts do not tell.
 */
const attemptableStates = [
  "waiting",
  "retrying",
  "sending",
  "sent",
] as const satisfies readonly DeliveryState[];

/** @throws CarillonError MESSAGE_STATE_CONFLICT */
export function checkCancellable({
  cancellation,
  fannedOut,
  counts,
}: MessageReport): void {
  if (cancellation) {
    const { userName, at } = cancellation;
    throw new CarillonError(
      "MESSAGE_STATE_CONFLICT",
      `The message was cancelled by ${userName} at ${new Date(at).toISOString()}.`,
    );
  }
  if (!fannedOut || attemptableStates.some((it) => counts[it])) return;
  throw new CarillonError(
    "MESSAGE_STATE_CONFLICT",
    "There is nothing to cancel: the message is fanned out, and none of its deliveries is waiting, retrying, sending or sent.",
  );
}

/** The error of an action that a store refused. */
export function refusalOf(
  action: DeliveryAction,
  result: ActionResult & { readonly refused: string },
): CarillonError {
  const { state, refused, mailbox, lastAction } = result;
  switch (refused) {
    case "unwanted":
      return new CarillonError(
        "DELIVERY_UNWANTED",
        "The recipient is not to get it any more: it unsubscribed, the topic was deleted, the message was cancelled, or an earlier round of the notify policy delivered the message. Nothing was changed.",
      );
    case "expired":
      return new CarillonError(
        "DELIVERY_EXPIRED",
        "The delivery's life is over: give timeToLiveSeconds, a new life from now on. Nothing was changed.",
      );
    case "not_queued":
      return new CarillonError(
        "DELIVERY_NOT_QUEUED",
        `${reasonNotQueued(mailbox)} ${mailbox?.disabled ? "Enable the pull subscriber first." : "Have messages in it confirmed, or give the pull subscriber a larger quota."} Nothing was changed.`,
      );
    default:
      return new CarillonError(
        "DELIVERY_STATE_CONFLICT",
        `${whyNot(action, state)}${lastAction ? ` ${historyText(lastAction)}` : ""} Nothing was changed.`,
      );
  }
}

/** Without a full stop: what an action cannot be done to, and what it can. */
export function cannotBe(action: DeliveryAction, state: DeliveryState): string {
  const done = doneWords[action];
  const states = actionStates(action);
  const last = states.at(-1);
  const list =
    states.length > 1
      ? `${states.slice(0, -1).join(", ")} and ${last}`
      : (last ?? "none");
  return `a delivery that is ${state} cannot be ${done}; only ${list} can`;
}

const doneWords = {
  resend: "sent again",
  cancel: "cancelled",
  settle_resend: "settled",
  settle_failed: "settled",
  settle_delivered: "settled",
} as const satisfies Record<DeliveryAction, string>;

function whyNot(action: DeliveryAction, state: DeliveryState): string {
  if (state === "sending") {
    return "An attempt is under way and cannot be taken back: the delivery is sending.";
  }
  if (state === "retrying" && actionStates(action).includes(state)) {
    return "The delivery is retrying, and its next attempt is due already.";
  }
  return `A${cannotBe(action, state).slice(1)}.`;
}

function historyText({ action, userName, at }: DeliveryActionRecord): string {
  return `The last action on it was ${action} by ${userName} at ${new Date(at).toISOString()}.`;
}
