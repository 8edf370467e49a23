/** What clients send over a WebSocket: JSON texts, checked as bodies are. */

import { pullLimits } from "@carillon/core";
import type { Static } from "typebox";
import { RequestError } from "../../../errors.ts";
import { Type } from "../../../json-schema.ts";
import { jsonLimitsOf, parseJson } from "../../json-body.ts";
import { compileValidator, failsWith } from "../../validation.ts";
import { AckRequest, ExtendRequest, NackRequest } from "./lease-requests.ts";

const maxRefLength = 64;

/** The answer has it, too, so that a client can tell answers apart. */
const ref = Type.Optional(
  Type.Union([Type.String({ maxLength: maxRefLength }), Type.Number()], {
    description: "Of the client's choice; the answer has it, too",
  }),
);

const closed = { additionalProperties: false };

const Ack = Type.Object(
  { type: Type.Literal("ack"), ref, ...AckRequest.properties },
  closed,
);

const Nack = Type.Object(
  { type: Type.Literal("nack"), ref, ...NackRequest.properties },
  closed,
);

const Extend = Type.Object(
  { type: Type.Literal("extend"), ref, ...ExtendRequest.properties },
  closed,
);

const Flow = Type.Object(
  {
    type: Type.Literal("flow"),
    ref,
    credit: Type.Integer({
      minimum: 1,
      maximum: pullLimits.maxCredit,
      ...failsWith("PULL_OPTION_INVALID"),
    }),
  },
  closed,
);

export type ClientFrame =
  | Static<typeof Ack>
  | Static<typeof Nack>
  | Static<typeof Extend>
  | Static<typeof Flow>;

const schemas = { ack: Ack, nack: Nack, extend: Extend, flow: Flow };

type FrameType = keyof typeof schemas;

const frameTypes = Object.keys(schemas);

type Validate = ReturnType<typeof compileValidator>;

const validators = new Map<FrameType, Validate>();

/** @throws RequestError BODY_MALFORMED, BODY_TOO_COMPLEX */
export function parseFrame(bytes: Buffer): unknown {
  return parseJson(bytes, jsonLimitsOf(64 * 1024));
}

/** What tells the answer to a frame apart, also where the frame is refused. */
export function refOf(value: unknown): ClientFrame["ref"] {
  if (typeof value !== "object" || value === null || !("ref" in value)) {
    return undefined;
  }
  const { ref } = value;
  const isRef =
    typeof ref === "number" ||
    (typeof ref === "string" && ref.length <= maxRefLength);
  return isRef ? ref : undefined;
}

/**
 * Checks a frame of a client's.
 *
 * @throws RequestError REQUEST_INVALID; CarillonError LEASE_ID_INVALID,
 * PULL_OPTION_INVALID
 */
export function checkClientFrame(value: unknown): ClientFrame {
  const type =
    typeof value === "object" && value !== null && "type" in value
      ? value.type
      : undefined;
  if (!isFrameType(type)) {
    throw new RequestError(
      "REQUEST_INVALID",
      `A JSON object is expected whose type is one of ${frameTypes.join(", ")}.`,
    );
  }
  const result = validatorOf(type)(value);
  if (typeof result === "object" && "error" in result && result.error) {
    throw result.error;
  }
  // Just checked.
  return value as ClientFrame;
}

function isFrameType(type: unknown): type is FrameType {
  return typeof type === "string" && Object.hasOwn(schemas, type);
}

function validatorOf(type: FrameType): Validate {
  const found = validators.get(type);
  if (found) return found;
  const validate = compileValidator({
    schema: schemas[type],
    method: "GET",
    url: "",
    httpPart: "body",
  });
  validators.set(type, validate);
  return validate;
}
