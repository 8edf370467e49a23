/**
 * What the receivers of both ends have in common: who may call, how a body is
 * read, and how answers and errors are written.
 */

import { checkBasicAuthorization } from "../../basic-auth.ts";
import { ProviderError } from "../../errors.ts";
import type { ProviderHost } from "../../provider.ts";
import {
  MalformedRequestError,
  type Receiver,
  type ReceiverRequest,
  type ReceiverResponse,
  type ReceiverRoute,
} from "../../receiver.ts";
import type { ForwardPeerConfig } from "./config.ts";
import { decode, encode } from "./jsonex.ts";
import { SIGNATURE_HEADER, type SignatureVerifier } from "./signature.ts";
import { noteVia, VIA_HEADER } from "./via.ts";
import { OUTCOME_HEADER } from "./wire-errors.ts";
import { isRecord, JsonExError } from "./wire-values.ts";

export interface ForwardRouteOptions<T extends object> {
  readonly path: "/im" | "/status";
  readonly key: "message" | "status";
  readonly host: ProviderHost;
  readonly auth: ForwardPeerConfig["auth"];
  /** Demands a signature of every request. */
  readonly verifier: SignatureVerifier | undefined;
  /** Undefined if the value is not of the expected class. */
  accept(value: unknown): T | undefined;
  /** The result is sent back under the same key. */
  process(object: T): Promise<object>;
}

export function forwardRoute<T extends object>(
  options: ForwardRouteOptions<T>,
): ReceiverRoute {
  const { path, key, host } = options;
  return {
    methods: ["POST"],
    path,
    async handle(request) {
      await authenticate(request, options);
      const object = options.accept(readField(request, key));
      if (object === undefined) {
        throw new MalformedRequestError(`"${key}" is not of a known class`);
      }
      noteVia(object, request.headers[VIA_HEADER], host.id);
      return jsonResponse(200, { [key]: await options.process(object) });
    },
  };
}

/** Errors go back as errors, so that the other side can raise them. */
export const renderForwardError: Required<Receiver>["renderError"] = (
  error,
  status,
) => {
  const reported = error instanceof Error ? error : new Error(String(error));
  const isUnknown = error instanceof ProviderError && error.outcomeUnknown;
  const outcome = isUnknown ? { [OUTCOME_HEADER]: "unknown" } : {};
  return jsonResponse(status, { error: reported }, outcome);
};

async function authenticate(
  request: ReceiverRequest,
  {
    auth,
    verifier,
    host,
  }: Pick<ForwardRouteOptions<object>, "auth" | "verifier" | "host">,
): Promise<void> {
  const { method, url, headers } = request;
  if (auth) checkBasicAuthorization(headers.authorization, auth);
  const body = new Uint8Array(request.rawBody);
  const signature = headers[SIGNATURE_HEADER];
  await verifier?.verify({ method, url, body }, signature, host.now());
}

function readField(request: ReceiverRequest, key: string): unknown {
  let body: unknown;
  try {
    body = decode(new TextDecoder().decode(request.rawBody));
  } catch (error) {
    if (!(error instanceof JsonExError)) throw error;
    throw new MalformedRequestError(error.message, { cause: error });
  }
  if (!isRecord(body) || body[key] === undefined) {
    throw new MalformedRequestError(`"${key}" is missing`);
  }
  return body[key];
}

// The content type is written without a charset: Python peers compare the
// whole header, and take anything else for a broken server.
function jsonResponse(
  status: number,
  value: object,
  headers: Readonly<Record<string, string>> = {},
): ReceiverResponse {
  return {
    status,
    headers: { ...headers, "content-type": "application/json" },
    body: encode(value),
  };
}
