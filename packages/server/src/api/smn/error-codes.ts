/**
 * The one table from our error codes to SMN's statuses and codes. APIGW codes
 * are the gateway's in front of SMN.
 */

import type { ErrorCode } from "@carillon/core";
import type { RequestErrorCode } from "../../errors.ts";

export interface SmnErrorCode {
  readonly status: number;
  readonly code: string;
}

export const smnErrorCodes: Readonly<
  Record<ErrorCode | RequestErrorCode, SmnErrorCode>
> = {
  TOPIC_NAME_INVALID: { status: 400, code: "SMN.0002" },
  DISPLAY_NAME_INVALID: { status: 400, code: "SMN.0003" },
  TOPIC_QUOTA_EXCEEDED: { status: 403, code: "SMN.0004" },
  TOPIC_URN_INVALID: { status: 400, code: "SMN.0005" },
  TOPIC_NOT_FOUND: { status: 404, code: "SMN.0006" },
  // Only our own API publishes to several.
  TOPICS_INVALID: { status: 400, code: "SMN.0005" },
  TOPIC_RESERVED: { status: 403, code: "SMN.0001" },
  TOPIC_ACCESS_DENIED: { status: 403, code: "SMN.0001" },
  // As all else that is asked of a project one has no access to.
  PROJECT_DELETED: { status: 403, code: "SMN.0001" },
  PROTOCOL_INVALID: { status: 400, code: "SMN.0011" },
  ENDPOINT_INVALID: { status: 400, code: "SMN.0012" },
  ENDPOINT_FORBIDDEN: { status: 403, code: "SMN.0069" },
  REMARK_INVALID: { status: 400, code: "SMN.0017" },
  SUBSCRIPTION_QUOTA_EXCEEDED: { status: 403, code: "SMN.0007" },
  SUBSCRIPTION_URN_INVALID: { status: 400, code: "SMN.0014" },
  SUBSCRIPTION_NOT_FOUND: { status: 404, code: "SMN.0013" },
  SUBSCRIPTION_INVALID: { status: 400, code: "SMN.0043" },
  SIGNATURE_INVALID: { status: 400, code: "SMN.0043" },
  SIGNATURE_CONFLICT: { status: 400, code: "SMN.0043" },
  CONFIRMATION_TOKEN_INVALID: { status: 403, code: "SMN.0022" },
  SUBJECT_INVALID: { status: 403, code: "SMN.0008" },
  MESSAGE_INVALID: { status: 403, code: "SMN.0009" },
  MESSAGE_STRUCTURE_INVALID: { status: 400, code: "SMN.0021" },
  // SMN documents no code for these: the gateway's general one.
  MESSAGE_ATTRIBUTES_INVALID: { status: 400, code: "APIGW.0201" },
  TIME_TO_LIVE_INVALID: { status: 400, code: "APIGW.0201" },
  MESSAGE_OPTION_INVALID: { status: 400, code: "APIGW.0201" },
  RECIPIENTS_INVALID: { status: 400, code: "APIGW.0201" },
  IDEMPOTENCY_KEY_INVALID: { status: 400, code: "APIGW.0201" },
  IDEMPOTENCY_KEY_RUNNING: { status: 409, code: "APIGW.0201" },
  IDEMPOTENCY_KEY_REUSED: { status: 422, code: "APIGW.0201" },
  TEMPLATE_NAME_INVALID: { status: 400, code: "SMN.0032" },
  TEMPLATE_ID_INVALID: { status: 400, code: "SMN.0031" },
  TEMPLATE_CONTENT_INVALID: { status: 400, code: "SMN.0024" },
  TEMPLATE_VARIABLES_EXCEEDED: { status: 403, code: "SMN.0075" },
  TEMPLATE_EXISTS: { status: 400, code: "SMN.0025" },
  TEMPLATE_QUOTA_EXCEEDED: { status: 400, code: "SMN.0044" },
  TEMPLATE_NOT_FOUND: { status: 404, code: "SMN.0027" },
  TEMPLATE_DEFAULT_MISSING: { status: 404, code: "SMN.0076" },
  TEMPLATE_TAGS_INVALID: { status: 400, code: "SMN.0038" },
  FILTER_POLICY_INVALID: { status: 400, code: "SMN.0043" },
  SUBSCRIPTION_USER_INVALID: { status: 400, code: "SMN.0043" },
  SUBSCRIPTION_USER_NOT_FOUND: { status: 400, code: "SMN.00290" },
  SUBSCRIPTION_USER_QUOTA_EXCEEDED: { status: 403, code: "SMN.0078" },
  DETECTION_NOT_FOUND: { status: 400, code: "SMN.00013030" },
  STATISTICS_START_INVALID: { status: 400, code: "SMN.0103" },
  STATISTICS_END_INVALID: { status: 400, code: "SMN.0104" },
  STATISTICS_TOO_OLD: { status: 400, code: "SMN.0113" },
  STATISTICS_RANGE_INVALID: { status: 400, code: "SMN.0114" },
  LOGTANK_TOPIC_NOT_FOUND: { status: 400, code: "SMN.00010008" },
  NOTIFY_PROTOCOL_INVALID: { status: 400, code: "SMN.00010010" },
  // SMN documents no codes for what is wrong with bindings and keys.
  BINDING_INVALID: { status: 400, code: "APIGW.0201" },
  BINDING_EXISTS: { status: 400, code: "APIGW.0201" },
  BINDING_NOT_FOUND: { status: 404, code: "SMN.0045" },
  KEY_INVALID: { status: 400, code: "APIGW.0201" },
  KEY_EXISTS: { status: 400, code: "APIGW.0201" },
  KEY_QUOTA_EXCEEDED: { status: 403, code: "APIGW.0201" },
  KEY_NOT_FOUND: { status: 404, code: "SMN.0045" },
  // The text cannot be kept as the topic's owner wants it kept.
  KEY_UNUSABLE: { status: 403, code: "SMN.0009" },
  TOPIC_ATTRIBUTE_INVALID: { status: 400, code: "SMN.0046" },
  TOPIC_ATTRIBUTE_TOO_LONG: { status: 403, code: "SMN.0047" },
  ACCESS_POLICY_INVALID: { status: 400, code: "SMN.0048" },
  ACCESS_POLICY_VERSION_INVALID: { status: 400, code: "SMN.0049" },
  ACCESS_POLICY_ID_INVALID: { status: 400, code: "SMN.0050" },
  ACCESS_POLICY_STATEMENT_INVALID: { status: 400, code: "SMN.0051" },
  ACCESS_POLICY_SID_INVALID: { status: 400, code: "SMN.0052" },
  ACCESS_POLICY_EFFECT_INVALID: { status: 400, code: "SMN.0054" },
  ACCESS_POLICY_PRINCIPAL_INVALID: { status: 400, code: "SMN.0056" },
  ACCESS_POLICY_ACTION_INVALID: { status: 400, code: "SMN.0055" },
  ACCESS_POLICY_RESOURCE_INVALID: { status: 400, code: "SMN.0053" },
  ACCESS_POLICY_CONDITION_INVALID: { status: 400, code: "SMN.0058" },
  RESOURCE_TAG_INVALID: { status: 400, code: "SMN.0038" },
  RESOURCE_TAG_NOT_FOUND: { status: 404, code: "SMN.0045" },
  RESOURCE_TAG_QUOTA_EXCEEDED: { status: 400, code: "SMN.0038" },
  RESOURCE_FILTER_INVALID: { status: 400, code: "SMN.0038" },
  TAG_ACTION_INVALID: { status: 400, code: "SMN.0073" },
  MESSAGE_NOT_FOUND: { status: 404, code: "APIGW.0101" },
  DELIVERY_NOT_FOUND: { status: 404, code: "APIGW.0101" },
  INBOUND_NOT_FOUND: { status: 404, code: "APIGW.0101" },
  OPT_OUT_INVALID: { status: 400, code: "APIGW.0201" },
  OPT_OUT_NOT_FOUND: { status: 404, code: "APIGW.0101" },
  PAGE_INVALID: { status: 400, code: "SMN.0015" },
  STORAGE_FULL: { status: 507, code: "SMN.0016" },
  STORAGE_UNAVAILABLE: { status: 503, code: "SMN.0016" },
  STORAGE_REFUSED: { status: 500, code: "SMN.0016" },
  STORAGE_IN_USE: { status: 500, code: "SMN.0016" },
  STORAGE_UNUSABLE: { status: 500, code: "SMN.0016" },
  SHUTTING_DOWN: { status: 503, code: "SMN.0018" },

  AUTHENTICATION_FAILED: { status: 401, code: "APIGW.0301" },
  LOGIN_THROTTLED: { status: 429, code: "APIGW.0201" },
  PERMISSION_DENIED: { status: 403, code: "SMN.0001" },
  ROUTE_NOT_FOUND: { status: 404, code: "APIGW.0101" },
  BODY_MALFORMED: { status: 400, code: "APIGW.0201" },
  BODY_TOO_LARGE: { status: 400, code: "APIGW.0201" },
  BODY_TOO_COMPLEX: { status: 400, code: "APIGW.0201" },
  BODY_FRAGMENTED: { status: 400, code: "APIGW.0201" },
  REQUEST_INVALID: { status: 400, code: "APIGW.0201" },
  HEADERS_TOO_LARGE: { status: 431, code: "APIGW.0201" },
  REQUEST_TIMED_OUT: { status: 408, code: "APIGW.0201" },
  EXPECTATION_UNKNOWN: { status: 417, code: "APIGW.0201" },
  STATUS_FILTER_INVALID: { status: 400, code: "SMN.0077" },
  OVERLOADED: { status: 503, code: "SMN.0018" },
  // SMN has nothing to do with identity: the gateway's general ones.
  IDENTITY_INVALID: { status: 400, code: "APIGW.0201" },
  IDENTITY_NOT_FOUND: { status: 404, code: "APIGW.0101" },
  IDENTITY_EXISTS: { status: 409, code: "APIGW.0201" },
  IDENTITY_IN_USE: { status: 409, code: "APIGW.0201" },
  LAST_OPERATOR: { status: 409, code: "APIGW.0201" },
  LAST_OPERATOR_KEY: { status: 409, code: "APIGW.0201" },
  CONFIGURATION_INVALID: { status: 409, code: "APIGW.0201" },
  NOT_OFFERED: { status: 501, code: "APIGW.0201" },
};

/** What is nobody's fault but ours. */
export const smnInternalError: SmnErrorCode = { status: 500, code: "SMN.0018" };
