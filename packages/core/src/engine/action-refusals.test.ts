import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type DeliveryState,
  deliveryStates,
} from "../messages/delivery-state.ts";
import type { Message } from "../messages/message.ts";
import type { MessageReport } from "../ports/message-store.ts";
import { toEpochMs } from "../time.ts";
import { checkCancellable } from "./action-refusals.ts";

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
