/** Reads what the sandbox caught, and follows the links in it. */

import assert from "node:assert/strict";
import { until } from "./until.ts";

export interface Mail {
  readonly subject: string;
  readonly text: string;
  readonly headers: readonly {
    readonly name: string;
    readonly value: string;
  }[];
}

interface Caught {
  readonly mails: readonly Mail[];
  readonly messages: readonly { readonly text: string }[];
}

export interface SandboxReaderOptions {
  /** Where people reach the server: links begin with it. Without a slash at the end. */
  readonly url: string;
  /** Value of the header. */
  readonly authorization: string;
  /** Default: the runtime's. */
  readonly fetch?: typeof globalThis.fetch;
}

export class SandboxReader {
  readonly #url: string;
  readonly #authorization: string;
  readonly #fetch: typeof globalThis.fetch;

  constructor({
    url,
    authorization,
    fetch = globalThis.fetch,
  }: SandboxReaderOptions) {
    this.#url = url;
    this.#authorization = authorization;
    this.#fetch = fetch;
  }

  /** The first mail that is meant, once it has come. */
  async mail(isMeant: (mail: Mail) => boolean): Promise<Mail> {
    const { mails } = await this.#caught("mails", ({ mails }) =>
      mails.some(isMeant),
    );
    const found = mails.find(isMeant);
    assert.ok(found);
    return found;
  }

  /** The first text to a phone, once it has come. */
  async text(phone: string): Promise<string> {
    const { messages } = await this.#caught(
      `phones/${phone}/messages`,
      ({ messages }) => messages.length > 0,
    );
    return String(messages[0]?.text);
  }

  /** The link that confirms (`c`) or unsubscribes (`u`). */
  linkIn(text: string, page: "c" | "u"): string {
    const link = text
      .split(/\s+/)
      .find((word) => word.startsWith(`${this.#url}/${page}/`));
    assert.ok(link, text);
    return link;
  }

  /** Presses the button of a link's page; answers the page that comes. */
  async press(link: string): Promise<string> {
    const shown = await (await this.#fetch(link)).text();
    const action = /action="([^"]+)"/.exec(shown)?.[1] ?? "";
    const target = new URL(action.replaceAll("&amp;", "&"), link);
    const pressed = await this.#fetch(target, { method: "POST" });
    assert.equal(pressed.status, 200, target.href);
    return await pressed.text();
  }

  /** What the sandbox has, once that is enough. */
  async #caught(
    path: string,
    isEnough: (body: Caught) => boolean,
  ): Promise<Caught> {
    let body: Caught = { mails: [], messages: [] };
    await until(async () => {
      const response = await this.#fetch(
        `${this.#url}/api/v2/sandbox/${path}`,
        { headers: { authorization: this.#authorization } },
      );
      if (response.ok) {
        body = { ...body, ...((await response.json()) as object) };
      }
      return isEnough(body);
    }, `${path} has what is expected`);
    return body;
  }
}
