/**
 * Keeps texts from people who said stop. The gateway shows it every incoming
 * text before the hooks, and every outgoing message before the provider.
 */

import type { IncomingMessage } from "../incoming-message.ts";
import type { OutgoingMessage } from "../outgoing-message.ts";
import { internationalDigits } from "../phone-number.ts";
import { senderKey } from "../sender-key.ts";
import {
  createKeywordFinder,
  type Keyword,
  type KeywordFinder,
  type KeywordOptions,
} from "./keywords.ts";
import { MemoryOptOutStore, type OptOutStore } from "./store.ts";
import { SuppressedError } from "./suppressed-error.ts";

/** Where it is kept who said stop, and what is sent all the same. */
export interface OptOutOptions extends KeywordOptions {
  /** In memory by default. */
  readonly store?: OptOutStore;
  /** Values of `messageClass` that are sent all the same, such as `otp`. */
  readonly exemptClasses?: readonly string[];
}

/**
 * Reads keywords from incoming texts, and refuses texts to those who said stop.
 */
export class OptOut {
  readonly store: OptOutStore;
  readonly #findKeyword: KeywordFinder;
  readonly #exemptClasses: ReadonlySet<string>;

  constructor(options: OptOutOptions = {}) {
    this.store = options.store ?? new MemoryOptOutStore();
    this.#findKeyword = createKeywordFinder(options);
    this.#exemptClasses = new Set(options.exemptClasses);
  }

  /**
   * Acts on an incoming keyword and notes its family on the message. Which
   * words count depends on the country of the sender's number. STOP is
   * kept for the number it was sent to, or for all when that is not known;
   * START takes back both. Rejects if the store does: the carrier then
   * delivers the text again.
   */
  async handle(message: IncomingMessage): Promise<Keyword | undefined> {
    const recipient = internationalDigits(message.src);
    const keyword = this.#findKeyword(message.body, recipient);
    if (keyword === undefined || recipient === "") return undefined;
    message.keyword = keyword.family;
    const sender = keyword.everywhere ? null : message.dst || null;
    if (keyword.family === "stop") {
      await this.store.put({
        recipient,
        sender: sender === null ? null : senderKey(sender),
        keyword: keyword.word,
        at: message.rtime,
      });
    } else if (keyword.family === "start") {
      await this.#restore(recipient, sender);
    }
    return keyword;
  }

  /**
   * Lets one message through whatever its recipient said: for confirmations of
   * STOP and answers to HELP. Returns the message.
   */
  exempt<M extends OutgoingMessage>(message: M): M {
    message.optOutRule = "never";
    return message;
  }

  /**
   * Throws `SuppressedError` if the recipient opted out of the message's
   * sender or of all. A message that leaves the sender to the carrier counts
   * as coming from every sender.
   */
  async check(message: OutgoingMessage): Promise<void> {
    if (this.#isExempt(message)) return;
    const { senderId } = message.providerOptions;
    const found = this.store.find(internationalDigits(message.dst));
    const entries = found instanceof Promise ? await found : found;
    const from = senderId ?? message.src;
    const entry = entries.find(
      ({ sender }) => sender === null || !from || sender === senderKey(from),
    );
    if (entry !== undefined) throw new SuppressedError(entry);
  }

  #isExempt({ optOutRule, providerOptions }: OutgoingMessage): boolean {
    const { messageClass } = providerOptions;
    switch (optOutRule) {
      case "never":
        return true;
      case "always":
        return false;
      case "by-class":
        return messageClass !== null && this.#exemptClasses.has(messageClass);
      default:
        return optOutRule satisfies never;
    }
  }

  // Whoever starts one number again wants its texts, also after a stop that
  // was meant for all: otherwise START would seem to do nothing.
  async #restore(recipient: string, sender: string | null): Promise<void> {
    await this.store.remove(recipient, null);
    if (sender !== null) {
      await this.store.remove(recipient, senderKey(sender));
      return;
    }
    for (const entry of await this.store.find(recipient)) {
      await this.store.remove(recipient, entry.sender);
    }
  }
}
