/** The one table from our error codes to the statuses of our own API. */

import type { ErrorCode } from "@carillon/core";
import { errorCatalogue } from "@carillon/core";
import { type RequestErrorCode, requestErrorCatalogue } from "../../errors.ts";

export type ProblemCode = ErrorCode | RequestErrorCode | "INTERNAL_ERROR";

/** What is not listed is 400: most codes say that the input is wrong. */
const statuses: Partial<Record<ProblemCode, number>> = {
  AUTHENTICATION_FAILED: 401,
  LOGIN_THROTTLED: 429,
  PERMISSION_DENIED: 403,
  ENDPOINT_FORBIDDEN: 403,
  KEY_UNUSABLE: 403,
  CONFIRMATION_TOKEN_INVALID: 403,
  TOPIC_ACCESS_DENIED: 403,
  TOPIC_RESERVED: 403,
  TOPIC_NOT_FOUND: 404,
  PROJECT_DELETED: 404,
  SUBSCRIPTION_NOT_FOUND: 404,
  TEMPLATE_NOT_FOUND: 404,
  TEMPLATE_DEFAULT_MISSING: 404,
  RESOURCE_TAG_NOT_FOUND: 404,
  MESSAGE_NOT_FOUND: 404,
  DELIVERY_NOT_FOUND: 404,
  MESSAGE_STATE_CONFLICT: 409,
  DELIVERY_STATE_CONFLICT: 409,
  DELIVERY_UNWANTED: 409,
  DELIVERY_EXPIRED: 409,
  BATCH_SENDING_OFF: 409,
  JOB_NOT_FOUND: 404,
  JOB_OVER: 409,
  JOB_QUOTA_EXCEEDED: 409,
  INBOUND_NOT_FOUND: 404,
  OPT_OUT_NOT_FOUND: 404,
  SUBSCRIPTION_USER_NOT_FOUND: 404,
  DETECTION_NOT_FOUND: 404,
  LOGTANK_TOPIC_NOT_FOUND: 404,
  BINDING_NOT_FOUND: 404,
  KEY_NOT_FOUND: 404,
  ROUTE_NOT_FOUND: 404,
  IDENTITY_NOT_FOUND: 404,
  PROVIDER_NOT_FOUND: 404,
  PROVIDER_PAUSED: 409,
  CONFIGURATION_INVALID: 409,
  IDENTITY_CHANGED: 409,
  IDEMPOTENCY_KEY_RUNNING: 409,
  IDENTITY_EXISTS: 409,
  IDENTITY_IN_USE: 409,
  LAST_OPERATOR: 409,
  LAST_OPERATOR_KEY: 409,
  TEMPLATE_EXISTS: 409,
  SUBSCRIPTION_USER_QUOTA_EXCEEDED: 409,
  BINDING_EXISTS: 409,
  SIGNATURE_CONFLICT: 409,
  KEY_EXISTS: 409,
  KEY_QUOTA_EXCEEDED: 409,
  TOPIC_QUOTA_EXCEEDED: 409,
  SUBSCRIPTION_QUOTA_EXCEEDED: 409,
  TEMPLATE_QUOTA_EXCEEDED: 409,
  RESOURCE_TAG_QUOTA_EXCEEDED: 409,
  REQUEST_TIMED_OUT: 408,
  BODY_TOO_LARGE: 413,
  EXPECTATION_UNKNOWN: 417,
  IDEMPOTENCY_KEY_REUSED: 422,
  HEADERS_TOO_LARGE: 431,
  STORAGE_FULL: 507,
  STORAGE_UNAVAILABLE: 503,
  STORAGE_REFUSED: 500,
  STORAGE_IN_USE: 500,
  STORAGE_UNUSABLE: 500,
  INTERNAL_ERROR: 500,
  NOT_OFFERED: 501,
  SHUTTING_DOWN: 503,
  OVERLOADED: 503,
};

const titles: Readonly<Record<ProblemCode, string>> = {
  ...errorCatalogue,
  ...requestErrorCatalogue,
  INTERNAL_ERROR: "Something went wrong here",
};

export function problemStatus(code: ProblemCode): number {
  return statuses[code] ?? 400;
}

export function problemTitle(code: ProblemCode): string {
  return titles[code];
}

/** Every code there is. */
export const problemCodes = Object.keys(titles) as readonly ProblemCode[];
