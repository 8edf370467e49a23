/** The port to a way of proving who is calling. */

import type { RequestOptions } from "../transport.ts";

/** What is known about a request before its credentials are added. */
export interface UnsignedRequest {
  readonly method: string;
  readonly url: string;
  /** Empty when there is none. */
  readonly body: string;
}

/** Credentials that hold for now, and the place they are good for. */
export interface Session {
  /** URL of SMN with version and project, without a slash at its end. */
  readonly projectUrl: string;
  headers(request: UnsignedRequest): Promise<Readonly<Record<string, string>>>;
}

export interface Authenticator {
  session(options: RequestOptions): Promise<Session>;
  /**
   * Answers the session to use in place of one that got a 401, or `undefined`
   * if there is nothing new to try.
   */
  renew(
    refused: Session,
    options: RequestOptions,
  ): Promise<Session | undefined>;
}
