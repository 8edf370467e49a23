/** A message as a poll of the Notipy protocol brings it. */

import { findText, type JsonObject } from "../json.ts";
import type { RequestOptions } from "../transport.ts";

type Confirm = (
  messages: readonly Message[],
  options?: RequestOptions,
) => Promise<void>;

/** Not for users of messages, so no member of them. */
export let markConfirmed: (messages: readonly Message[]) => void;

/** What was polled, to be confirmed once it was handled. */
export class Message {
  /** The same whenever the message comes. */
  readonly id: string;
  readonly body: string;
  readonly created: Date;
  #confirmed = false;
  readonly #confirm: Confirm;

  constructor(
    fields: Pick<Message, "id" | "body" | "created">,
    confirm: Confirm,
  ) {
    this.id = fields.id;
    this.body = fields.body;
    this.created = fields.created;
    this.#confirm = confirm;
  }

  /** The service knows that it was handled. */
  get confirmed(): boolean {
    return this.#confirmed;
  }

  /**
   * Says that it was handled, so that it does not come again. Does nothing if it
   * is confirmed already.
   *
   * @throws InvalidCredentialsError, FailedToConfirmMessageError
   */
  async confirm(options?: RequestOptions): Promise<void> {
    if (!this.#confirmed) await this.#confirm([this], options);
  }

  static {
    markConfirmed = (messages) => {
      for (const message of messages) message.#confirmed = true;
    };
  }
}

/** `undefined` when it lacks what a message has. */
export function findMessageFields(
  fields: JsonObject,
): Pick<Message, "id" | "body" | "created"> | undefined {
  const { id } = fields;
  const body = findText(fields, "body");
  const created = toInstant(findText(fields, "created") ?? "");
  const isId = typeof id === "number" || (typeof id === "string" && id !== "");
  if (!isId || body === undefined || created === undefined) return undefined;
  return { id: String(id), body, created };
}

/** UTC, whose zone the protocol leaves out. */
function toInstant(text: string): Date | undefined {
  const hasZone = /(Z|[+-]\d\d:?\d\d)$/.test(text);
  const instant = new Date(hasZone ? text : `${text}Z`);
  return Number.isNaN(instant.getTime()) ? undefined : instant;
}
