/** The tables of pymess's messages, as its migrations 0001 to 0027 have them. */

/** A kind of messages. */
export interface MessageKind {
  /** As `--only` and the results call it. */
  readonly name: "sms" | "emails";
  readonly channel: "sms" | "email";
  readonly table: string;
  /** What it is about. */
  readonly relations: string;
  readonly attachments?: string;
  /** The column of those tables that names the message. */
  readonly parent: string;
  /** Those that are read, where the table has them. */
  readonly columns: readonly string[];
}

const common = [
  "created_at",
  "changed_at",
  "sent_at",
  "recipient",
  "sender",
  "content",
  "template_slug",
  "template_id",
  "state",
  "backend",
  "error",
  "extra_data",
  "extra_sender_data",
  "tag",
  "number_of_send_attempts",
  "priority",
] as const;

export const messageKinds: readonly MessageKind[] = [
  {
    name: "sms",
    channel: "sms",
    table: "pymess_outputsmsmessage",
    relations: "pymess_outputsmsrelatedobject",
    parent: "output_sms_message_id",
    columns: common,
  },
  {
    name: "emails",
    channel: "email",
    table: "pymess_emailmessage",
    relations: "pymess_emailrelatedobject",
    attachments: "pymess_attachment",
    parent: "email_message_id",
    columns: [
      ...common,
      "sender_name",
      "subject",
      "old_content",
      "content_file",
      "external_id",
    ],
  },
];

/** Columns that each has since migration 0001. */
export const neededColumns = ["id", "created_at", "recipient", "state"];

/** Of what they are about. */
export const relationColumns = [
  "created_at",
  "changed_at",
  "object_id",
  "content_type_id",
];

export const attachmentColumns = ["content_type", "file", "filename"];

/** What pymess keeps besides, and Carillon has no counterpart for. */
export const foreignTables = [
  "pymess_pushnotificationmessage",
  "pymess_dialermessage",
];
