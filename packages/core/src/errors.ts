/**
 * The one error type of the core and the catalogue of its codes. Core knows
 * no HTTP: the server maps codes to statuses and to SMN's codes in one table.
 * A code is never reused or renamed within a major version.
 */

/** Code → what it means; `docs/reference/errors.md` is checked against it. */
export const errorCatalogue = {
  TOPIC_NAME_INVALID: "The topic name breaks the naming rule",
  DISPLAY_NAME_INVALID: "The display name is longer than 192 bytes",
  TOPIC_QUOTA_EXCEEDED: "The project has as many topics as it may",
  TOPIC_URN_INVALID: "The topic URN is malformed",
  TOPIC_NOT_FOUND: "No such topic in this project",
  TOPICS_INVALID: "The topics of a message to several cannot be used together",
  TOPIC_RESERVED: "Only the service publishes to this topic",
  TOPIC_ACCESS_DENIED: "The topic's access policy does not allow this",
  PROJECT_DELETED: "The project was deleted; nothing can be made in it",
  IDENTITY_CHANGED:
    "Users, projects, domains or access keys were changed at the same time",
  IDENTITY_EXISTS: "There is a user, project or domain of that name already",
  PROTOCOL_INVALID: "The protocol is not supported",
  ENDPOINT_INVALID: "The endpoint does not fit the protocol",
  ENDPOINT_FORBIDDEN: "The endpoint is in a network that is not allowed",
  REMARK_INVALID: "The remark is longer than 128 bytes",
  SUBSCRIPTION_QUOTA_EXCEEDED: "The topic has as many subscriptions as it may",
  SUBSCRIPTION_URN_INVALID: "The subscription URN is malformed",
  SUBSCRIPTION_NOT_FOUND: "No such subscription",
  SUBSCRIPTION_INVALID: "The subscription's data is malformed",
  SIGNATURE_INVALID: "The signature's scheme or keys cannot be so",
  SIGNATURE_CONFLICT: "The subscription's signature does not allow this now",
  CONFIRMATION_TOKEN_INVALID: "The confirmation token is unknown or expired",
  SUBJECT_INVALID: "The subject is longer than 512 characters",
  MESSAGE_INVALID: "The message is empty or larger than 256 KB",
  MESSAGE_STRUCTURE_INVALID: "The message structure cannot be used",
  MESSAGE_ATTRIBUTES_INVALID: "The message attributes cannot be used",
  TIME_TO_LIVE_INVALID: "The time to live is out of bounds",
  MESSAGE_OPTION_INVALID:
    "What the message carries besides its content cannot be used",
  RECIPIENTS_INVALID: "The message's recipients cannot be used",
  BATCH_SENDING_OFF: "Batch sending is turned off for the channel",
  IDEMPOTENCY_KEY_INVALID: "The idempotency key is malformed",
  IDEMPOTENCY_KEY_RUNNING:
    "The first request with the idempotency key has not ended yet",
  IDEMPOTENCY_KEY_REUSED:
    "The idempotency key was used for another request already",
  TEMPLATE_NAME_INVALID: "The template name breaks the naming rule",
  TEMPLATE_ID_INVALID: "The template id is malformed",
  TEMPLATE_CONTENT_INVALID: "The template's content cannot be used",
  TEMPLATE_VARIABLES_EXCEEDED: "The template has too many placeholders",
  TEMPLATE_EXISTS: "A template of that name and protocol is there already",
  TEMPLATE_QUOTA_EXCEEDED: "The project has as many templates as it may",
  TEMPLATE_NOT_FOUND: "No such template in this project",
  TEMPLATE_DEFAULT_MISSING: "The template has no variant for protocol default",
  TEMPLATE_TAGS_INVALID: "The template's tags cannot be used",
  TEMPLATE_INVALID: "The template of stored messages cannot be used",
  TEMPLATE_CONTEXT_INVALID:
    "The context is no JSON object, or too large to render a template with",
  TEMPLATE_RENDERING_FAILED:
    "The template cannot be rendered with this context",
  TEMPLATE_CHANGED: "The template was changed at the same time, several times",
  FILTER_POLICY_INVALID: "The filter policies cannot be used",
  SUBSCRIPTION_USER_INVALID: "The subscription user's data is malformed",
  SUBSCRIPTION_USER_NOT_FOUND: "No such subscription user",
  SUBSCRIPTION_USER_QUOTA_EXCEEDED:
    "The project has as many subscription users as it may",
  DETECTION_NOT_FOUND: "No such detection task of this topic",
  STATISTICS_START_INVALID: "The start of the statistics is no whole hour",
  STATISTICS_END_INVALID: "The end of the statistics is no whole hour",
  STATISTICS_TOO_OLD: "The statistics asked for are too far back",
  STATISTICS_RANGE_INVALID: "The end of the statistics is not after the start",
  LOGTANK_TOPIC_NOT_FOUND: "No such topic whose deliveries could be logged",
  NOTIFY_PROTOCOL_INVALID: "The protocol cannot have a notify policy",
  BINDING_INVALID: "The binding's data is malformed",
  BINDING_EXISTS: "The topic has a binding of that kind already",
  BINDING_NOT_FOUND: "The topic has no such binding",
  KEY_INVALID: "The key's name or id cannot be used",
  KEY_EXISTS: "A key of that name or id is there already",
  KEY_QUOTA_EXCEEDED: "The project has as many keys as it may",
  KEY_NOT_FOUND: "No such key in this project",
  KEY_UNUSABLE:
    "The key that the topic's messages are sealed with is not enabled",
  TOPIC_ATTRIBUTE_INVALID:
    "The topic attribute's name is unknown, or its value cannot be used",
  TOPIC_ATTRIBUTE_TOO_LONG: "The topic attribute's value is too long",
  ACCESS_POLICY_INVALID: "The access policy is not the text of a JSON object",
  ACCESS_POLICY_VERSION_INVALID: "The access policy's Version is wrong",
  ACCESS_POLICY_ID_INVALID: "The access policy's Id is missing or wrong",
  ACCESS_POLICY_STATEMENT_INVALID: "The access policy has no usable Statement",
  ACCESS_POLICY_SID_INVALID: "A statement's Sid is missing or repeated",
  ACCESS_POLICY_EFFECT_INVALID: "A statement's Effect is wrong",
  ACCESS_POLICY_PRINCIPAL_INVALID: "A statement's Principal is wrong",
  ACCESS_POLICY_ACTION_INVALID: "A statement's Action is wrong",
  ACCESS_POLICY_RESOURCE_INVALID: "A statement's Resource is wrong",
  ACCESS_POLICY_CONDITION_INVALID: "A statement's Condition is wrong",
  RESOURCE_TAG_INVALID: "The resource tag's key or value cannot be used",
  RESOURCE_TAG_NOT_FOUND: "The resource has no tag of that key",
  RESOURCE_TAG_QUOTA_EXCEEDED: "The resource has as many tags as it may",
  RESOURCE_FILTER_INVALID: "The filter by tags cannot be used",
  TAG_ACTION_INVALID: "The action on tags is unknown",
  MESSAGE_NOT_FOUND: "No such message in this project",
  DELIVERY_NOT_FOUND: "No such delivery in this project",
  DELIVERY_STATE_CONFLICT:
    "The delivery is in a state that the action does not lead on from",
  MESSAGE_STATE_CONFLICT:
    "The message was cancelled already, or has nothing left to cancel",
  DELIVERY_UNWANTED: "The delivery's recipient is not to get it any more",
  DELIVERY_EXPIRED:
    "The delivery's life is over; a resend needs a new time to live",
  DELIVERY_NOT_QUEUED:
    "The mailbox that the delivery is fetched from is full or disabled",
  DELIVERY_FILTER_INVALID: "The filter of deliveries cannot be used",
  JOB_NOT_FOUND: "No such job in this project",
  JOB_OVER: "The job is over already",
  JOB_QUOTA_EXCEEDED: "The project has as many jobs under way as it may",
  INBOUND_NOT_FOUND: "No such inbound message in this project",
  IMPORT_INVALID: "The import, or what is imported, cannot be used",
  IMPORT_NOT_FOUND: "No such import in this project",
  IMPORT_POSITION_CONFLICT: "The import does not stand where the batch follows",
  OPT_OUT_INVALID: "The opt-out's recipient or sender cannot be used",
  OPT_OUT_NOT_FOUND: "The recipient has not opted out",
  SUPPRESSION_ADDRESS_INVALID: "What is to be suppressed is no mail address",
  SUPPRESSION_NOT_FOUND: "The address is not on the suppression list",
  SUBSCRIBER_INVALID: "The pull subscriber's data cannot be used",
  SUBSCRIBER_DISABLED: "The pull subscriber is disabled",
  SUBSCRIBER_EXISTS: "The project has a pull subscriber of that name already",
  SUBSCRIBER_NOT_FOUND: "No such pull subscriber in this project",
  PUBLISHER_INVALID: "The publisher's data cannot be used",
  PUBLISHER_EXISTS: "The project has a publisher of that name already",
  PUBLISHER_NOT_FOUND: "No such publisher in this project",
  CATEGORY_INVALID: "The category's reference cannot be used",
  CATEGORY_NOT_FOUND: "The publisher has no category of that reference",
  CATEGORY_QUOTA_EXCEEDED: "The publisher has as many categories as it may",
  LEASE_ID_INVALID: "A lease's id is malformed",
  PULL_OPTION_INVALID: "An option of fetching messages is out of bounds",
  PAGE_INVALID: "Offset or limit is out of bounds",
  STORAGE_FULL: "The disk has no room; nothing was changed",
  STORAGE_UNAVAILABLE: "The store cannot be reached now; nothing was changed",
  STORAGE_REFUSED: "The store cannot keep this; nothing was changed",
  STORAGE_IN_USE: "Another process uses this data folder",
  STORAGE_UNUSABLE: "The data folder cannot be used",
  OVERLOADED: "Too many requests of this kind at once",
  SHUTTING_DOWN: "The service is shutting down",
} as const satisfies Record<string, string>;

/**
 * The stable name of a kind of failure; what each means stands in the
 * catalogue.
 */
export type ErrorCode = keyof typeof errorCatalogue;

/** A failure a caller may handle, identified by its stable `code`. */
export class CarillonError extends Error {
  override readonly name = "CarillonError";
  readonly code: ErrorCode;

  /** `message`: what was expected, what came, what to do next. */
  constructor(code: ErrorCode, message?: string, options?: ErrorOptions) {
    super(message ?? errorCatalogue[code], options);
    this.code = code;
  }
}

/**
 * Whether what failed may succeed later, unchanged: the disk gets room, the
 * store comes back. All else fails each time, and is not tried again.
 */
export function isTransient(error: unknown): boolean {
  return (
    error instanceof CarillonError &&
    (error.code === "STORAGE_FULL" || error.code === "STORAGE_UNAVAILABLE")
  );
}

/**
 * Whether the same would fail each time: what it was about is left out, and what
 * follows goes on. A store that is being closed says nothing about it.
 */
export function isPermanent(error: unknown): boolean {
  const isClosing =
    error instanceof CarillonError && error.code === "SHUTTING_DOWN";
  return !isTransient(error) && !isClosing;
}
