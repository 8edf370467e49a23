/**
 * What came to the receivers that a server for trying things out has built in:
 * mailboxes, phones and webhooks. They keep the newest, and nothing over a
 * restart.
 */

import type { Api } from "../api.ts";
import {
  findNumber,
  findText,
  findTexts,
  type JsonObject,
  readObjects,
  readText,
} from "../json.ts";
import type { RequestOptions } from "../transport.ts";

/** A mail that came to the sandbox. */
export interface SandboxMail extends JsonObject {
  readonly id: string;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly receivedAt: string;
  readonly from: string;
  readonly to: readonly string[];
  readonly subject: string;
  readonly text: string;
  readonly html: string;
  /** Files and inline images. */
  readonly attachments: readonly SandboxAttachment[];
}

/** A file that a mail of the sandbox carries. */
export interface SandboxAttachment extends JsonObject {
  readonly name: string;
  readonly contentType: string;
  /** Bytes. */
  readonly size: number;
  /** What `cid:` of the HTML names. */
  readonly contentId?: string | undefined;
}

/** A text that a phone of the sandbox got or sent. */
export interface SandboxText extends JsonObject {
  readonly id: string;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly at: string;
  /** As the phone sees it: `received` or `sent`. */
  readonly direction: string;
  /** The phone's, digits only. */
  readonly number: string;
  readonly text: string;
}

/** A request that a webhook of the sandbox got. */
export interface SandboxRequest extends JsonObject {
  readonly id: string;
  /** UTC, `YYYY-MM-DDTHH:MM:SS.sssZ`. */
  readonly receivedAt: string;
  /** The webhook's. */
  readonly name: string;
  readonly body: string;
  /** What was answered. */
  readonly status: number;
}

/** Absent members do not constrain. */
export interface SandboxQuery {
  /** A part of the recipient, the subject or the text, in capitals or not. */
  readonly query?: string | undefined;
  /** Only so many, the newest. */
  readonly limit?: number | undefined;
}

/**
 * Reads the sandbox. All lists are oldest first; all operations reject with
 * ResourceNotFoundError when the server has no sandbox.
 */
export interface Sandbox {
  mails(
    query?: SandboxQuery,
    options?: RequestOptions,
  ): Promise<readonly SandboxMail[]>;
  /** Of one phone, or of all. */
  texts(
    query?: SandboxQuery & { readonly number?: string | undefined },
    options?: RequestOptions,
  ): Promise<readonly SandboxText[]>;
  /** Of one webhook, or of all. */
  requests(
    query?: SandboxQuery & { readonly name?: string | undefined },
    options?: RequestOptions,
  ): Promise<readonly SandboxRequest[]>;
  /**
   * Writes a text on a phone, to the service.
   *
   * @param to which of the service's numbers it is sent to
   */
  reply(
    number: string,
    text: string,
    to?: string,
    options?: RequestOptions,
  ): Promise<SandboxText>;
}

export function createSandbox(api: Api): Sandbox {
  const list = async (
    path: readonly string[],
    field: string,
    { query, limit }: SandboxQuery,
    options: RequestOptions | undefined,
  ): Promise<readonly JsonObject[]> => {
    const request = {
      method: "GET",
      path: ["sandbox", ...path],
      query: { query, limit },
    } as const;
    return readObjects((await api(request, options)).body, field);
  };
  return {
    async mails(query = {}, options) {
      return (await list(["mails"], "mails", query, options)).map(toMail);
    },
    async texts({ number, ...query } = {}, options) {
      const path =
        number === undefined
          ? ["phone-messages"]
          : ["phones", number, "messages"];
      return (await list(path, "messages", query, options)).map(toText);
    },
    async requests({ name, ...query } = {}, options) {
      const path = name === undefined ? ["webhooks"] : ["webhooks", name];
      return (await list(path, "requests", query, options)).map(toRequest);
    },
    async reply(number, text, to, options) {
      const path = ["sandbox", "phones", number, "messages"];
      const request = { method: "POST", path, body: { text, to } } as const;
      return toText((await api(request, options)).body);
    },
  };
}

function toMail(body: JsonObject): SandboxMail {
  return {
    ...body,
    id: readText(body, "id"),
    receivedAt: readText(body, "receivedAt"),
    from: findText(body, "from") ?? "",
    to: findTexts(body, "to"),
    subject: findText(body, "subject") ?? "",
    text: findText(body, "text") ?? "",
    html: findText(body, "html") ?? "",
    // Older servers do not tell.
    attachments:
      body.attachments === undefined
        ? []
        : readObjects(body, "attachments").map(toAttachment),
  };
}

function toAttachment(body: JsonObject): SandboxAttachment {
  return {
    ...body,
    name: findText(body, "name") ?? "",
    contentType: findText(body, "contentType") ?? "",
    size: findNumber(body, "size") ?? 0,
    contentId: findText(body, "contentId"),
  };
}

function toText(body: JsonObject): SandboxText {
  return {
    ...body,
    id: readText(body, "id"),
    at: readText(body, "at"),
    direction: readText(body, "direction"),
    number: readText(body, "number"),
    text: findText(body, "text") ?? "",
  };
}

function toRequest(body: JsonObject): SandboxRequest {
  return {
    ...body,
    id: readText(body, "id"),
    receivedAt: readText(body, "receivedAt"),
    name: readText(body, "name"),
    body: findText(body, "body") ?? "",
    status: findNumber(body, "status") ?? 0,
  };
}
