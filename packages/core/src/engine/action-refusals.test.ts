import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type DeliveryState,
  deliveryStates,
} from "../messages/delivery-state.ts";
import type { Message } from "../messages/message.ts";
import type { MessageReport } from "../ports/message-store.ts";
import type { MailboxRoom } from "../pull/mailbox.ts";
import { toEpochMs } from "../time.ts";
import { checkCancellable, refusalOf } from "./action-refusals.ts";

function report(rest: Partial<MessageReport>): MessageReport {
  // Nothing of the message is looked at.
  return { message: {} as Message, fannedOut: true, counts: {}, ...rest };
}

test("a message can be cancelled while another attempt may be made", () => {
  const refused = deliveryStates.filter((state: DeliveryState) => {
    try {
      checkCancellable(report({ counts: { [state]: 1, delivered: 1 } }));
      return false;
    } catch {
      return true;
    }
  });
  assert.deepEqual(
    deliveryStates.filter((it) => !refused.includes(it)),
    ["waiting", "sending", "retrying", "sent"],
  );
  assert.doesNotThrow(() => checkCancellable(report({ fannedOut: false })));
  assert.throws(() => checkCancellable(report({})), {
    code: "MESSAGE_STATE_CONFLICT",
    message: /nothing to cancel/,
  });
});

test("a message is cancelled once; the refusal says by whom and when", () => {
  const cancellation = {
    at: toEpochMs(0),
    userId: "u1",
    userName: "ada",
    jobId: "j1",
  };
  assert.throws(
    () => checkCancellable(report({ cancellation, fannedOut: false })),
    { message: /cancelled by ada at 1970-01-01T00:00:00.000Z/ },
  );
});

test("says why a mailbox did not take what was resent, and what to do", () => {
  const refuse = (mailbox: MailboxRoom) =>
    refusalOf("resend", { state: "failed", refused: "not_queued", mailbox });
  const full = refuse({ quota: 3, depth: 3 });
  assert.equal(full.code, "DELIVERY_NOT_QUEUED");
  assert.match(
    full.message,
    /3 messages are in it .* quota is 3.*larger quota/,
  );
  const disabled = refuse({ quota: 3, depth: 0, disabled: true });
  assert.match(disabled.message, /disabled\. Enable the pull subscriber/);
});
