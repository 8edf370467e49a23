/**
 * Databases as pymess's migrations leave them, at three ages, with a row or more
 * of each state: for tests.
 */

import { pymessStates } from "./pymess-states.ts";

/** By the last migration that was applied. */
export const ages = ["0001", "0016", "0027"] as const;

export type Age = (typeof ages)[number];

export type Dialect = "sqlite" | "postgres";

/** The statements that make a database, with rows. */
export interface PymessFixture {
  readonly statements: readonly string[];
  /** Below MEDIA_ROOT. */
  readonly files: Readonly<Record<string, string>>;
}

export function pymessFixture(age: Age, dialect: Dialect): PymessFixture {
  return {
    statements: [...schemaOf(age, dialect), ...rowsOf(age, dialect)],
    files:
      age === "0027"
        ? {
            "pymess/emails/1.html": "<p>Mail 1</p>",
            "pymess/emails/2.html": "<p>Mail 2 ✓</p>",
            "pymess/emails/bill.pdf": "%PDF bill",
          }
        : {},
  };
}

/** A row is added as Django does it: each by its own statement. */
export function insert(
  table: string,
  row: Readonly<Record<string, string | number | boolean | null>>,
  dialect: Dialect,
): string {
  const values = Object.values(row).map((value) => {
    if (value === null) return "NULL";
    if (typeof value === "boolean") {
      return dialect === "postgres" ? String(value) : value ? "1" : "0";
    }
    return typeof value === "number"
      ? String(value)
      : `'${value.replaceAll("'", "''")}'`;
  });
  return `INSERT INTO ${table} (${Object.keys(row).join(", ")}) VALUES (${values.join(", ")})`;
}

function schemaOf(age: Age, dialect: Dialect): string[] {
  const isPostgres = dialect === "postgres";
  const key = isPostgres
    ? "integer PRIMARY KEY"
    : "integer NOT NULL PRIMARY KEY AUTOINCREMENT";
  const instant = isPostgres ? "timestamp with time zone" : "datetime";
  const text = (length: number) =>
    isPostgres ? `character varying(${length})` : `varchar(${length})`;
  const json = isPostgres && age === "0027" ? "jsonb" : "text";
  const boolean = isPostgres ? "boolean" : "bool";
  const is16 = age !== "0001";
  const is27 = age === "0027";
  const times = [
    `created_at ${instant} NOT NULL`,
    `changed_at ${instant} NOT NULL`,
  ];
  const relation = (owner: string) => [
    `id ${key}`,
    ...times,
    "object_id text NOT NULL",
    ...(is16 ? [] : ["object_id_int integer"]),
    "content_type_id integer NOT NULL",
    `${owner} integer NOT NULL`,
  ];
  const message = [
    `id ${key}`,
    ...times,
    `sent_at ${instant}`,
    `template_slug ${text(100)}`,
    `template_id ${text(100)}`,
    "state integer NOT NULL",
    `backend ${text(250)}`,
    "error text",
    `extra_data ${json}`,
    `extra_sender_data ${json}`,
    `tag ${text(50)}`,
    ...(is16 ? ["number_of_send_attempts integer NOT NULL DEFAULT 0"] : []),
    ...(is27 ? ["priority integer NOT NULL DEFAULT 3"] : []),
  ];
  const template = [
    `slug ${text(100)} NOT NULL PRIMARY KEY`,
    ...times,
    "body text",
    ...(is16
      ? [
          `is_active ${boolean} NOT NULL`,
          `is_allowed_duplicate_messages ${boolean} NOT NULL`,
        ]
      : []),
    ...(is27 ? [`is_locked ${boolean} NOT NULL`] : []),
  ];
  const table = (name: string, columns: readonly string[]) =>
    `CREATE TABLE ${name} (${columns.join(", ")})`;
  return [
    table("django_migrations", [
      `id ${key}`,
      `app ${text(255)} NOT NULL`,
      `name ${text(255)} NOT NULL`,
      `applied ${instant} NOT NULL`,
    ]),
    table("django_content_type", [
      `id ${key}`,
      `app_label ${text(100)} NOT NULL`,
      `model ${text(100)} NOT NULL`,
    ]),
    table("pymess_outputsmsmessage", [
      ...message,
      `recipient ${text(20)} NOT NULL`,
      `sender ${text(20)}`,
      "content text NOT NULL",
    ]),
    table("pymess_outputsmsrelatedobject", relation("output_sms_message_id")),
    table("pymess_emailmessage", [
      ...message,
      `recipient ${text(254)} NOT NULL`,
      `sender ${text(254)} NOT NULL`,
      `sender_name ${text(250)}`,
      "subject text NOT NULL",
      ...(is27
        ? [
            "old_content text",
            `content_file ${text(100)}`,
            `external_id ${text(250)}`,
          ]
        : ["content text NOT NULL"]),
    ]),
    table("pymess_emailrelatedobject", relation("email_message_id")),
    table("pymess_attachment", [
      `id ${key}`,
      ...times,
      `content_type ${text(100)} NOT NULL`,
      `file ${text(100)} NOT NULL`,
      ...(is27 ? [`filename ${text(100)}`] : []),
      "email_message_id integer NOT NULL",
    ]),
    table("pymess_smstemplate", template),
    table("pymess_emailtemplate", [
      ...template,
      "subject text NOT NULL",
      `sender ${text(200)}`,
      `sender_name ${text(250)}`,
    ]),
    ...(is16
      ? [
          table("pymess_smstemplatedisallowedobject", [
            `id ${key}`,
            ...times,
            "object_id text NOT NULL",
            "content_type_id integer NOT NULL",
            `template_id ${text(100)}`,
          ]),
          table("pymess_emailtemplatedisallowedobject", [
            `id ${key}`,
            ...times,
            "object_id text NOT NULL",
            "content_type_id integer NOT NULL",
            `template_id ${text(100)}`,
          ]),
          table("pymess_dialermessage", [`id ${key}`]),
        ]
      : []),
    ...(is27
      ? [
          table("pymess_emailtemplateattachment", [
            `id ${key}`,
            `content_type ${text(100)} NOT NULL`,
            `file ${text(100)} NOT NULL`,
            `filename ${text(100)}`,
            `template_id ${text(100)} NOT NULL`,
          ]),
        ]
      : []),
    ...[
      "CREATE INDEX sms_related ON pymess_outputsmsrelatedobject (output_sms_message_id)",
      "CREATE INDEX email_related ON pymess_emailrelatedobject (email_message_id)",
      "CREATE INDEX attachment_related ON pymess_attachment (email_message_id)",
    ],
  ];
}

/** How Django writes an instant into the database. */
export function djangoInstant(dialect: Dialect, second: number): string {
  const text = `2019-03-04 05:06:${String(second).padStart(2, "0")}.123456`;
  return dialect === "postgres" ? `${text}+00` : text;
}

function rowsOf(age: Age, dialect: Dialect): string[] {
  const at = (second: number) => djangoInstant(dialect, second);
  const times = (n: number) => ({ created_at: at(n), changed_at: at(n + 2) });
  const is16 = age !== "0001";
  const is27 = age === "0027";
  const rows: string[] = [];
  const add = (table: string, row: Parameters<typeof insert>[1]) =>
    rows.push(insert(table, row, dialect));

  add("django_migrations", {
    id: 1,
    app: "pymess",
    name: "0001_initial",
    applied: at(0),
  });
  add("django_content_type", { id: 7, app_label: "shop", model: "order" });
  add("django_content_type", { id: 8, app_label: "auth", model: "user" });

  const numbers = pymessStates[is16 ? "sms" : "oldSms"];
  for (const [text, name] of Object.entries(numbers)) {
    const state = Number(text);
    const isOpen = name === "WAITING";
    add("pymess_outputsmsmessage", {
      id: state,
      ...times(state),
      sent_at: isOpen ? null : at(state + 1),
      recipient: `+42077712345${state}`,
      sender: state === 4 ? "Shop" : null,
      content: `SMS ${state}: Příliš`,
      template_slug: state % 2 ? "shipped" : null,
      template_id: state % 2 ? "shipped" : null,
      state,
      backend: isOpen ? null : "pymess.backend.sms.ats.ATSSMSBackend",
      error: name.startsWith("ERROR") ? "No such number" : null,
      extra_data: `{"order": ${state}}`,
      extra_sender_data: isOpen ? null : '{"sender_state": 23}',
      tag: state === 4 ? "promo" : null,
      ...(is16 && { number_of_send_attempts: isOpen ? 0 : 2 }),
      ...(is27 && { priority: state === 4 ? 1 : 3 }),
    });
    add("pymess_outputsmsrelatedobject", {
      id: state * 2,
      ...times(state),
      object_id: String(100 + state),
      ...(!is16 && { object_id_int: 100 + state }),
      content_type_id: 7,
      output_sms_message_id: state,
    });
    add("pymess_outputsmsrelatedobject", {
      id: state * 2 + 1,
      ...times(state),
      object_id: "alice",
      content_type_id: 8,
      output_sms_message_id: state,
    });
  }

  for (const id of [1, 2, 3]) {
    add("pymess_emailmessage", {
      id,
      ...times(id),
      sent_at: at(id + 1),
      recipient: `user${id}@example.com`,
      sender: "shop@example.com",
      sender_name: "The shop",
      subject: `Subject ${id}`,
      template_slug: "welcome",
      template_id: null,
      state: id === 1 ? 3 : id === 2 ? 4 : 5,
      backend: "pymess.backend.emails.mandrill.MandrillEmailBackend",
      error: id === 2 ? "rejected: spam" : null,
      extra_data: null,
      extra_sender_data: null,
      tag: null,
      ...(is16 && { number_of_send_attempts: 1 }),
      ...(is27
        ? {
            old_content: id === 3 ? "<p>Mail 3</p>" : null,
            content_file: id === 3 ? null : `pymess/emails/${id}.html`,
            external_id: id === 1 ? "mandrill-1" : null,
          }
        : { content: `<p>Mail ${id}</p>` }),
    });
    add("pymess_emailrelatedobject", {
      id,
      ...times(id),
      object_id: String(id),
      content_type_id: id === 3 ? 99 : 7,
      email_message_id: id,
    });
  }
  if (is27) {
    add("pymess_attachment", {
      id: 1,
      ...times(1),
      content_type: "application/pdf",
      file: "pymess/emails/bill.pdf",
      filename: "Your bill.pdf",
      email_message_id: 2,
    });
  }
  if (is16) {
    add("pymess_dialermessage", { id: 1 });
    for (const [id, slug] of [
      [1, "shipped"],
      [2, null],
    ] as const) {
      add("pymess_smstemplatedisallowedobject", {
        id,
        ...times(id),
        object_id: String(500 + id),
        content_type_id: 7,
        template_id: slug,
      });
    }
  }
  if (is27) {
    add("pymess_emailtemplateattachment", {
      id: 1,
      content_type: "application/pdf",
      file: "pymess/emails/bill.pdf",
      filename: "terms.pdf",
      template_id: "welcome",
    });
  }

  const flags = {
    ...(is16 && { is_active: true, is_allowed_duplicate_messages: false }),
    ...(is27 && { is_locked: true }),
  };
  add("pymess_smstemplate", {
    slug: "shipped",
    ...times(1),
    body: "Order {{ order.number }} is on its way, {{ name|default:'friend' }}.",
    ...flags,
  });
  add("pymess_smstemplate", {
    slug: "odd",
    ...times(2),
    body: "{% load shop_tags %}\n{% price order %}",
    ...flags,
  });
  add("pymess_emailtemplate", {
    slug: "welcome",
    ...times(3),
    subject: "Welcome, {{ name }}",
    body: "<p>Hello {{ name|upper }}</p>",
    sender: "shop@example.com",
    sender_name: "The shop",
    ...flags,
  });
  return rows;
}
