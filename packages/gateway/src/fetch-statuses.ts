/** One question to a provider: it ends with an answer, at the deadline or by an abort. */

import type { Clock } from "./clock.ts";
import { describeValue } from "./describe-value.ts";
import {
  ConfigurationError,
  ProviderConnectionError,
  ProviderError,
} from "./errors.ts";
import { MessageStatus } from "./message-status.ts";
import type { Provider } from "./provider.ts";
import { redactError, secretsOf } from "./redact-error.ts";
import { untilAborted } from "./until-aborted.ts";

export interface FetchOptions {
  readonly clock: Pick<Clock, "setTimer">;
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/**
 * Rejects with `ConfigurationError` if the provider cannot be asked, with its
 * error, with the caller's reason for an abort, or at the deadline with
 * `ProviderConnectionError`, even if the provider goes on.
 */
export async function fetchStatuses(
  provider: Provider,
  msgids: readonly string[],
  { clock, timeoutMs, signal }: FetchOptions,
): Promise<readonly MessageStatus[]> {
  const { name } = provider;
  if (provider.fetchStatuses === undefined) {
    throw new ConfigurationError(`"${name}" cannot be asked for states`);
  }
  signal?.throwIfAborted();
  const deadline = new AbortController();
  const timer = clock.setTimer(timeoutMs, () =>
    deadline.abort(
      new ProviderConnectionError(
        `The provider "${name}" did not answer within ${timeoutMs} ms`,
        { provider: name, code: "TIMEOUT" },
      ),
    ),
  );
  const ended = signal
    ? AbortSignal.any([signal, deadline.signal])
    : deadline.signal;
  try {
    const asked = provider.fetchStatuses(msgids, { signal: ended });
    return checkStatuses(await untilAborted(asked, ended), name);
  } catch (error) {
    if (error instanceof ProviderError) error.provider ??= name;
    redactError(error, secretsOf(provider));
    throw error;
  } finally {
    timer.cancel();
  }
}

function checkStatuses(given: unknown, name: string): readonly MessageStatus[] {
  const isList =
    Array.isArray(given) && given.every((it) => it instanceof MessageStatus);
  if (!isList) {
    throw new ProviderError(
      `The provider "${name}" must return statuses, got ${describeValue(given)}`,
      { provider: name, code: "NO_STATUSES", retryable: true },
    );
  }
  for (const status of given) {
    status.provider = name;
    status.entry = name;
  }
  return given;
}
