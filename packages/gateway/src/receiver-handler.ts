/**
 * Finds the receiver and route for a request below the prefix, runs it, and
 * turns what goes wrong into the status a carrier should see: only what can
 * succeed later is a 5xx, for that is what carriers repeat.
 */

import {
  type AddressMatcher,
  createAddressMatcher,
} from "./address-matcher.ts";
import { describeValue } from "./describe-value.ts";
import { ConfigurationError } from "./errors.ts";
import {
  ForbiddenRequestError,
  type Receiver,
  ReceiverError,
  type ReceiverRequest,
  type ReceiverResponse,
  type ReceiverRoute,
  textResponse,
} from "./receiver.ts";

/** Where receivers are mounted, and who may call them. */
export interface ReceiverHandlerOptions {
  /** Slashes at its ends do not matter. Default: none. */
  readonly prefix?: string;
  /** Larger requests get 413. Default 1 MiB. */
  readonly maxBodyBytes?: number;
  /**
   * Addresses and CIDR blocks that may call; all by default. Needs an adapter
   * that knows the remote address.
   */
  readonly allowFrom?: readonly string[];
  /** Is called for what is answered with 5xx, and for `error` of a response. */
  readonly onError?: (error: unknown, request: ReceiverRequest) => void;
}

/** Handles the requests of all carriers; never rejects. */
export interface ReceiverHandler {
  (request: ReceiverRequest): Promise<ReceiverResponse>;
  /**
   * Whether a URL or path lies below a receiver, so that others can go on; a
   * path as in `ReceiverRequest.path`.
   */
  matches(url: string): boolean;
  /** Where receivers are mounted, as `/a/b`; empty for the root. */
  readonly prefix: string;
  /** Larger bodies are refused; adapters stop reading there. */
  readonly maxBodyBytes: number;
}

const DEFAULT_MAX_BODY_BYTES: number = 1024 * 1024;

/** Throws `ConfigurationError` for anything else, such as a gateway. */
export function checkHandler(handler: ReceiverHandler): ReceiverHandler {
  if (typeof handler === "function" && "matches" in handler) return handler;
  throw new ConfigurationError(
    `An adapter takes gateway.receiverHandler(), got ${describeValue(handler)}`,
  );
}

/**
 * `find` answers null for names without a receiver. Throws `ConfigurationError`
 * for options of another type.
 */
export function createReceiverHandler(
  find: (providerName: string) => Receiver | null,
  options: ReceiverHandlerOptions = {},
): ReceiverHandler {
  const { prefix: given = "", allowFrom } = options;
  if (typeof given !== "string") {
    throw new ConfigurationError(
      `The prefix must be a string, got ${describeValue(given)}`,
    );
  }
  if (allowFrom !== undefined && !Array.isArray(allowFrom)) {
    throw new ConfigurationError(
      `allowFrom must be a list, got ${describeValue(allowFrom)}`,
    );
  }
  const prefix = normalizePrefix(given);
  const maxBodyBytes = options.maxBodyBytes ?? DEFAULT_MAX_BODY_BYTES;
  const allowed: AddressMatcher | undefined =
    allowFrom && createAddressMatcher(allowFrom);

  const findTarget = (url: string): Target | undefined => {
    const place = parsePath(pathOf(url), prefix);
    const receiver = place && find(place.provider);
    const routes = receiver?.routes.filter((r) => r.path === place?.path);
    return receiver && routes?.length ? { receiver, routes } : undefined;
  };

  const handle = async (
    request: ReceiverRequest,
  ): Promise<ReceiverResponse> => {
    const target = findTarget(request.path ?? request.url);
    if (target === undefined) return textResponse(404, "Not found\n");
    const { receiver, routes } = target;
    try {
      if (allowed && !allowed(request.remoteAddress)) {
        throw new ForbiddenRequestError("Calls from this address are refused");
      }
      const route = routes.find((r) => r.methods.includes(request.method));
      if (!route) {
        throw new ReceiverError(405, "The method is not allowed", {
          headers: { allow: routes.flatMap((r) => r.methods).join(", ") },
        });
      }
      const { rawBody, bodyTooLarge = false } = request;
      if (bodyTooLarge || rawBody.byteLength > maxBodyBytes) {
        throw new ReceiverError(413, "The request is too large");
      }
      const response = await route.handle(request);
      if (response.error !== undefined) {
        options.onError?.(response.error, request);
      }
      return response;
    } catch (error) {
      return answerError(error, receiver, request, options);
    }
  };
  return Object.assign(handle, {
    matches: (url: string) => findTarget(url) !== undefined,
    prefix,
    maxBodyBytes,
  });
}

interface Target {
  readonly receiver: Receiver;
  readonly routes: readonly ReceiverRoute[];
}

/** `a/b/` and `/a/b` become `/a/b`; `/` becomes the empty string. */
function normalizePrefix(prefix: string): string {
  const inner = prefix.replace(/^\/+|\/+$/g, "");
  return inner === "" ? "" : `/${inner}`;
}

function answerError(
  error: unknown,
  receiver: Receiver,
  request: ReceiverRequest,
  options: ReceiverHandlerOptions,
): ReceiverResponse {
  const status = error instanceof ReceiverError ? error.status : 500;
  if (status >= 500) options.onError?.(error, request);
  if (receiver.renderError !== undefined) {
    const response = receiver.renderError(error, status);
    if (!(error instanceof ReceiverError)) return response;
    return { ...response, headers: { ...error.headers, ...response.headers } };
  }
  return error instanceof ReceiverError
    ? textResponse(status, `${error.message}\n`, error.headers)
    : textResponse(status, "The message could not be processed\n");
}

function pathOf(url: string): string {
  const path = url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, "");
  return path.replace(/[?#].*$/s, "");
}

function parsePath(
  path: string,
  prefix: string,
): { provider: string; path: string } | undefined {
  if (!path.startsWith(`${prefix}/`)) return undefined;
  const rest = path.slice(prefix.length + 1);
  const slash = rest.indexOf("/");
  if (slash <= 0) return undefined;
  try {
    const provider = decodeURIComponent(rest.slice(0, slash));
    return { provider, path: rest.slice(slash) };
  } catch {
    // A broken escape names no provider.
    return undefined;
  }
}
