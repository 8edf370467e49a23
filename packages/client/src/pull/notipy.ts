/** Requests of the Notipy protocol: one path, and the status says it all. */

import type { Account } from "../auth/account.ts";
import type { ConnectionSettings } from "../connection.ts";
import {
  type AccountErrorOptions,
  InvalidCredentialsError,
  SmnError,
} from "../errors.ts";
import { fetchText } from "../fetch-text.ts";
import type { RequestOptions } from "../transport.ts";

export interface NotipyRequest {
  readonly method: "GET" | "POST" | "PUT";
  readonly body?: object | undefined;
  readonly isSuccess: (status: number) => boolean;
  /** Makes the error of anything else but wrong credentials. */
  readonly toError: (message: string, options: AccountErrorOptions) => Error;
}

/**
 * Resolves with the text of a successful answer. Nothing is sent twice: to a
 * service of this protocol a second GET may be a confirmation.
 *
 * @throws InvalidCredentialsError, what `toError` makes, or the signal's reason
 */
export type Notipy = (
  request: NotipyRequest,
  options?: RequestOptions,
) => Promise<string>;

export function createNotipy(
  { serviceUrl, authorization }: Account,
  {
    fetch,
    timeoutMs: defaultMs = 30_000,
  }: Pick<ConnectionSettings, "fetch" | "timeoutMs">,
): Notipy {
  const url = `${serviceUrl}/api/v1/notification`;
  return async (
    { method, body, isSuccess, toError },
    { signal, timeoutMs = defaultMs } = {},
  ) => {
    const target = `${method} ${url}`;
    const init = {
      method,
      headers: {
        accept: "application/json",
        authorization,
        ...(body && { "content-type": "application/json" }),
      },
      body: body ? JSON.stringify(body) : null,
      // A redirect would carry the secret to whatever host it names.
      redirect: "manual",
    } as const;
    signal?.throwIfAborted();
    const answer = await fetchText(url, init, {
      fetch,
      timeoutMs,
      signal,
      target,
    }).catch((cause: unknown) => {
      if (!(cause instanceof SmnError)) throw cause;
      throw toError(cause.message, { cause });
    });
    const { status } = answer.response;
    if (isSuccess(status)) return answer.text;
    const { text } = answer;
    if (status === 404) {
      throw new InvalidCredentialsError(
        `${target} was answered with 404: no account has this id and secret, or it is not one for this`,
        { status, text },
      );
    }
    // Such as a proxy's page.
    const excerpt = text.length > 200 ? `${text.slice(0, 200)}…` : text;
    throw toError(
      status === 0
        ? `${target} was answered with a redirect`
        : `${target} was answered with ${status}${excerpt && `: ${excerpt}`}`,
      { status, text },
    );
  };
}
