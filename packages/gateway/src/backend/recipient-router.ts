/**
 * A router by recipient: an application's own choice of a provider, asked for each
 * text that names none, at each attempt.
 */

import type { Clock } from "../clock.ts";
import { describeValue } from "../describe-value.ts";
import { ProviderError } from "../errors.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import type { BackendMessage } from "./backend.ts";
import { toBackendMessage } from "./backend-message.ts";

/**
 * Answers the name of a provider, or nothing: then the text goes as it would without
 * a router. It has a second.
 */
export type RecipientRouter = (
  recipient: string,
  message: BackendMessage,
) => RoutedName | Promise<RoutedName>;

// biome-ignore lint/suspicious/noConfusingVoidType: a router may return nothing
type RoutedName = string | null | undefined | void;

/**
 * A router failed, kept silent, or answered what is no name. Nothing was sent.
 * `retryable`: it may answer later.
 */
export class RouterError extends ProviderError {
  static {
    RouterError.prototype.name = "RouterError";
  }
}

/** In milliseconds. */
export const routerTimeoutMs = 1000;

export interface AskRouterPorts {
  readonly clock: Pick<Clock, "setTimer">;
  readonly newId: () => string;
}

/**
 * `undefined`: it leaves the choice to others.
 *
 * @throws RouterError
 */
export async function askRouter(
  router: RecipientRouter,
  message: OutgoingMessage,
  { clock, newId }: AskRouterPorts,
): Promise<string | undefined> {
  const given = toBackendMessage(message, { id: newId() });
  let answer: unknown;
  try {
    answer = router(given.to, given);
    if (isPromise(answer)) answer = await inTime(answer, clock);
  } catch (cause) {
    if (cause instanceof RouterError) throw cause;
    throw new RouterError("The router failed", {
      code: "ROUTER_FAILED",
      retryable: true,
      cause,
    });
  }
  if (answer === undefined || answer === null || answer === "") {
    return undefined;
  }
  if (typeof answer === "string") return answer;
  throw new RouterError(
    `The router must answer the name of a provider, got ${describeValue(answer)}`,
    { code: "ROUTER_INVALID" },
  );
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" &&
    value !== null &&
    "then" in value &&
    typeof value.then === "function"
  );
}

/** @throws RouterError at the deadline */
async function inTime(
  answer: Promise<unknown>,
  clock: Pick<Clock, "setTimer">,
): Promise<unknown> {
  const late = Promise.withResolvers<never>();
  const timer = clock.setTimer(routerTimeoutMs, () =>
    late.reject(
      new RouterError(
        `The router did not answer within ${routerTimeoutMs / 1000} s`,
        { code: "ROUTER_TIMEOUT", retryable: true },
      ),
    ),
  );
  try {
    return await Promise.race([answer, late.promise]);
  } finally {
    timer.cancel();
  }
}
