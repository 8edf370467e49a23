/** What happens when a resource that is asked for is not there. */

import {
  BadRequestError,
  ResourceNotFoundError,
  type SmnError,
} from "../errors.ts";
import type { RequestOptions } from "../transport.ts";

/** What deleting does when nothing is there. */
export interface DeleteOptions extends RequestOptions {
  /**
   * Default true: what is already gone counts as deleted. False: deleting it
   * rejects with ResourceNotFoundError.
   */
  readonly ignoreMissing?: boolean | undefined;
}

/** What finding does when nothing is there. */
export interface FindOptions extends RequestOptions {
  /**
   * Default false: finding nothing rejects with ResourceNotFoundError. True:
   * it resolves with `undefined`.
   */
  readonly ignoreMissing?: boolean | undefined;
}

/** Waits for a deletion. */
export async function deleted(
  request: Promise<unknown>,
  { ignoreMissing = true }: DeleteOptions,
): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (ignoreMissing && error instanceof ResourceNotFoundError) return;
    throw error;
  }
}

/** What the request gives, or `undefined` if there is no such resource. */
export async function foundOrNot<T>(
  request: Promise<T>,
): Promise<T | undefined> {
  try {
    return await request;
  } catch (error) {
    if (isNoSuchResource(error)) return undefined;
    throw error;
  }
}

/**
 * A 400 says that what was looked for is not even formed like an id. Another
 * server or a proxy gives no code, and an older Carillon says that it lacks the
 * route: neither knows whether the resource is there.
 */
function isNoSuchResource(error: unknown): error is SmnError {
  const isRefused =
    error instanceof ResourceNotFoundError || error instanceof BadRequestError;
  return (
    isRefused &&
    error.smnCode !== undefined &&
    error.smnCode !== "ROUTE_NOT_FOUND"
  );
}

export function notFound(what: string, nameOrId: string): Error {
  return new ResourceNotFoundError(`There is no ${what} "${nameOrId}".`, {
    status: 404,
  });
}
