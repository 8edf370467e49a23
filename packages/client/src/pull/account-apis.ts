/** The two ways by which an account talks to a service. */

import { type Api, createApi } from "../api.ts";
import {
  type AccountOptions,
  createAccountAuthenticator,
  toAccount,
} from "../auth/account.ts";
import type { ConnectionSettings } from "../connection.ts";
import { createRetryPolicy } from "../retry.ts";
import { createStreamTransport } from "../stream-transport.ts";
import { createTransport } from "../transport.ts";
import { createNotipy, type Notipy } from "./notipy.ts";

/** An account, and how its requests are made. */
export interface AccountSettings extends AccountOptions, ConnectionSettings {}

export interface AccountApis {
  readonly notipy: Notipy;
  /** Carillon's own. */
  readonly api: Api;
  readonly streams: Api<Response>;
}

/** @throws InvalidOptionsError */
export function createAccountApis(settings: AccountSettings): AccountApis {
  const { fetch, timeoutMs, retry } = settings;
  const account = toAccount(settings);
  const authenticator = createAccountAuthenticator(account);
  const retryPolicy = createRetryPolicy(retry);
  return {
    notipy: createNotipy(account, { fetch, timeoutMs }),
    api: createApi(
      authenticator,
      createTransport({ fetch, timeoutMs, retryPolicy }),
      ({ projectUrl }) => `${projectUrl}/api/v2`,
    ),
    streams: createApi(
      authenticator,
      createStreamTransport({ fetch, timeoutMs }),
      ({ projectUrl }) => `${projectUrl}/api/v2`,
    ),
  };
}
