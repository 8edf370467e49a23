/**
 * Says which recipients a message is not for: those of other protocols than
 * the publisher named, and those whose filter policies it does not match.
 */

import type { Message } from "../messages/message.ts";
import {
  type CompiledAttributes,
  compileAttributes,
  describeMismatch,
  type FilterMismatch,
  type FilterPolicy,
  findMismatch,
} from "../subscriptions/filter-policy.ts";
import type { Protocol } from "../subscriptions/protocol.ts";

const noAttributes = compileAttributes(undefined);

/** What it takes to decide. */
export interface FilteredRecipient {
  readonly protocol: Protocol;
  readonly filterPolicies?: readonly FilterPolicy[] | undefined;
}

export class MessageFilter {
  /** A message is walked in many ranges, which share the object. */
  readonly #compiled = new WeakMap<Message, CompiledAttributes>();
  /** Policies that many subscriptions share are described once. */
  readonly #sentences = new WeakMap<object, string>();

  /**
   * Answers a function that explains why a recipient does not get the message;
   * `undefined` when it does.
   */
  of(message: Message): (recipient: FilteredRecipient) => string | undefined {
    const attributes = this.#attributesOf(message);
    const isForAll = attributes.protocols === undefined;
    return ({ filterPolicies, protocol }) => {
      if (filterPolicies === undefined && isForAll) return undefined;
      const mismatch = findMismatch(filterPolicies ?? [], protocol, attributes);
      return mismatch && this.#describe(mismatch);
    };
  }

  #attributesOf(message: Message): CompiledAttributes {
    if (message.attributes === undefined) return noAttributes;
    let compiled = this.#compiled.get(message);
    if (compiled === undefined) {
      compiled = compileAttributes(message.attributes);
      this.#compiled.set(message, compiled);
    }
    return compiled;
  }

  #describe(mismatch: FilterMismatch): string {
    if (typeof mismatch === "string") return describeMismatch(mismatch);
    let sentence = this.#sentences.get(mismatch);
    if (sentence === undefined) {
      sentence = describeMismatch(mismatch);
      this.#sentences.set(mismatch, sentence);
    }
    return sentence;
  }
}
